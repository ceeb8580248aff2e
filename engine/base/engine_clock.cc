#include "engine/base/engine_clock.h"

#include <algorithm>

namespace stave {
namespace {

constexpr int64_t kLookEachMs = 30'000;

}  // namespace

EngineClock::EngineClock(Clock* clock, int64_t floor_ms)
    : clock_(clock), floor_ms_(floor_ms) {
  const int64_t elapsed_ms = ElapsedMs();
  offset_ms_ = absl::ToUnixMillis(clock_->WallNow()) - elapsed_ms;
  looked_at_ms_ = elapsed_ms;
}

int64_t EngineClock::ElapsedMs() {
  return absl::ToInt64Milliseconds(clock_->Elapsed());
}

int64_t EngineClock::NowMs() {
  const int64_t elapsed_ms = ElapsedMs();
  if (elapsed_ms - looked_at_ms_.load(std::memory_order_relaxed) >=
      kLookEachMs) {
    looked_at_ms_.store(elapsed_ms, std::memory_order_relaxed);
    const int64_t offset_ms =
        absl::ToUnixMillis(clock_->WallNow()) - elapsed_ms;
    int64_t known_ms = offset_ms_.load(std::memory_order_relaxed);
    while (offset_ms > known_ms &&
           !offset_ms_.compare_exchange_weak(known_ms, offset_ms)) {
    }
  }
  return std::max(floor_ms_,
                  elapsed_ms + offset_ms_.load(std::memory_order_relaxed));
}

}  // namespace stave
