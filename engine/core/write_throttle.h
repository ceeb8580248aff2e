#ifndef STAVE_ENGINE_CORE_WRITE_THROTTLE_H_
#define STAVE_ENGINE_CORE_WRITE_THROTTLE_H_

#include <atomic>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "engine/base/mutex.h"

namespace stave {

// Makes writers slower, or wait, so that merges can follow. Who knows how far
// these are behind says what is asked of each byte; writers pay it before they
// write, without any lock.
//
//  * What a writer owes it sleeps for when that has become a millisecond: few
//    writes wait at all, and merges have the processor while they do.
//  * Where writes are blocked they wait for as long as they are.
//  * Where nothing is asked, a write pays one load.
//
// Thread-safe.
class WriteThrottle {
 public:
  // What is asked from now on. Who blocks writes sees to it that it is called
  // again.
  void Set(double delay_ns_per_byte, bool blocked);
  void Release() { Set(0, false); }

  // Before `bytes` are written, without any lock: waits.
  void Admit(uint64_t bytes) {
    if (is_on()) [[unlikely]]
      Delay(bytes);
  }

  // For as long as writes are blocked: waits, and asks after each `period`,
  // without a lock, whether to give up, which is false.
  bool AwaitUnblocked(absl::Duration period,
                      absl::FunctionRef<bool()> gives_up);

  bool is_on() const { return is_on_.load(std::memory_order_relaxed); }
  bool blocked() const { return blocked_.load(std::memory_order_relaxed); }

  struct Counters {
    uint64_t writes = 0;     // that had to wait
    absl::Duration delayed;  // all writers together
    absl::Duration longest;  // of one write
  };
  Counters counters() const;

 private:
  void Delay(uint64_t bytes);
  void WaitWhileBlocked();
  // For so long at most; whether writes are not blocked any more.
  bool WaitWhileBlocked(absl::Duration longest);
  // Returns what is owed still: less than nothing if it took longer.
  int64_t Sleep(int64_t begin_ns, int64_t owed_ns);
  void Count(int64_t delayed_ns);

  Mutex mutex_;
  CondVar unblocked_;
  // Changed together, under the lock; is_on_ says whether either of the others
  // asks for anything.
  std::atomic<bool> is_on_{false};
  std::atomic<bool> blocked_{false};
  std::atomic<double> delay_ns_per_byte_{0};

  std::atomic<uint64_t> writes_{0};
  std::atomic<int64_t> delayed_ns_{0};
  std::atomic<int64_t> longest_ns_{0};
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_WRITE_THROTTLE_H_
