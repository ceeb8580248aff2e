#include "engine/base/spin_lock.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace stave {
namespace {

TEST(SpinLockTest, ALockIsTakenOnce) {
  SpinLock lock;
  ASSERT_TRUE(lock.TryLock());
  EXPECT_FALSE(lock.TryLock());
  lock.Unlock();
  ASSERT_TRUE(lock.TryLock());
  lock.Unlock();
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
