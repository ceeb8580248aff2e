#ifndef STAVE_BENCHMARKS_WORKLOAD_WORKER_H_
#define STAVE_BENCHMARKS_WORKLOAD_WORKER_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "benchmarks/workload/records.h"
#include "benchmarks/workload/subject.h"
#include "benchmarks/workload/workload.h"
#include "stave/latency_histogram.h"

namespace stave::bench {

// What one thread does of a workload. Its operations are drawn before the
// clock starts; the making of keys and values, and the checks of all that is
// read, are part of what is measured. Aligned, so that no two threads write to
// one cache line.
class alignas(64) Worker {
 public:
  struct Part {
    uint64_t keys = 0;     // that were put at first, by all threads
    uint64_t present = 0;  // the same, with those that were inserted since
    uint64_t first = 0;    // of the workload's operations, for all threads
    uint64_t operations = 0;
    uint64_t seed = 0;  // of the workload, the same for all threads
  };

  // Borrows all.
  Worker(const Workload& workload, const Part& part, const Values& values,
         Subject* subject, const std::atomic<bool>& stop);

  // The keys that it will insert are as many, from `index` on.
  uint64_t inserts() const { return inserts_; }
  void InsertFrom(uint64_t index) { first_insert_ = next_insert_ = index; }

  // To the end. Cancelled when told to stop.
  absl::Status Work();

  uint64_t planned() const { return planned_; }
  // By any thread, meanwhile.
  uint64_t done() const { return done_.load(std::memory_order_relaxed); }
  // What its thread took of a processor.
  double thread_seconds() const { return thread_seconds_; }
  // In ticks.
  const LatencyHistogram& latencies() const { return latencies_; }

 private:
  struct Operation {
    uint32_t other : 1;
    uint32_t choice : 31;  // an index; with kLatest, how many before the last
  };

  void Draw(const Part& part);
  absl::Status WorkNow();
  uint64_t IndexFor(const Operation& operation) const;
  absl::Status Do(Action action, uint64_t index);
  absl::Status DoAll();
  absl::Status MultiGetAll();
  absl::Status ScanAll();
  absl::Status Put(uint64_t index);
  absl::Status Get(uint64_t index);
  absl::Status GetAbsent(uint64_t index);
  absl::Status ReadRange(uint64_t index, uint64_t records);
  // A call has just ended that did so many operations.
  void Note(uint64_t operations);
  bool Stopped() const { return stop_->load(std::memory_order_relaxed); }

  const Workload workload_;
  const Values* const values_;
  Subject* const subject_;
  const std::atomic<bool>* const stop_;
  std::vector<Operation> plan_;
  uint64_t planned_ = 0;
  const uint64_t present_;
  uint64_t inserts_ = 0;
  uint64_t first_insert_ = 0;
  uint64_t next_insert_ = 0;
  uint32_t version_ = 0;

  std::string value_;
  uint64_t last_ticks_ = 0;
  double thread_seconds_ = 0;
  std::atomic<uint64_t> done_ = 0;
  LatencyHistogram latencies_;
};

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_WORKLOAD_WORKER_H_
