#include "benchmarks/workload/workload.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace stave::bench {
namespace {

// YCSB: B. F. Cooper et al., Benchmarking cloud serving systems, 2010.
constexpr Workload kWorkloads[] = {
    {.name = "fill",
     .summary = "put new keys in their order",
     .action = Action::kPut,
     .order = Order::kAscending,
     .fills = true},
    {.name = "fillrandom",
     .summary = "put new keys in random order",
     .action = Action::kPut,
     .order = Order::kShuffled,
     .fills = true},
    {.name = "read",
     .summary = "get random keys",
     .action = Action::kGet,
     .order = Order::kUniform},
    {.name = "readzipf",
     .summary = "get keys, some much more often than others",
     .action = Action::kGet,
     .order = Order::kZipf},
    {.name = "readabsent",
     .summary = "get keys that are not there",
     .action = Action::kGetAbsent,
     .order = Order::kUniform},
    {.name = "multiget",
     .summary = "get random keys, 64 at once; the times are those of 64",
     .action = Action::kMultiGet,
     .order = Order::kUniform},
    {.name = "overwrite",
     .summary = "put random keys that are there",
     .action = Action::kPut,
     .order = Order::kUniform},
    {.name = "ycsb-a",
     .summary = "half get, half put, Zipf",
     .action = Action::kGet,
     .order = Order::kZipf,
     .other_percent = 50,
     .other = Action::kPut},
    {.name = "ycsb-b",
     .summary = "95% get, 5% put, Zipf",
     .action = Action::kGet,
     .order = Order::kZipf,
     .other_percent = 5,
     .other = Action::kPut},
    {.name = "ycsb-c",
     .summary = "all get, Zipf",
     .action = Action::kGet,
     .order = Order::kZipf},
    {.name = "ycsb-d",
     .summary = "95% get, the latest keys most; 5% put new keys",
     .action = Action::kGet,
     .order = Order::kLatest,
     .other_percent = 5,
     .other = Action::kInsert},
    {.name = "ycsb-e",
     .summary = "95% read up to 100 records on, 5% put new keys",
     .action = Action::kShortRange,
     .order = Order::kZipf,
     .other_percent = 5,
     .other = Action::kInsert,
     .operations_per_key = 0.02},
    {.name = "ycsb-f",
     .summary = "half get, half get and put the same key, Zipf",
     .action = Action::kGet,
     .order = Order::kZipf,
     .other_percent = 50,
     .other = Action::kReadModifyWrite},
    {.name = "scan",
     .summary = "read everything; the times are those of 100 records",
     .action = Action::kScan,
     .order = Order::kAscending},
    {.name = "range",
     .summary = "read 100 records from a key on",
     .action = Action::kRange,
     .order = Order::kUniform,
     .operations_per_key = 0.01},
    {.name = "durable",
     .summary = "put random keys, each on the device before the next",
     .action = Action::kPut,
     .order = Order::kUniform,
     .max_operations_of_thread = 1000,
     .durable = true},
    {.name = "soak",
     .summary = "put random keys, each four times, so that merges must follow",
     .action = Action::kPut,
     .order = Order::kUniform,
     .operations_per_key = 4},
    {.name = "delete",
     .summary = "delete all keys in random order",
     .action = Action::kDelete,
     .order = Order::kShuffled},
};

absl::Status UnknownWorkload(std::string_view name,
                             const std::vector<Workload>& known) {
  std::string names;
  for (const Workload& workload : known) {
    absl::StrAppendFormat(&names, "%s%s", names.empty() ? "" : ", ",
                          workload.name);
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("there is no workload '%s'; there are %s", name, names));
}

}  // namespace

std::vector<Workload> AllWorkloads(bool with_order) {
  std::vector<Workload> all;
  for (const Workload& workload : kWorkloads) {
    if (with_order || !workload.needs_order()) all.push_back(workload);
  }
  return all;
}

absl::StatusOr<std::vector<Workload>> ParseWorkloads(std::string_view list,
                                                     bool with_order) {
  const std::vector<Workload> known = AllWorkloads(with_order);
  std::vector<Workload> parsed;
  while (true) {
    const size_t comma = list.find(',');
    const std::string_view name = list.substr(0, comma);
    const auto found =
        std::find_if(known.begin(), known.end(),
                     [&](const Workload& w) { return w.name == name; });
    if (found == known.end()) return UnknownWorkload(name, known);
    parsed.push_back(*found);
    if (comma == std::string_view::npos) return parsed;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace stave::bench
