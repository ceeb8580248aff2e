#ifndef STAVE_TESTS_SIMULATION_SIMULATED_RUN_H_
#define STAVE_TESTS_SIMULATION_SIMULATED_RUN_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "stave/store.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/model/performer.h"
#include "tests/model/workload.h"
#include "tests/simulation/history.h"
#include "tests/simulation/simulated_disk.h"

namespace stave {

// A store on a simulated disk, without threads, and the operations of a
// workload that are done to it. All follows from the seed: the store's options,
// the operations and where it is closed or killed.
class SimulatedRun {
 public:
  explicit SimulatedRun(uint64_t seed);

  SimulatedDisk& disk() { return disk_; }
  const History& history() const { return history_; }
  // For stores that are opened beside this one; without the file system.
  const Options& options() const { return options_; }

  // Whether Open has ever returned.
  bool was_opened() const { return was_opened_; }

  // Each of these returns what is wrong, or OK.
  absl::Status Open();
  absl::Status DoNext();
  absl::Status Close();

  // DoNext has failed with `error`: finds out whether the operation was done,
  // so that the history is right. Wrong are a half of it, and anything at all
  // if it was refused for want of space.
  absl::Status Settle(const absl::Status& error);
  // Nothing stays open, unless it leaks.
  void Abandon() {
    store_ = nullptr;
    performer_.ForgetHeld();
    history_.ForgetHeld();
  }
  bool is_open() const { return store_ != nullptr; }
  // Whether the store has become read-only.
  bool is_latched() const { return store_->GetStatistics().latched; }

  // As the end of the process: the store has no effect any more.
  void Kill();

  // What was done last.
  std::string Doing() const;

 private:
  absl::Status Call(const Operation& operation);
  absl::Status Reopen(const Operation& operation);
  absl::Status KillAndOpen(const Operation& operation);
  void SetDate();

  std::mt19937_64 random_;
  ManualClock clock_;
  History history_;
  SimulatedDisk disk_;
  Options options_;
  Workload workload_;
  Performer performer_;
  Operation operation_;
  uint64_t operations_ = 0;
  bool was_opened_ = false;
  std::unique_ptr<Store> store_;
};

}  // namespace stave

#endif  // STAVE_TESTS_SIMULATION_SIMULATED_RUN_H_
