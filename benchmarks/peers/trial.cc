#include "benchmarks/peers/trial.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "benchmarks/peers/child_process.h"
#include "benchmarks/peers/process_usage.h"
#include "benchmarks/workload/records.h"
#include "benchmarks/workload/runner.h"
#include "benchmarks/workload/workload.h"

namespace stave::bench {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;
using Emit = std::function<void(const json&)>;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double NanosecondsEach(double seconds, const Measurement& measured) {
  return seconds * 1e9 / static_cast<double>(measured.operations);
}

Workload Named(const char* name) {
  return ParseWorkloads(name, /*with_order=*/true)->front();
}

bool IsWanted(const Trial& trial, const std::string& name) {
  return trial.wanted.empty() || trial.wanted.contains(name);
}

std::vector<Workload> WantedOf(const Trial& trial,
                               std::initializer_list<const char*> names) {
  std::vector<Workload> workloads;
  for (const char* name : names) {
    const Workload workload = Named(name);
    if (workload.needs_order() && !trial.engine.has_order) continue;
    if (IsWanted(trial, name)) workloads.push_back(workload);
  }
  return workloads;
}

// An open store and what is measured of it, in a process that has only this.
class Session {
 public:
  Session(const Trial& trial, Job job, int threads, Emit emit)
      : trial_(trial),
        job_(std::move(job)),
        emit_(std::move(emit)),
        settings_{.keys = job_.keys,
                  .value_bytes = job_.value_bytes,
                  .threads = threads,
                  .max_operations = trial.max_operations,
                  .seed = trial.seed,
                  .progress = [this](double) { return Look(); }} {}

  // With or without what was there before.
  absl::Status Open(bool filled) {
    absl::StatusOr<std::unique_ptr<Subject>> opened = trial_.engine.open(job_);
    if (!opened.ok()) return opened.status();
    Use(*std::move(opened), filled);
    return absl::OkStatus();
  }

  absl::Status OpenToFirstGet(const char* name) {
    const Clock::time_point start = Clock::now();
    absl::StatusOr<std::unique_ptr<Subject>> opened = trial_.engine.open(job_);
    if (!opened.ok()) return opened.status();
    absl::Status status;
    std::thread([&] {  // since a thread that reads ends before the store does
      std::string value;
      status = (*opened)->Get(Key(0).view(), &value);
    })
        .join();
    if (!status.ok()) return status;
    EmitTime(name, SecondsSince(start));
    Use(*std::move(opened), /*filled=*/true);
    return status;
  }

  absl::Status Close() { return Close(nullptr); }
  absl::Status Close(const char* name) {
    const Clock::time_point start = Clock::now();
    runner_ = nullptr;
    absl::Status status = subject_->Close();
    subject_ = nullptr;
    if (status.ok() && name != nullptr) EmitTime(name, SecondsSince(start));
    return status;
  }

  absl::Status Run(const std::vector<Workload>& workloads) {
    for (const Workload& workload : workloads) {
      absl::Status status = Run(workload, std::string(workload.name));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status Run(const Workload& workload, const std::string& name) {
    const ProcessUsage before = ReadProcessUsage();
    peak_disk_bytes_ = 0;
    const absl::StatusOr<Measurement> measured = runner_->Run(workload);
    if (!measured.ok()) return measured.status();
    const ProcessUsage after = ReadProcessUsage();
    const uint64_t disk_bytes = DiskBytes(job_.directory);
    emit_(
        {{"workload", name},
         {"operations", measured->operations},
         {"seconds", measured->seconds},
         {"ops_per_second", measured->OperationsPerSecond()},
         {"thread_ns", NanosecondsEach(measured->thread_seconds, *measured)},
         {"process_ns", NanosecondsEach(measured->process_seconds, *measured)},
         {"p50_ns", measured->Nanoseconds(0.5)},
         {"p99_ns", measured->Nanoseconds(0.99)},
         {"p999_ns", measured->Nanoseconds(0.999)},
         {"max_ns", measured->Nanoseconds(1)},
         {"anonymous_bytes", after.anonymous_bytes},
         {"mapped_bytes", after.mapped_bytes},
         {"written_bytes", after.written_bytes - before.written_bytes},
         {"disk_bytes", disk_bytes},
         {"peak_disk_bytes", std::max(peak_disk_bytes_, disk_bytes)}});
    return absl::OkStatus();
  }

  absl::Status RunUnmeasured(const Workload& workload) {
    return runner_->Run(workload).status();
  }

 private:
  void Use(std::unique_ptr<Subject> subject, bool filled) {
    subject_ = std::move(subject);
    runner_ = std::make_unique<Runner>(settings_, subject_.get());
    if (filled) runner_->AssumeFilled();
  }

  void EmitTime(const char* name, double seconds) {
    emit_({{"workload", name},
           {"seconds", seconds},
           {"disk_bytes", DiskBytes(job_.directory)}});
  }

  // At the disk, five times a second.
  bool Look() {
    if (looks_++ % 10 == 0) {
      peak_disk_bytes_ = std::max(peak_disk_bytes_, DiskBytes(job_.directory));
    }
    return true;
  }

  const Trial& trial_;
  const Job job_;
  const Emit emit_;
  const Runner::Settings settings_;
  std::unique_ptr<Subject> subject_;
  std::unique_ptr<Runner> runner_;
  uint64_t looks_ = 0;
  uint64_t peak_disk_bytes_ = 0;
};

using Part = std::function<absl::Status(Session&)>;

// A part of a trial, in a process of its own.
absl::Status RunPart(const Trial& trial, const Job& job, int threads,
                     const Emit& emit, const Part& part) {
  return RunInChild(
      [&](const std::function<void(std::string_view)>& say) {
        Session session(trial, job, threads,
                        [&](const json& result) { say(result.dump()); });
        return part(session);
      },
      [&](const std::string& line) { emit(json::parse(line)); });
}

void MakeEmpty(const std::string& directory) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
}

absl::Status FillInOrder(const Trial& trial, const Emit& emit) {
  const std::vector<Workload> workloads = WantedOf(trial, {"fill"});
  if (workloads.empty()) return absl::OkStatus();
  MakeEmpty(trial.job.directory);
  return RunPart(trial, trial.job, trial.threads, emit, [&](Session& session) {
    absl::Status status = session.Open(/*filled=*/false);
    if (status.ok()) status = session.Run(workloads);
    if (status.ok()) status = session.Close();
    return status;
  });
}

absl::Status FillAndUse(const Trial& trial, const Emit& emit) {
  const std::vector<Workload> workloads = WantedOf(
      trial, {"fillrandom", "read", "readzipf", "readabsent", "multiget",
              "ycsb-c", "ycsb-b", "ycsb-a", "ycsb-f", "overwrite", "scan",
              "range", "ycsb-d", "ycsb-e", "soak"});
  MakeEmpty(trial.job.directory);
  return RunPart(trial, trial.job, trial.threads, emit, [&](Session& session) {
    absl::Status status = session.Open(/*filled=*/false);
    if (status.ok()) status = session.Run(workloads);
    if (status.ok()) status = session.Close("close");
    return status;
  });
}

// After FillAndUse. The one that is killed has overwritten keys just then.
absl::Status OpenAgain(const Trial& trial, const Emit& emit) {
  absl::Status status =
      RunPart(trial, trial.job, trial.threads, emit, [&](Session& session) {
        absl::Status opened = session.OpenToFirstGet("open");
        if (!opened.ok()) return opened;
        opened = session.RunUnmeasured(Named("overwrite"));
        if (opened.ok()) kill(getpid(), SIGKILL);
        return opened;
      });
  if (!status.ok()) return status;
  return RunPart(trial, trial.job, trial.threads, emit, [&](Session& session) {
    absl::Status opened = session.OpenToFirstGet("open-killed");
    if (opened.ok()) opened = session.Run(WantedOf(trial, {"delete"}));
    if (opened.ok()) opened = session.Close();
    return opened;
  });
}

absl::Status WriteDurably(const Trial& trial, int threads, const Emit& emit) {
  const std::string name = absl::StrFormat("durable-%d", threads);
  if (!IsWanted(trial, name)) return absl::OkStatus();
  MakeEmpty(trial.job.directory);
  Job job = trial.job;
  job.keys = std::min<uint64_t>(job.keys, 100'000);
  // Filled without waiting for the device, as its reader would not.
  absl::Status status =
      RunPart(trial, job, /*threads=*/1, emit, [&](Session& session) {
        absl::Status filled = session.Open(/*filled=*/false);
        if (filled.ok()) filled = session.RunUnmeasured(Named("fillrandom"));
        if (filled.ok()) filled = session.Close();
        return filled;
      });
  if (!status.ok()) return status;
  job.durable = true;
  return RunPart(trial, job, threads, emit, [&](Session& session) {
    absl::Status written = session.Open(/*filled=*/true);
    if (written.ok()) written = session.Run(Named("durable"), name);
    if (written.ok()) written = session.Close();
    return written;
  });
}

}  // namespace

absl::Status RunTrial(const Trial& trial, const Emit& emit) {
  const Emit wanted = [&](const json& result) {
    if (IsWanted(trial, result["workload"])) emit(result);
  };
  absl::Status status = FillInOrder(trial, wanted);
  if (status.ok()) status = FillAndUse(trial, wanted);
  if (status.ok() && (IsWanted(trial, "open") || IsWanted(trial, "delete") ||
                      IsWanted(trial, "open-killed"))) {
    status = OpenAgain(trial, wanted);
  }
  // With one number of threads the others would be measured twice.
  if (trial.threads == 1) {
    for (const int threads : {1, 4, 16}) {
      if (status.ok()) status = WriteDurably(trial, threads, wanted);
    }
  }
  std::filesystem::remove_all(trial.job.directory);
  return status;
}

}  // namespace stave::bench
