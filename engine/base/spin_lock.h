#ifndef STAVE_ENGINE_BASE_SPIN_LOCK_H_
#define STAVE_ENGINE_BASE_SPIN_LOCK_H_

#include <atomic>
#include <chrono>
#include <thread>

#include "absl/base/thread_annotations.h"

namespace stave {

// A lock of one byte, for what is held some hundred nanoseconds and lies by the
// thousand: a Mutex is larger than what it would guard there, and costs more
// than the change. Whoever finds it held looks again and again for some 20 us,
// as long as a cache line or a copy may take; then it sleeps, since the holder
// is waiting for a processor. It does not yield: Linux (6.18) takes a whole
// slice of time away for each sched_yield, and a few hundred of them keep a
// thread from its processor for a tenth of a second.
class ABSL_LOCKABLE SpinLock {
 public:
  SpinLock() = default;
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    while (!TryLock()) WaitUntilFree();
  }
  [[nodiscard]] bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return !held_.exchange(true, std::memory_order_acquire);
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    held_.store(false, std::memory_order_release);
  }

 private:
  void WaitUntilFree() const {
    constexpr int kLooks = 1000;
    for (int look = 0; look < kLooks; ++look) {
      if (!held_.load(std::memory_order_relaxed)) return;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }

  std::atomic<bool> held_{false};
};

// Holds a SpinLock for the length of a scope.
class ABSL_SCOPED_LOCKABLE SpinLockHolder {
 public:
  explicit SpinLockHolder(SpinLock* lock) ABSL_EXCLUSIVE_LOCK_FUNCTION(lock)
      : lock_(lock) {
    lock_->Lock();
  }
  ~SpinLockHolder() ABSL_UNLOCK_FUNCTION() { lock_->Unlock(); }
  SpinLockHolder(const SpinLockHolder&) = delete;
  SpinLockHolder& operator=(const SpinLockHolder&) = delete;

 private:
  SpinLock* const lock_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_SPIN_LOCK_H_
