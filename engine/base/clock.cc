#include "engine/base/clock.h"

#include <time.h>

#include "absl/time/time.h"

namespace stave {
namespace {

// Both clocks exist on every Linux that stave runs on, so reading them can't
// fail.
timespec Read(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return now;
}

class PosixClock : public Clock {
 public:
  absl::Time WallNow() override {
    return absl::TimeFromTimespec(Read(CLOCK_REALTIME));
  }
  absl::Duration Elapsed() override {
    return absl::DurationFromTimespec(Read(CLOCK_BOOTTIME));
  }
};

}  // namespace

Clock* SystemClock() {
  static Clock* const clock = new PosixClock;
  return clock;
}

}  // namespace stave
