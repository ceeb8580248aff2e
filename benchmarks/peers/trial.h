#ifndef STAVE_BENCHMARKS_PEERS_TRIAL_H_
#define STAVE_BENCHMARKS_PEERS_TRIAL_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "benchmarks/peers/engine.h"
#include "nlohmann/json.hpp"

namespace stave::bench {

// One engine's turn at all workloads, in new stores of its own.
struct Trial {
  Engine engine;
  Job job;  // its directory is made, and removed at the end
  int threads = 1;
  uint64_t seed = 1;
  uint64_t max_operations = 0;  // see Runner::Settings
  // Those of the workloads' definitions, and others; empty: all.
  std::set<std::string> wanted;
};

// What a trial does besides the workloads of `stave bench`:
//   close        after all of these
//   open         of the closed store, up to the first get
//   open-killed  the same, of a store whose process was killed while it wrote
//   durable-N    the workload durable with so many threads
//
// Each part runs in a process of its own, so that its memory and what it has
// written are its own. Calls emit(result) for each workload.
absl::Status RunTrial(const Trial& trial,
                      const std::function<void(const nlohmann::json&)>& emit);

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_PEERS_TRIAL_H_
