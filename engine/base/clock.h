#ifndef STAVE_ENGINE_BASE_CLOCK_H_
#define STAVE_ENGINE_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace stave {

// The two notions of time that the engine needs. Thread-safe. A simulated
// clock takes the place of the operating system's in tests.
class Clock {
 public:
  virtual ~Clock() = default;

  // The date, which may be set forward and back at any moment.
  virtual absl::Time WallNow() = 0;

  // Time that only goes forward, from an unknown start, while the machine
  // sleeps too (CLOCK_BOOTTIME).
  virtual absl::Duration Elapsed() = 0;
};

// The operating system's clocks; never destroyed.
Clock* SystemClock();

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_CLOCK_H_
