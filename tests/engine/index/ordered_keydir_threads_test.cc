#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/epoch.h"
#include "engine/index/keydir.h"
#include "engine/index/ordered_keydir.h"
#include "gtest/gtest.h"
#include "tests/engine/index/keydir_vocabulary.h"

namespace stave {
namespace {

// Entry numbers of one key differ by multiples of this.
constexpr uint64_t kRound = 1'000'000;
constexpr uint64_t kOthersPerStaying = 20;
constexpr uint64_t kStaying = 200;

class OrderedKeydirThreadsTest : public testing::Test {
 protected:
  static void InThreads(const std::vector<std::function<void()>>& tasks) {
    std::vector<std::thread> threads;
    for (const std::function<void()>& task : tasks) threads.emplace_back(task);
    for (std::thread& thread : threads) thread.join();
  }

  // Others are the neighbours of those that stay.
  static std::string NameOf(uint64_t number) {
    return "key" + std::to_string(kRound + number);
  }
  static bool Stays(uint64_t number) { return number % kOthersPerStaying == 0; }
  void Put(uint64_t number, uint64_t round) {
    EXPECT_TRUE(
        keydir_.Put({NameOf(number), {}}, Entry(round * kRound + number + 1))
            .ok());
  }
  void PutStaying(uint64_t round) {
    for (uint64_t i = 0; i < kStaying; ++i) Put(i * kOthersPerStaying, round);
  }
  void LetOthersComeAndGo() {
    for (int times = 0; times < 3; ++times) {
      for (uint64_t i = 0; i < kStaying * kOthersPerStaying; ++i) {
        if (!Stays(i)) Put(i, 0);
      }
      for (uint64_t i = 0; i < kStaying * kOthersPerStaying; ++i) {
        if (!Stays(i)) keydir_.Remove({NameOf(i), {}});
      }
    }
  }
  bool IsThere(uint64_t number) const {
    EpochGuard guard;
    const KeydirEntry entry = keydir_.Find({NameOf(number), {}});
    return entry.location().unit % kRound == number + 1;
  }
  // How many of those that stay a walk meets, each in its place.
  uint64_t CountForward() const {
    uint64_t staying = 0;
    std::string from;
    while (true) {
      EpochGuard guard;
      KeyRun run(KeyRun::Keys::kAll);
      keydir_.CopyFrom(from, 16, &run);
      if (run.empty()) return staying;
      for (size_t i = 0; i < run.size(); ++i) {
        EXPECT_GE(run.key(i), from);
        from = std::string(run.key(i)) + '\0';
        if (Stays(run.entry(i).location().unit % kRound - 1)) ++staying;
      }
    }
  }
  uint64_t CountBackward() const {
    uint64_t staying = 0;
    std::optional<std::string> before;
    while (true) {
      EpochGuard guard;
      KeyRun run(KeyRun::Keys::kAll);
      keydir_.CopyBefore(before, 16, &run);
      if (run.empty()) return staying;
      for (size_t i = run.size(); i-- > 0;) {
        EXPECT_TRUE(!before.has_value() || run.key(i) < *before);
        before = std::string(run.key(i));
        if (Stays(run.entry(i).location().unit % kRound - 1)) ++staying;
      }
    }
  }

  OrderedKeydir keydir_;
};

TEST_F(OrderedKeydirThreadsTest, ReadersFindWhatStaysWhileOthersComeAndGo) {
  PutStaying(0);
  std::atomic<int> writers{2};
  std::atomic<uint64_t> missed{0};
  const auto read = [&] {
    while (writers.load() != 0) {
      for (uint64_t i = 0; i < kStaying; ++i) {
        if (!IsThere(i * kOthersPerStaying)) missed.fetch_add(1);
      }
    }
  };
  const auto walk = [&] {
    while (writers.load() != 0) {
      missed.fetch_add(kStaying - CountForward());
      missed.fetch_add(kStaying - CountBackward());
    }
  };
  const auto update = [&] {
    for (uint64_t round = 1; round < 20; ++round) PutStaying(round);
    writers.fetch_sub(1);
  };
  const auto come_and_go = [&] {
    LetOthersComeAndGo();
    writers.fetch_sub(1);
  };
  InThreads({read, walk, update, come_and_go});
  EXPECT_EQ(missed.load(), 0);
  EXPECT_EQ(keydir_.GetStatistics().keys, kStaying);
}

TEST_F(OrderedKeydirThreadsTest, NoTwoThreadsSwapTheSameEntry) {
  constexpr uint64_t kIncrements = 2'000;
  Put(0, 0);
  const KeyRef key{"key1000000", {}};
  const auto increment = [&] {
    for (uint64_t i = 0; i < kIncrements; ++i) {
      KeydirEntry present;
      do {
        EpochGuard guard;
        present = keydir_.Find(key);
      } while (!keydir_.CompareAndSwap(key, present,
                                       Entry(present.location().unit + 1)));
    }
  };
  std::atomic<bool> done{false};
  InThreads({increment, increment,
             [&] {
               increment();
               done.store(true);
             },
             [&] {
               while (!done.load()) LetOthersComeAndGo();
             }});
  EpochGuard guard;
  EXPECT_EQ(keydir_.Find(key), Entry(1 + 3 * kIncrements));
}

TEST_F(OrderedKeydirThreadsTest, SweepVisitsWhatStaysOnceWhileOthersComeAndGo) {
  PutStaying(0);
  std::atomic<bool> done{false};
  uint64_t sweeps_that_went_wrong = 0;
  InThreads({[&] {
               while (!done.load()) {
                 uint64_t staying = 0;
                 keydir_.Sweep(0, 1, [&](KeydirEntry entry) {
                   if (Stays(entry.location().unit - 1)) ++staying;
                   return true;
                 });
                 if (staying != kStaying) ++sweeps_that_went_wrong;
               }
             },
             [&] {
               LetOthersComeAndGo();
               done.store(true);
             }});
  EXPECT_EQ(sweeps_that_went_wrong, 0);
}

}  // namespace
}  // namespace stave
