#ifndef STAVE_ENGINE_BASE_ENGINE_CLOCK_H_
#define STAVE_ENGINE_BASE_ENGINE_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "engine/base/clock.h"

namespace stave {

// The time by which keys expire, in milliseconds of Unix time (I12): the date
// when it was made, going on with time that only goes forward, and never below
// a floor that the store remembers. So a clock that is set back revives no
// key; one that is set forward is followed within a minute.
//
// Whoever finds a key expired may tell others, so the floor has to follow:
// this notes when that was, and how far the floor on the device has come.
//
// Thread-safe.
class EngineClock {
 public:
  // `floor_ms` is on the device.
  EngineClock(Clock* clock, int64_t floor_ms);

  int64_t NowMs();
  int64_t floor_ms() const { return floor_ms_; }

  // Whether a key has expired at `now_ms`, which NowMs returned. If so, that
  // is noted; memory that others read is written for it at most once in a
  // millisecond, by all threads together.
  bool HasExpired(int64_t expire_at_ms, int64_t now_ms) {
    if (expire_at_ms > now_ms) return false;
    if (expire_at_ms > expiry_seen_ms()) Raise(&expiry_seen_ms_, now_ms);
    return true;
  }

  // All keys that were found expired had expired by then.
  int64_t expiry_seen_ms() const {
    return expiry_seen_ms_.load(std::memory_order_relaxed);
  }
  // A floor that is on the device.
  int64_t durable_floor_ms() const {
    return durable_floor_ms_.load(std::memory_order_relaxed);
  }
  void FloorIsDurable(int64_t floor_ms) { Raise(&durable_floor_ms_, floor_ms); }
  // Whether a loss of power, and a clock set back, would revive a key that
  // was found expired.
  bool FloorIsDue() const { return durable_floor_ms() < expiry_seen_ms(); }

  // By how much this is ahead of the date.
  int64_t AheadMs();

 private:
  static void Raise(std::atomic<int64_t>* to_ms, int64_t value_ms);
  int64_t ElapsedMs();

  Clock* const clock_;
  const int64_t floor_ms_;
  // Unix time minus ElapsedMs; only grows.
  std::atomic<int64_t> offset_ms_;
  std::atomic<int64_t> looked_at_ms_;  // ElapsedMs of the last look at the date
  // Both only grow. Apart from what every reader reads.
  alignas(64) std::atomic<int64_t> expiry_seen_ms_;
  std::atomic<int64_t> durable_floor_ms_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_ENGINE_CLOCK_H_
