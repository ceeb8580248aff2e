// Compares stave with other stores, see ../README.md. Writes what it measures
// to a file, a JSON object a line; report.py makes tables and plots of them.

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "benchmarks/limits/limits.h"
#include "benchmarks/peers/engine.h"
#include "benchmarks/peers/trial.h"
#include "nlohmann/json.hpp"

namespace stave::bench {
namespace {

using nlohmann::json;

struct Arguments {
  std::string directory = "/tmp/stave_peers";
  std::string output = "/tmp/stave_peers.json";
  std::vector<std::string> engines;
  std::vector<std::string> workloads;
  std::vector<int> threads = {1};
  uint64_t keys = 1'000'000;
  uint64_t value_bytes = 100;
  uint64_t max_operations = 0;
  int rounds = 3;
  bool limits = false;
};

std::string LineOf(const char* path, std::string_view beginning) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(beginning)) return line;
  }
  return "";
}

json DescribeMachine() {
  utsname system{};
  uname(&system);
  const std::time_t now = std::time(nullptr);
  char date[32];
  std::strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
  return {{"kind", "machine"},
          {"date", date},
          {"processor", LineOf("/proc/cpuinfo", "model name")},
          {"processors", sysconf(_SC_NPROCESSORS_ONLN)},
          {"memory", LineOf("/proc/meminfo", "MemTotal")},
          {"load", LineOf("/proc/loadavg", "")},
          {"system", absl::StrFormat("%s %s", system.sysname, system.release)}};
}

// Of a file, a JSON object a line; what was there is kept.
class ResultFile {
 public:
  explicit ResultFile(const std::string& path) : file_(path, std::ios::app) {}

  void Write(const json& line) { file_ << line.dump() << std::endl; }
  bool good() const { return file_.good(); }

 private:
  std::ofstream file_;
};

void Show(const json& result) {
  if (!result.contains("ops_per_second")) {
    absl::PrintF(
        "%-14s %d thr  %-12s %12.1f ms\n", result["engine"].get<std::string>(),
        result["threads"].get<int>(), result["workload"].get<std::string>(),
        result["seconds"].get<double>() * 1e3);
  } else {
    absl::PrintF("%-14s %d thr  %-12s %12.0f /s  p99.9 %10.0f ns\n",
                 result["engine"].get<std::string>(),
                 result["threads"].get<int>(),
                 result["workload"].get<std::string>(),
                 result["ops_per_second"].get<double>(),
                 result["p999_ns"].get<double>());
  }
  std::fflush(stdout);
}

absl::StatusOr<std::vector<Engine>> Chosen(
    const std::vector<std::string>& names) {
  std::vector<Engine> engines = Engines();
  if (names.empty()) return engines;
  std::vector<Engine> chosen;
  for (const std::string& name : names) {
    const auto found =
        std::find_if(engines.begin(), engines.end(),
                     [&](const Engine& e) { return e.name == name; });
    if (found == engines.end()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("there is no engine %s", name));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

absl::Status Compare(const Arguments& arguments) {
  const absl::StatusOr<std::vector<Engine>> engines = Chosen(arguments.engines);
  if (!engines.ok()) return engines.status();
  ResultFile file(arguments.output);
  if (!file.good()) return absl::InternalError("cannot write the results");
  file.Write(DescribeMachine());
  for (const Engine& engine : *engines) {
    file.Write({{"kind", "engine"},
                {"engine", engine.name},
                {"settings", engine.settings}});
  }
  std::filesystem::create_directories(arguments.directory);
  if (arguments.limits) {
    for (const auto& limits :
         {ProcessorLimits(), MemoryLimits(), FileLimits(arguments.directory)}) {
      for (const Limit& limit : limits) {
        const absl::StatusOr<double> value = limit.measure();
        if (!value.ok()) return value.status();
        file.Write({{"kind", "limit"},
                    {"name", limit.name},
                    {"value", *value},
                    {"unit", limit.unit}});
      }
    }
  }
  for (int round = 0; round < arguments.rounds; ++round) {
    for (const int threads : arguments.threads) {
      for (const Engine& engine : *engines) {
        const Trial trial{
            .engine = engine,
            .job = {.directory = arguments.directory + "/store",
                    .keys = arguments.keys,
                    .value_bytes = arguments.value_bytes},
            .threads = threads,
            .seed = static_cast<uint64_t>(round) + 1,
            .max_operations = arguments.max_operations,
            .wanted = {arguments.workloads.begin(), arguments.workloads.end()}};
        const absl::Status status = RunTrial(trial, [&](json result) {
          result["kind"] = "result";
          result["engine"] = engine.name;
          result["round"] = round;
          result["keys"] = arguments.keys;
          result["value_bytes"] = arguments.value_bytes;
          result["threads"] = threads;
          file.Write(result);
          Show(result);
        });
        if (!status.ok()) return status;
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace stave::bench

int main(int argc, char** argv) {
  stave::bench::Arguments arguments;
  CLI::App app("Compares stave with other stores.");
  app.add_option("--directory", arguments.directory,
                 "where stores are made and removed");
  app.add_option("--output", arguments.output,
                 "the file that results are added to");
  app.add_option("--engines", arguments.engines, "else all")->delimiter(',');
  app.add_option("--workloads", arguments.workloads, "else all")
      ->delimiter(',');
  app.add_option("--threads", arguments.threads, "one or more numbers")
      ->delimiter(',');
  app.add_option("--keys", arguments.keys);
  app.add_option("--value-bytes", arguments.value_bytes);
  app.add_option("--max-operations", arguments.max_operations,
                 "of a workload; fills, scans and soaks aside");
  app.add_option("--rounds", arguments.rounds);
  app.add_flag("--limits", arguments.limits,
               "measures what the machine can do, too");
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = stave::bench::Compare(arguments);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
