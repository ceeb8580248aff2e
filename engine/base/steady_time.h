#ifndef STAVE_ENGINE_BASE_STEADY_TIME_H_
#define STAVE_ENGINE_BASE_STEADY_TIME_H_

#include <chrono>
#include <cstdint>

namespace stave {

// Nanoseconds since some moment, by a clock that nobody can set: for how long
// something took, and for nothing that a store does. About 25 ns.
inline int64_t SteadyNowNs() {
  return std::chrono::steady_clock::now().time_since_epoch() /
         std::chrono::nanoseconds(1);
}

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_STEADY_TIME_H_
