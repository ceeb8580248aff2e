#ifndef STAVE_BENCHMARKS_WORKLOAD_RUNNER_H_
#define STAVE_BENCHMARKS_WORKLOAD_RUNNER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/workload/records.h"
#include "benchmarks/workload/subject.h"
#include "benchmarks/workload/worker.h"
#include "benchmarks/workload/workload.h"
#include "stave/latency_histogram.h"

namespace stave::bench {

// More keys than this a workload can't choose from.
inline constexpr uint64_t kMaxKeys = uint64_t{1} << 30;

struct Measurement {
  uint64_t operations = 0;
  double seconds = 0;
  // Of processors: of the threads that called, and of all, a store's own
  // threads too. Unlike seconds, the same on a machine that has other work.
  double thread_seconds = 0;
  double process_seconds = 0;
  LatencyHistogram latencies;  // in ticks, of calls

  double OperationsPerSecond() const {
    return static_cast<double>(operations) / seconds;
  }
  // The longest time that so many of all calls took; 1: the longest of all.
  double Nanoseconds(double share) const;
};

// Runs workloads on one store, by threads of their own, and checks every value
// that is read. Thread-compatible.
class Runner {
 public:
  struct Settings {
    uint64_t keys = 0;  // 1 to kMaxKeys
    size_t value_bytes = 0;
    int threads = 1;
    // Of a workload, all threads together; fills, scans and those that do more
    // than one for each key aside. 0: any number.
    uint64_t max_operations = 0;
    uint64_t seed = 1;
    // Called every 20 ms, by the thread that runs the workload, with the share
    // of it that is done. False: it ends early, and is Cancelled.
    std::function<bool(double)> progress = nullptr;
  };

  // `subject`, which is borrowed, has no keys yet.
  Runner(const Settings& settings, Subject* subject);

  // The workload begins with the store as the last one has left it, after all
  // keys were put, unmeasured, where it needs keys that are not there. DataLoss
  // if what is read is not what was written.
  absl::StatusOr<Measurement> Run(const Workload& workload);

  // The store was filled before, by another process: all keys are there.
  void AssumeFilled() { present_ = settings_.keys; }

 private:
  absl::StatusOr<Measurement> RunNow(const Workload& workload);
  // The operations of all threads together, and how they are shared out.
  uint64_t OperationsOf(const Workload& workload) const;
  std::deque<Worker> WorkersFor(const Workload& workload);
  // Lets each work in a thread of its own. The seconds that they took.
  absl::StatusOr<double> Work(std::deque<Worker>& workers);

  const Settings settings_;
  const Values values_;
  Subject* const subject_;
  std::atomic<bool> stop_ = false;  // of the present workload
  uint64_t present_ = 0;            // all keys of a lower index are there
  uint64_t runs_ = 0;
};

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_WORKLOAD_RUNNER_H_
