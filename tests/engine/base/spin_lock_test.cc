#include "engine/base/spin_lock.h"

#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

// The analysis can't see that what fails here is meant to.
bool CanBeTaken(SpinLock& lock) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!lock.TryLock()) return false;
  lock.Unlock();
  return true;
}

TEST(SpinLockTest, ALockIsTakenOnce) {
  SpinLock lock;
  {
    SpinLockHolder hold(&lock);
    EXPECT_FALSE(CanBeTaken(lock));
  }
  EXPECT_TRUE(CanBeTaken(lock));
}

TEST(SpinLockTest, OneThreadAtATimeIsInside) {
  SpinLock lock;
  int count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int times = 0; times < 10'000; ++times) {
        SpinLockHolder hold(&lock);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 40'000);
}

}  // namespace
}  // namespace stave
