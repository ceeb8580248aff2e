#include "engine/base/epoch.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace stave {
namespace {

// A thread that enters and leaves guards as it is told.
class Reader {
 public:
  Reader() : thread_([this] { Run(); }) {}
  ~Reader() {
    Do(kEnd);
    thread_.join();
  }
  void Enter() { Do(kEnter); }
  void Leave() { Do(kLeave); }

 private:
  enum Order { kNone, kEnter, kLeave, kEnd };

  void Do(Order order) {
    order_.store(order);
    while (order_.load() != kNone) std::this_thread::yield();
  }
  void Run() {
    std::optional<EpochGuard> guard;
    for (bool end = false; !end;) {
      Order order = kNone;
      while ((order = order_.load()) == kNone) std::this_thread::yield();
      if (order == kEnter) guard.emplace();
      if (order == kLeave) guard.reset();
      end = order == kEnd;
      order_.store(kNone);
    }
  }

  std::atomic<Order> order_{kNone};
  std::thread thread_;
};

TEST(EpochTest, WithoutReadersAnEpochPassesAtOnce) {
  EXPECT_TRUE(EpochHasPassed(RetireEpoch()));
}

TEST(EpochTest, EpochsAreNumberedInTheirOrder) {
  const uint64_t first = RetireEpoch();
  EXPECT_GT(RetireEpoch(), first);
}

TEST(EpochTest, AnEpochDoesNotPassWhileAGuardOfItIsHeld) {
  Reader reader;
  reader.Enter();
  const uint64_t epoch = RetireEpoch();
  EXPECT_FALSE(EpochHasPassed(epoch));
  EXPECT_FALSE(EpochHasPassed(epoch));
  reader.Leave();
  EXPECT_TRUE(EpochHasPassed(epoch));
}

TEST(EpochTest, AGuardOfThisThreadCountsAsWell) {
  std::optional<EpochGuard> guard(std::in_place);
  const uint64_t epoch = RetireEpoch();
  EXPECT_FALSE(EpochHasPassed(epoch));
  guard.reset();
  EXPECT_TRUE(EpochHasPassed(epoch));
}

TEST(EpochTest, AGuardOfALaterEpochDoesNotHoldUpAnEarlierOne) {
  Reader reader;
  const uint64_t epoch = RetireEpoch();
  reader.Enter();
  EXPECT_TRUE(EpochHasPassed(epoch));
  EXPECT_FALSE(EpochHasPassed(RetireEpoch()));
}

TEST(EpochTest, TheOldestGuardDecides) {
  Reader old_reader;
  Reader new_reader;
  old_reader.Enter();
  const uint64_t old_epoch = RetireEpoch();
  new_reader.Enter();
  const uint64_t new_epoch = RetireEpoch();
  old_reader.Leave();
  EXPECT_TRUE(EpochHasPassed(old_epoch));
  EXPECT_FALSE(EpochHasPassed(new_epoch));
  new_reader.Leave();
  EXPECT_TRUE(EpochHasPassed(new_epoch));
}

TEST(EpochTest, OfNestedGuardsTheOuterOneCounts) {
  std::optional<EpochGuard> outer(std::in_place);
  const uint64_t epoch = RetireEpoch();
  { EpochGuard inner; }
  EXPECT_FALSE(EpochHasPassed(epoch));
  outer.reset();
  EXPECT_TRUE(EpochHasPassed(epoch));
}

TEST(EpochTest, ThreadsThatEndHoldNothingUp) {
  for (int i = 0; i < 200; ++i) {
    std::thread([] { EpochGuard guard; }).join();
  }
  EXPECT_TRUE(EpochHasPassed(RetireEpoch()));
}

TEST(EpochTest, AGuardMayBeHeldByDestructorsOfAThreadsObjects) {
  struct Object {
    ~Object() { EpochGuard guard; }
  };
  std::thread([] {
    thread_local Object object;
    (void)object;
    EpochGuard guard;
  }).join();
  EXPECT_TRUE(EpochHasPassed(RetireEpoch()));
}

TEST(EpochTest, WaitingEndsOnceReadersHaveLeft) {
  Reader reader;
  reader.Enter();
  std::atomic<bool> left{false};
  std::thread waiter([&] {
    WaitForReaders();
    EXPECT_TRUE(left.load());
  });
  left.store(true);
  reader.Leave();
  waiter.join();
}

// The canary of all the rest: what is taken out of reach is overwritten as soon
// as its epoch has passed, and no reader may notice.
TEST(EpochTest, ReadersNeverSeeWhatWasReclaimed) {
  constexpr int kObjects = 20'000;
  std::vector<int> objects(kObjects, 1);
  std::atomic<const int*> current{&objects[0]};
  std::atomic<bool> done{false};
  std::atomic<int> reclaimed_seen{0};
  const auto read = [&] {
    while (!done.load()) {
      EpochGuard guard;
      if (*current.load(std::memory_order_acquire) != 1) ++reclaimed_seen;
    }
  };
  std::thread first(read);
  std::thread second(read);
  for (int i = 1; i < kObjects; ++i) {
    current.store(&objects[i], std::memory_order_release);
    const uint64_t epoch = RetireEpoch();
    if (i % 10 == 0) {
      while (!EpochHasPassed(epoch)) std::this_thread::yield();
      for (int old = i - 10; old < i; ++old) objects[old] = 0;
    }
  }
  done.store(true);
  first.join();
  second.join();
  EXPECT_EQ(reclaimed_seen.load(), 0);
}

}  // namespace
}  // namespace stave
