#include "engine/core/publication.h"

#include "absl/time/clock.h"

namespace stave {

void Publication::Await() const {
  const uint64_t last = last_.load(std::memory_order_acquire);
  for (int turn = 0; last != 0; ++turn) {
    if (last_.load(std::memory_order_acquire) != last) return;
    if (turn > 100) absl::SleepFor(absl::Microseconds(20));
  }
}

}  // namespace stave
