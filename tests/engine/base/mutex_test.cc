#include "engine/base/mutex.h"

#include <cstdlib>
#include <iostream>
#include <thread>
#include <vector>

#include "absl/base/config.h"
#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

#ifdef ABSL_HAVE_THREAD_SANITIZER
constexpr bool kUnderThreadSanitizer = true;
#else
constexpr bool kUnderThreadSanitizer = false;
#endif

template <typename Body>
void RunInThreads(int count, Body body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body);
  for (std::thread& thread : threads) thread.join();
}

struct Counter {
  Mutex mutex;
  int count ABSL_GUARDED_BY(mutex) = 0;
};

TEST(MutexTest, OneThreadAtATimeHoldsIt) {
  Counter counter;
  RunInThreads(4, [&] {
    for (int i = 0; i < 10'000; ++i) {
      MutexLock lock(&counter.mutex);
      ++counter.count;
    }
  });
  MutexLock lock(&counter.mutex);
  counter.mutex.AssertHeld();
  EXPECT_EQ(counter.count, 40'000);
}

bool AnotherThreadCanLock(Mutex& mutex) {
  bool locked = false;
  std::thread([&] {
    if (!mutex.TryLock()) return;
    locked = true;
    mutex.Unlock();
  }).join();
  return locked;
}

TEST(MutexTest, TryLockFailsWhileAnotherThreadHoldsIt) {
  Mutex mutex;
  EXPECT_TRUE(AnotherThreadCanLock(mutex));
  mutex.Lock();
  EXPECT_FALSE(AnotherThreadCanLock(mutex));
  mutex.Unlock();
  EXPECT_TRUE(AnotherThreadCanLock(mutex));
}

// Hands numbers from one thread to another, one at a time.
class Slot {
 public:
  void Put(int value) {
    MutexLock lock(&mutex_);
    while (full_) changed_.Wait(&mutex_);
    value_ = value;
    full_ = true;
    changed_.Signal();
  }

  int Take() {
    MutexLock lock(&mutex_);
    while (!full_) changed_.WaitWithTimeout(&mutex_, absl::InfiniteDuration());
    full_ = false;
    changed_.Signal();
    return value_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool full_ ABSL_GUARDED_BY(mutex_) = false;
  int value_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(CondVarTest, WaitersWakeWhenSignalled) {
  constexpr int kValues = 1000;
  Slot slot;
  std::thread giver([&slot] {
    for (int i = 0; i < kValues; ++i) slot.Put(i);
  });
  for (int i = 0; i < kValues; ++i) ASSERT_EQ(slot.Take(), i);
  giver.join();
}

TEST(CondVarTest, SignalAllWakesEveryWaiter) {
  Mutex mutex;
  CondVar changed;
  bool go = false;
  std::thread starter([&] {
    MutexLock lock(&mutex);
    go = true;
    changed.SignalAll();
  });
  RunInThreads(3, [&] {
    MutexLock lock(&mutex);
    while (!go) changed.Wait(&mutex);
  });
  starter.join();
}

TEST(CondVarTest, WaitEndsWhenItsTimeHasPassed) {
  Mutex mutex;
  CondVar never;
  MutexLock lock(&mutex);
  while (!never.WaitWithTimeout(&mutex, absl::Milliseconds(1))) continue;
  mutex.AssertHeld();
}

// ThreadSanitizer must know of our locks, and still see what they don't guard.
// These tests let threads count in a process of its own and look how it ends.

void CountLocked(Counter& counter) {
  MutexLock lock(&counter.mutex);
  ++counter.count;
}

void CountUnlocked(Counter& counter) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  ++counter.count;
}

[[noreturn]] void CountInTwoThreadsAndExit(void (*count)(Counter&)) {
  Counter counter;
  RunInThreads(2, [&] { count(counter); });
  std::cerr << "counted" << std::endl;
  std::exit(0);
}

class ThreadSanitizerDeathTest : public testing::Test {
 protected:
  ThreadSanitizerDeathTest() {
    // Forking a process that has had threads would confuse the sanitizer.
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }
};

TEST_F(ThreadSanitizerDeathTest, LockedThreadsGiveNoReport) {
  EXPECT_EXIT(CountInTwoThreadsAndExit(CountLocked), testing::ExitedWithCode(0),
              "^counted");
}

TEST_F(ThreadSanitizerDeathTest, APlantedRaceIsReported) {
  if (!kUnderThreadSanitizer) GTEST_SKIP() << "needs ThreadSanitizer";
  EXPECT_DEATH(CountInTwoThreadsAndExit(CountUnlocked),
               "ThreadSanitizer: data race");
}

}  // namespace
}  // namespace stave
