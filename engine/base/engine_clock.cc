#include "engine/base/engine_clock.h"

#include <algorithm>

#include "engine/base/durability_site.h"

namespace stave {
namespace {

constexpr int64_t kLookEachMs = 30'000;

}  // namespace

EngineClock::EngineClock(Clock* clock, int64_t floor_ms)
    : clock_(clock),
      floor_ms_(floor_ms),
      expiry_seen_ms_(floor_ms),
      durable_floor_ms_(floor_ms) {
  const int64_t elapsed_ms = ElapsedMs();
  offset_ms_ = absl::ToUnixMillis(clock_->WallNow()) - elapsed_ms;
  looked_at_ms_ = elapsed_ms;
}

int64_t EngineClock::ElapsedMs() {
  return absl::ToInt64Milliseconds(clock_->Elapsed());
}

void EngineClock::Raise(std::atomic<int64_t>* to_ms, int64_t value_ms) {
  int64_t known_ms = to_ms->load(std::memory_order_relaxed);
  while (value_ms > known_ms &&
         !to_ms->compare_exchange_weak(known_ms, value_ms)) {
  }
}

int64_t EngineClock::AheadMs() {
  return std::max<int64_t>(NowMs() - absl::ToUnixMillis(clock_->WallNow()), 0);
}

int64_t EngineClock::NowMs() {
  const int64_t elapsed_ms = ElapsedMs();
  if (elapsed_ms - looked_at_ms_.load(std::memory_order_relaxed) >=
      kLookEachMs) {
    looked_at_ms_.store(elapsed_ms, std::memory_order_relaxed);
    const int64_t offset_ms =
        absl::ToUnixMillis(clock_->WallNow()) - elapsed_ms;
    Raise(&offset_ms_, offset_ms);
  }
  return std::max(DURABILITY_SITE(kClockFloor, floor_ms_),
                  elapsed_ms + offset_ms_.load(std::memory_order_relaxed));
}

}  // namespace stave
