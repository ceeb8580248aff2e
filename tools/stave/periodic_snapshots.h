#ifndef STAVE_TOOLS_STAVE_PERIODIC_SNAPSHOTS_H_
#define STAVE_TOOLS_STAVE_PERIODIC_SNAPSHOTS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/periodic_thread.h"
#include "stave/store.h"

namespace stave::tool {

// A thread that saves a store at intervals, but not when nothing was written
// since it was saved last. For one thread but for the calls that it makes.
//
// Options::snapshot_file has a store do so for programs. For the shell it would
// begin too early, while the same file is being loaded; here the user is told
// of a failure at once, and what was written last is saved, too.
class PeriodicSnapshots {
 public:
  struct Settings {
    Store* store = nullptr;  // borrowed
    absl::Duration interval;
    Clock* clock = SystemClock();  // borrowed
    std::function<absl::Status()> save;
    // Told of each save that has failed, by the thread; it goes on with the
    // next one when its time has come.
    std::function<void(const absl::Status&)> failed;
  };

  // ResourceExhausted if the system makes no more threads.
  static absl::StatusOr<std::unique_ptr<PeriodicSnapshots>> Start(
      Settings settings);

  // Ends the thread, waits for a save that is running, and saves what is left.
  absl::Status Stop();

 private:
  explicit PeriodicSnapshots(Settings settings)
      : settings_(std::move(settings)), saved_writes_(Writes()) {}

  // How much was written since the store was opened.
  uint64_t Writes() const;
  absl::Status SaveIfChanged();

  const Settings settings_;
  uint64_t saved_writes_;  // of the thread while it runs
  std::unique_ptr<PeriodicThread> thread_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_PERIODIC_SNAPSHOTS_H_
