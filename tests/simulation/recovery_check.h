#ifndef STAVE_TESTS_SIMULATION_RECOVERY_CHECK_H_
#define STAVE_TESTS_SIMULATION_RECOVERY_CHECK_H_

#include <functional>

#include "absl/status/status.h"
#include "stave/options.h"
#include "tests/simulation/history.h"
#include "tests/simulation/simulated_disk.h"

namespace stave {

// What becomes of a store between its end and its recovery, and after that.
struct Afterwards {
  // The date is set back by hours before it is opened again.
  bool set_clock_back = false;
  // It is closed before the power fails.
  bool close_first = false;
};

// Opens the store that is on `disk`, by `options` but for the file system, and
// holds it against the oracle: it equals `history` after a prefix that `end`
// allows; it can be written; once the writes are durable, a loss of power takes
// nothing away: a second open shows the same, and a change feed goes on where
// it was; then no file is there that the manifest doesn't name; and nothing
// stays open. Not OK: what is wrong.
absl::Status CheckRecovery(SimulatedDisk* disk, const Options& options,
                           const History& history, History::End end,
                           const Afterwards& afterwards);

// Of what is no store, and never was one, but might have been: it is refused,
// and left as it is.
absl::Status CheckRefusal(SimulatedDisk* disk, const Options& options);

}  // namespace stave

#endif  // STAVE_TESTS_SIMULATION_RECOVERY_CHECK_H_
