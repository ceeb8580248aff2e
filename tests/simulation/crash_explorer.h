#ifndef STAVE_TESTS_SIMULATION_CRASH_EXPLORER_H_
#define STAVE_TESTS_SIMULATION_CRASH_EXPLORER_H_

#include <cstdint>
#include <random>
#include <string>
#include <unordered_set>

#include "absl/status/status.h"
#include "tests/simulation/crash_states.h"
#include "tests/simulation/recovery_check.h"
#include "tests/simulation/simulated_run.h"

namespace stave {

// Runs a seed's workload, and lets the machine crash at every change and every
// sync that the store makes on its disk: each state that this can leave behind
// is recovered and held against the oracle, on a disk of its own.
class CrashExplorer {
 public:
  struct Counts {
    uint64_t crash_points = 0;
    uint64_t states = 0;
    uint64_t duplicates = 0;   // left out, and not among `states`
    uint64_t in_recovery = 0;  // among `states`: of a crash in recovery
  };

  // Crashes at one change in `one_in`, which is not always the same one.
  CrashExplorer(uint64_t seed, uint64_t one_in)
      : one_in_(one_in), random_(seed), run_(seed) {}

  // Does `operations` operations, or fewer once there are `states` states or
  // something is wrong.
  absl::Status Explore(uint64_t operations, uint64_t states);

  const Counts& counts() const { return counts_; }

 private:
  absl::Status Run(uint64_t operations, uint64_t states);
  void Crash();
  void Check(CrashState state);
  void CrashInRecovery(const CrashState& state);
  // The process is killed, and what it left in the page cache never reaches the
  // device, which nobody is told: unless it is written again, the next loss of
  // power takes it away.
  void KillAndLosePages();
  // Whether this was checked before.
  bool IsDuplicate(const SimulatedDisk::Image& image, uint64_t salt);
  Afterwards Any() const;
  void Fail(const absl::Status& status, const std::string& where);

  const uint64_t one_in_;
  std::mt19937_64 random_;
  SimulatedRun run_;
  Counts counts_;
  std::unordered_set<uint64_t> seen_;
  absl::Status failure_;
};

}  // namespace stave

#endif  // STAVE_TESTS_SIMULATION_CRASH_EXPLORER_H_
