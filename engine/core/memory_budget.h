#ifndef STAVE_ENGINE_CORE_MEMORY_BUDGET_H_
#define STAVE_ENGINE_CORE_MEMORY_BUDGET_H_

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "engine/core/state.h"

namespace stave {

// Options::memory_budget_bytes: says when there may be no more new keys. Looks
// at what the keydir takes each time that the log has grown a bit, and before
// it refuses anything, so a put pays one load for it. Thread-safe.
class MemoryBudget {
 public:
  // 0 bytes: there is no budget.
  MemoryBudget(const State* state, uint64_t bytes)
      : state_(*state), bytes_(bytes) {
    Look();
  }

  // Looks again, if there is a budget. Takes no lock, and less than a
  // microsecond.
  void Look() {
    if (bytes_ != 0) LookAgain();
  }

  // False: new keys may be added. True: ask Check before one is.
  bool is_full() const { return is_full_.load(std::memory_order_relaxed); }
  // OK if there is room again, else ResourceExhausted that says what to do.
  absl::Status Check();

 private:
  struct Use {
    uint64_t keydir_bytes = 0;
    uint64_t snapshot_bytes = 0;
  };
  Use LookAgain();

  const State& state_;
  const uint64_t bytes_;
  std::atomic<bool> is_full_{false};
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_MEMORY_BUDGET_H_
