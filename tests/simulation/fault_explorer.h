#ifndef STAVE_TESTS_SIMULATION_FAULT_EXPLORER_H_
#define STAVE_TESTS_SIMULATION_FAULT_EXPLORER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "tests/simulation/crash_states.h"
#include "tests/simulation/fault.h"
#include "tests/simulation/simulated_run.h"

namespace stave {

// A fault that a run meets.
struct PlannedFault {
  Fault fault = Fault::kNone;
  uint64_t call = 0;  // the number of the call that meets it
  bool sticky = false;
};

// Runs a seed's workload once for each call that it makes to its file system,
// each fault that this call can meet, once and for good. Whatever happens: what
// was acknowledged is there afterwards, what was refused is not, a sync that
// fails is reported, a full disk does no more harm than to be full, nothing
// stays open, and the store opens again.
class FaultExplorer {
 public:
  FaultExplorer(uint64_t seed, uint64_t operations)
      : seed_(seed), operations_(operations) {}

  // Makes no more than `runs` runs, and stops once something is wrong.
  absl::Status Explore(uint64_t runs);

  // Those that met their fault.
  uint64_t runs() const { return runs_; }

 private:
  const uint64_t seed_;
  const uint64_t operations_;
  uint64_t runs_ = 0;
};

// One run with one fault.
class FaultRun {
 public:
  FaultRun(uint64_t seed, uint64_t operations, const PlannedFault& planned)
      : planned_(planned), operations_(operations), run_(seed) {}

  // What is wrong, or OK.
  absl::Status Run();

  SimulatedDisk& disk() { return run_.disk(); }

 private:
  // Until the end, or the store can't be opened or closed.
  absl::Status Operate();
  absl::Status FreeTheDisk();
  // Closes the store, kills its process, or takes the power away.
  CrashState End();
  uint64_t Mixed() const;
  bool OnlyWantsSpace() const;

  const PlannedFault planned_;
  const uint64_t operations_;
  SimulatedRun run_;
  bool reported_ = false;
};

}  // namespace stave

#endif  // STAVE_TESTS_SIMULATION_FAULT_EXPLORER_H_
