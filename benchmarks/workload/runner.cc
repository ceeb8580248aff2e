#include "benchmarks/workload/runner.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "benchmarks/workload/ticks.h"

namespace stave::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLookInterval = std::chrono::milliseconds(20);

// Where the threads of a workload report their ends.
class Finish {
 public:
  void Report(const absl::Status& status) {
    const std::lock_guard lock(mutex_);
    // Where one failed, the others were told to stop.
    if (status_.ok() || absl::IsCancelled(status_)) status_ = status;
    ++reports_;
    last_ = Clock::now();
    reported_.notify_one();
  }

  // True: there are so many reports. False: not yet, but some time has passed.
  bool Await(size_t reports) {
    std::unique_lock lock(mutex_);
    return reported_.wait_for(lock, kLookInterval,
                              [&] { return reports_ == reports; });
  }

  // Of the first that failed. For when all have reported, as the next one.
  absl::Status status() const { return status_; }
  Clock::time_point last() const { return last_; }

 private:
  std::mutex mutex_;
  std::condition_variable reported_;
  absl::Status status_;
  size_t reports_ = 0;
  Clock::time_point last_;
};

double ShareDone(const std::deque<Worker>& workers) {
  uint64_t done = 0;
  uint64_t planned = 0;
  for (const Worker& worker : workers) {
    done += worker.done();
    planned += worker.planned();
  }
  return planned == 0
             ? 1
             : static_cast<double>(done) / static_cast<double>(planned);
}

}  // namespace

double Measurement::Nanoseconds(double share) const {
  return static_cast<double>(latencies.Quantile(share)) * NanosecondsPerTick();
}

Runner::Runner(const Settings& settings, Subject* subject)
    : settings_(settings), values_(settings.value_bytes), subject_(subject) {
  (void)NanosecondsPerTick();  // takes its time
}

absl::StatusOr<Measurement> Runner::Run(const Workload& workload) {
  if (!workload.fills && present_ == 0) {
    const absl::Status filled = RunNow({.name = "fill",
                                        .summary = "",
                                        .action = Action::kPut,
                                        .order = Order::kShuffled,
                                        .fills = true})
                                    .status();
    if (!filled.ok()) return filled;
  }
  return RunNow(workload);
}

absl::StatusOr<Measurement> Runner::RunNow(const Workload& workload) {
  ++runs_;
  std::deque<Worker> workers = WorkersFor(workload);
  const double before = ProcessSeconds();
  const absl::StatusOr<double> seconds = Work(workers);
  const double after = ProcessSeconds();
  if (!seconds.ok()) {
    return absl::Status(
        seconds.status().code(),
        absl::StrFormat("%s: %s", workload.name, seconds.status().message()));
  }
  if (workload.fills) present_ = settings_.keys;
  if (workload.action == Action::kDelete) present_ = 0;
  Measurement measurement;
  measurement.seconds = *seconds;
  measurement.process_seconds = after - before;
  for (const Worker& worker : workers) {
    present_ += worker.inserts();
    measurement.operations += worker.done();
    measurement.thread_seconds += worker.thread_seconds();
    measurement.latencies.Add(worker.latencies());
  }
  return measurement;
}

uint64_t Runner::OperationsOf(const Workload& workload) const {
  auto operations = std::max<uint64_t>(
      1, static_cast<uint64_t>(static_cast<double>(settings_.keys) *
                               workload.operations_per_key));
  if (workload.max_operations_of_thread > 0) {
    operations =
        std::min(operations, workload.max_operations_of_thread *
                                 static_cast<uint64_t>(settings_.threads));
  }
  if (settings_.max_operations > 0 && !workload.fills &&
      workload.operations_per_key <= 1) {
    operations = std::min(operations, settings_.max_operations);
  }
  return operations;
}

std::deque<Worker> Runner::WorkersFor(const Workload& workload) {
  const uint64_t operations = OperationsOf(workload);
  const auto threads = static_cast<uint64_t>(settings_.threads);
  std::deque<Worker> workers;
  uint64_t next_insert = present_;
  for (uint64_t i = 0; i < threads; ++i) {
    const uint64_t first = operations * i / threads;
    const uint64_t end = operations * (i + 1) / threads;
    Worker& worker = workers.emplace_back(
        workload,
        Worker::Part{.keys = settings_.keys,
                     .present = present_,
                     .first = first,
                     .operations = end - first,
                     .seed = settings_.seed * 1000 + runs_},
        values_, subject_, stop_);
    worker.InsertFrom(next_insert);
    next_insert += worker.inserts();
  }
  return workers;
}

absl::StatusOr<double> Runner::Work(std::deque<Worker>& workers) {
  stop_ = false;
  std::atomic<bool> begin = false;
  Finish finish;
  std::vector<std::thread> threads;
  for (Worker& worker : workers) {
    threads.emplace_back([&] {
      begin.wait(false);
      const absl::Status status = worker.Work();
      if (!status.ok()) stop_ = true;
      finish.Report(status);
    });
  }
  const Clock::time_point start = Clock::now();
  begin = true;
  begin.notify_all();
  while (!finish.Await(workers.size())) {
    if (settings_.progress == nullptr) continue;
    if (!settings_.progress(ShareDone(workers))) stop_ = true;
  }
  for (std::thread& thread : threads) thread.join();
  if (!finish.status().ok()) return finish.status();
  return std::chrono::duration<double>(finish.last() - start).count();
}

}  // namespace stave::bench
