#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "benchmarks/workload/runner.h"
#include "benchmarks/workload/store_subject.h"
#include "benchmarks/workload/subject.h"
#include "benchmarks/workload/workload.h"
#include "stave/limits.h"
#include "stave/options.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/human_units.h"
#include "tools/stave/interruption.h"
#include "tools/stave/number.h"
#include "tools/stave/scratch_directory.h"
#include "tools/stave/session.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

using bench::Measurement;
using bench::Runner;
using bench::Workload;

constexpr uint64_t kMaxThreads = 256;

std::string Details() {
  std::string details =
      "Measures a new store on the same file system as the store that is "
      "named,\n"
      "beside it: no record of yours is read or written, and what was made is\n"
      "removed at the end, also on Ctrl-C. Keys have 16 bytes. Each value "
      "that\n"
      "is read is compared with what was written.\n"
      "\n"
      "  stave bench\n"
      "  stave bench --workload fillrandom,read,ycsb-b --threads 2\n"
      "  stave bench --keys 10000000 --value-size 1024 --json\n"
      "  stave bench --keydir ordered --workload fillrandom,ycsb-e\n"
      "\n"
      "Workloads, in the order in which they run unless told otherwise:\n"
      "\n";
  for (const Workload& workload : bench::AllWorkloads(/*with_order=*/true)) {
    absl::StrAppendFormat(&details, "  %-10s  %s%s\n", workload.name,
                          workload.summary,
                          workload.needs_order() ? " (--keydir ordered)" : "");
  }
  details +=
      "\n"
      "fill and fillrandom begin with a new store; the others go on with the\n"
      "one before them, filled first where its keys are not there. p50, p99 "
      "and\n"
      "p99.9 are the times that so many of a hundred calls stay within.\n"
      "\n"
      "--json: a line a workload, {\"workload\":NAME,\"ops_per_second\":N,\n"
      "\"p50_ns\":N,\"p99_ns\":N,\"p999_ns\":N,\"max_ns\":N,\"operations\":N,\n"
      "\"keys\":N,\"value_size\":N,\"threads\":N}\n";
  return details;
}

struct BenchArguments {
  std::optional<std::string> keys;
  std::optional<std::string> value_size;
  std::optional<std::string> threads;
  std::optional<std::string> workload;
};

struct Plan {
  uint64_t keys = 0;
  uint64_t value_bytes = 0;
  uint64_t threads = 0;
  Options options;
  std::vector<Workload> workloads;
};

// The number of a flag, which is `otherwise` if the flag was not given.
absl::StatusOr<uint64_t> NumberUpTo(const char* flag,
                                    const std::optional<std::string>& text,
                                    uint64_t otherwise, uint64_t most) {
  absl::StatusOr<uint64_t> number = PositiveNumber(flag, text, otherwise);
  if (!number.ok() || *number <= most) return number;
  return absl::InvalidArgumentError(
      absl::StrFormat("%s can be %d at most", flag, most));
}

absl::StatusOr<Plan> ParsePlan(const BenchArguments& arguments,
                               const Options& options) {
  const absl::StatusOr<uint64_t> keys =
      NumberUpTo("--keys", arguments.keys, 1'000'000, bench::kMaxKeys);
  if (!keys.ok()) return keys.status();
  const absl::StatusOr<uint64_t> value_bytes =
      NumberUpTo("--value-size", arguments.value_size, 100, kMaxValueBytes);
  if (!value_bytes.ok()) return value_bytes.status();
  const absl::StatusOr<uint64_t> threads =
      NumberUpTo("--threads", arguments.threads, 1, kMaxThreads);
  if (!threads.ok()) return threads.status();
  const bool with_order = options.keydir == KeydirKind::kOrdered;
  Plan plan{*keys, *value_bytes, *threads, options,
            bench::AllWorkloads(with_order)};
  if (!arguments.workload.has_value()) return plan;
  absl::StatusOr<std::vector<Workload>> workloads =
      bench::ParseWorkloads(*arguments.workload, with_order);
  if (!workloads.ok()) return workloads.status();
  plan.workloads = *std::move(workloads);
  return plan;
}

// A line on standard error, if that is a terminal, that comes and goes.
class ProgressLine {
 public:
  void Show(std::string_view workload, double share) {
    const auto percent = static_cast<int>(share * 100);
    if (!shown_ || percent == percent_) return;
    percent_ = percent;
    absl::FPrintF(stderr, "\r%-10s %3d%%", workload, percent);
  }
  void Clear() {
    if (percent_ >= 0) absl::FPrintF(stderr, "\r%15s\r", "");
    percent_ = -1;
  }

 private:
  const bool shown_ = isatty(STDERR_FILENO) == 1;
  int percent_ = -1;
};

// A new store and what runs workloads on it. Its files go with it.
class TrialStore {
 public:
  static absl::StatusOr<std::unique_ptr<TrialStore>> Create(
      const std::string& beside, const Options& options,
      const Runner::Settings& settings) {
    absl::StatusOr<ScratchDirectory> directory =
        ScratchDirectory::CreateBeside(beside, "bench");
    if (!directory.ok()) return directory.status();
    absl::StatusOr<std::unique_ptr<bench::Subject>> store =
        bench::OpenStoreSubject(directory->path(), options);
    if (!store.ok()) return store.status();
    return std::unique_ptr<TrialStore>(
        new TrialStore(*std::move(directory), *std::move(store), settings));
  }

  Runner& runner() { return runner_; }
  absl::Status Close() { return store_->Close(); }

 private:
  TrialStore(ScratchDirectory directory, std::unique_ptr<bench::Subject> store,
             const Runner::Settings& settings)
      : directory_(std::move(directory)),
        store_(std::move(store)),
        runner_(settings, store_.get()) {}

  const ScratchDirectory directory_;
  const std::unique_ptr<bench::Subject> store_;
  Runner runner_;
};

std::string Time(double nanoseconds) {
  if (nanoseconds < 1e3) return absl::StrFormat("%.0f ns", nanoseconds);
  if (nanoseconds < 1e6) return absl::StrFormat("%.1f us", nanoseconds / 1e3);
  if (nanoseconds < 1e9) return absl::StrFormat("%.1f ms", nanoseconds / 1e6);
  return absl::StrFormat("%.1f s", nanoseconds / 1e9);
}

std::string TableHead(const Plan& plan) {
  return absl::StrFormat(
      "%s keys, values of %s, %d thread%s\n\n"
      "%-10s %14s %10s %10s %10s %10s\n",
      HumanCount(plan.keys), HumanBytes(static_cast<double>(plan.value_bytes)),
      plan.threads, plan.threads == 1 ? "" : "s", "workload", "operations/s",
      "p50", "p99", "p99.9", "max");
}

std::string TableLine(const Workload& workload,
                      const Measurement& measurement) {
  return absl::StrFormat(
      "%-10s %14s %10s %10s %10s %10s\n", workload.name,
      HumanCount(static_cast<uint64_t>(measurement.OperationsPerSecond())),
      Time(measurement.Nanoseconds(0.5)), Time(measurement.Nanoseconds(0.99)),
      Time(measurement.Nanoseconds(0.999)), Time(measurement.Nanoseconds(1)));
}

std::string JsonLine(const Plan& plan, const Workload& workload,
                     const Measurement& measurement) {
  return absl::StrFormat(
      "{\"workload\":\"%s\",\"ops_per_second\":%.1f,\"p50_ns\":%.0f,"
      "\"p99_ns\":%.0f,\"p999_ns\":%.0f,\"max_ns\":%.0f,\"operations\":%d,"
      "\"keys\":%d,\"value_size\":%d,\"threads\":%d}\n",
      workload.name, measurement.OperationsPerSecond(),
      measurement.Nanoseconds(0.5), measurement.Nanoseconds(0.99),
      measurement.Nanoseconds(0.999), measurement.Nanoseconds(1),
      measurement.operations, plan.keys, plan.value_bytes, plan.threads);
}

absl::Status RunAll(const Plan& plan, const std::string& beside,
                    const Interruption& interruption, Session& session) {
  ProgressLine progress;
  const Workload* present = nullptr;
  const Runner::Settings settings{.keys = plan.keys,
                                  .value_bytes = plan.value_bytes,
                                  .threads = static_cast<int>(plan.threads),
                                  .progress = [&](double share) {
                                    progress.Show(present->name, share);
                                    return !interruption.came();
                                  }};
  std::unique_ptr<TrialStore> store;
  for (const Workload& workload : plan.workloads) {
    present = &workload;
    if (store == nullptr || workload.fills) {
      store = nullptr;  // before the next one takes its space
      absl::StatusOr<std::unique_ptr<TrialStore>> created =
          TrialStore::Create(beside, plan.options, settings);
      if (!created.ok()) return created.status();
      store = *std::move(created);
    }
    const absl::StatusOr<Measurement> measured = store->runner().Run(workload);
    progress.Clear();
    if (!measured.ok()) return measured.status();
    RETURN_IF_ERROR(
        session.out().Write(session.json() ? JsonLine(plan, workload, *measured)
                                           : TableLine(workload, *measured)));
    RETURN_IF_ERROR(session.out().Flush());
    // Between workloads, too.
    if (interruption.came()) return absl::CancelledError("interrupted");
  }
  return store->Close();
}

absl::Status Bench(const BenchArguments& arguments, Session& session) {
  const absl::StatusOr<Plan> plan = ParsePlan(arguments, session.AnyOptions());
  if (!plan.ok()) return plan.status();
  const absl::StatusOr<std::string> directory =
      session.StoreDirectoryForWriting();
  if (!directory.ok()) return directory.status();
  const Interruption interruption;
  if (!session.json()) {
    RETURN_IF_ERROR(session.out().Write(TableHead(*plan)));
  }
  return RunAll(*plan, *directory, interruption, session);
}

}  // namespace

void AddBenchCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<BenchArguments>();
  command_line
      ->Add({.name = "bench",
             .summary = "Measure how fast a store is on this machine",
             .details = Details(),
             .writes = true,
             .run = [arguments](Session& s) { return Bench(*arguments, s); }})
      .Option("--keys", "N", "Keys of the store; else 1,000,000",
              &arguments->keys)
      .Option("--value-size", "N", "Bytes of each value; else 100",
              &arguments->value_size)
      .Option("--threads", "N", "Threads that work at once; else 1",
              &arguments->threads)
      .Option("--workload", "NAME,...", "What to measure; else everything",
              &arguments->workload);
}

}  // namespace stave::tool
