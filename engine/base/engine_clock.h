#ifndef STAVE_ENGINE_BASE_ENGINE_CLOCK_H_
#define STAVE_ENGINE_BASE_ENGINE_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "engine/base/clock.h"

namespace stave {

// The time by which keys expire, in milliseconds of Unix time (I12): the date
// when it was made, going on with time that only goes forward, and never below
// a floor that the store remembers. So a clock that is set back revives no
// key; one that is set forward is followed within a minute. Thread-safe.
class EngineClock {
 public:
  EngineClock(Clock* clock, int64_t floor_ms);

  int64_t NowMs();

 private:
  int64_t ElapsedMs();

  Clock* const clock_;
  const int64_t floor_ms_;
  // Unix time minus ElapsedMs; only grows.
  std::atomic<int64_t> offset_ms_;
  std::atomic<int64_t> looked_at_ms_;  // ElapsedMs of the last look at the date
};

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_ENGINE_CLOCK_H_
