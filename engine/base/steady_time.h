#ifndef STAVE_ENGINE_BASE_STEADY_TIME_H_
#define STAVE_ENGINE_BASE_STEADY_TIME_H_

#include <chrono>
#include <cstdint>

#include "absl/time/time.h"

namespace stave {

// Nanoseconds since some moment, by a clock that nobody can set: for how long
// something took or is to wait, and for nothing that is stored. About 25 ns.
inline int64_t SteadyNowNs() {
  return std::chrono::steady_clock::now().time_since_epoch() /
         std::chrono::nanoseconds(1);
}

// The same as a duration.
inline absl::Duration SteadyNow() { return absl::Nanoseconds(SteadyNowNs()); }

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_STEADY_TIME_H_
