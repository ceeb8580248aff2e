#include "engine/core/write_throttle.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "engine/base/steady_time.h"

namespace stave {
namespace {

// What is owed adds up to this before a writer sleeps, as merges could use the
// processor meanwhile: one in a thousand writes waits, or fewer, and none of
// the others. To keep the processor for a microsecond at each write instead
// cost merges on two processors a seventh of their speed, and one write in a
// hundred four times as long.
constexpr int64_t kLeastSleepNs = 1'000'000;
// No sleep is longer, since much can have changed meanwhile.
constexpr int64_t kLongestSleepNs = 10'000'000;

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
  if (owed_ns < kLeastSleepNs && !blocked()) return;
  const int64_t begin = SteadyNowNs();
  if (owed_ns >= kLeastSleepNs) owed_ns = Sleep(begin, owed_ns);
  WaitWhileBlocked();
  Count(SteadyNowNs() - begin);
}

bool WriteThrottle::AwaitUnblocked(absl::Duration period,
                                   absl::FunctionRef<bool()> gives_up) {
  const int64_t begin = SteadyNowNs();
  bool unblocked = WaitWhileBlocked(period);
  while (!unblocked && !gives_up()) unblocked = WaitWhileBlocked(period);
  Count(SteadyNowNs() - begin);
  return unblocked;
}

void WriteThrottle::WaitWhileBlocked() {
  if (!blocked()) return;
  MutexLock lock(&mutex_);
  while (blocked()) unblocked_.Wait(&mutex_);
}

bool WriteThrottle::WaitWhileBlocked(absl::Duration longest) {
  const int64_t end_ns = SteadyNowNs() + absl::ToInt64Nanoseconds(longest);
  MutexLock lock(&mutex_);
  for (int64_t now_ns = SteadyNowNs(); blocked() && now_ns < end_ns;
       now_ns = SteadyNowNs()) {
    unblocked_.WaitWithTimeout(&mutex_, absl::Nanoseconds(end_ns - now_ns));
  }
  return !blocked();
}

int64_t WriteThrottle::Sleep(int64_t begin_ns, int64_t owed_ns) {
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
