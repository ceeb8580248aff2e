#include "engine/core/write_throttle.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "engine/base/steady_time.h"

namespace stave {
namespace {

// Short waits keep the processor, since a sleep takes 50 us more than was asked
// for; but no more writers do so than leave half of the processors to merges.
// They do not yield: Linux (6.18) takes a slice of time away for each
// sched_yield, so that some threads did not run for a tenth of a second.
// No wait for a delay is longer than 10 ms, in which much can have changed.
constexpr int64_t kLeastDelayNs = 1'000;
constexpr int64_t kLeastSleepNs = 50'000;
constexpr int64_t kLongestSleepNs = 10'000'000;

void SpinUntil(int64_t end_ns) {
  while (SteadyNowNs() < end_ns) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
}

}  // namespace

void WriteThrottle::Set(double delay_ns_per_byte, bool blocked) {
  MutexLock lock(&mutex_);
  delay_ns_per_byte_ = delay_ns_per_byte;
  blocked_ = blocked;
  is_on_ = delay_ns_per_byte > 0 || blocked;
  if (!blocked) unblocked_.SignalAll();
}

void WriteThrottle::Delay(uint64_t bytes) {
  // Less than nothing if a sleep has taken longer than it was to.
  thread_local int64_t owed_ns = 0;
  owed_ns += static_cast<int64_t>(delay_ns_per_byte_.load() *
                                  static_cast<double>(bytes));
  if (owed_ns < kLeastDelayNs && !blocked()) return;
  const int64_t begin = SteadyNowNs();
  if (owed_ns >= kLeastDelayNs) owed_ns = Wait(begin, owed_ns);
  WaitWhileBlocked();
  Count(SteadyNowNs() - begin);
}

void WriteThrottle::AwaitUnblocked() {
  const int64_t begin = SteadyNowNs();
  WaitWhileBlocked();
  Count(SteadyNowNs() - begin);
}

void WriteThrottle::WaitWhileBlocked() {
  if (!blocked()) return;
  MutexLock lock(&mutex_);
  while (blocked()) unblocked_.Wait(&mutex_);
}

int64_t WriteThrottle::Wait(int64_t begin_ns, int64_t owed_ns) {
  static const int most_spinning =
      static_cast<int>(std::thread::hardware_concurrency() / 2);
  if (owed_ns < kLeastSleepNs) {
    const bool may_spin = spinning_.fetch_add(1) < most_spinning;
    if (may_spin) SpinUntil(begin_ns + owed_ns);
    spinning_.fetch_sub(1);
    if (may_spin) return 0;
  }
  const int64_t slept_ns = std::min(owed_ns, kLongestSleepNs);
  std::this_thread::sleep_for(std::chrono::nanoseconds(slept_ns));
  return std::clamp(begin_ns + slept_ns - SteadyNowNs(), -kLongestSleepNs,
                    int64_t{0});
}

void WriteThrottle::Count(int64_t delayed_ns) {
  ++writes_;
  delayed_ns_ += delayed_ns;
  int64_t longest_ns = longest_ns_;
  while (longest_ns < delayed_ns &&
         !longest_ns_.compare_exchange_weak(longest_ns, delayed_ns)) {
  }
}

WriteThrottle::Counters WriteThrottle::counters() const {
  Counters counters;
  counters.writes = writes_;
  counters.delayed = absl::Nanoseconds(delayed_ns_.load());
  counters.longest = absl::Nanoseconds(longest_ns_.load());
  return counters;
}

}  // namespace stave
