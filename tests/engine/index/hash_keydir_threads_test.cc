#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "engine/base/epoch.h"
#include "engine/index/hash_keydir.h"
#include "gtest/gtest.h"
#include "tests/engine/index/keydir_vocabulary.h"

namespace stave {
namespace {

// Entry numbers of one key differ by multiples of this.
constexpr uint64_t kRound = 1'000'000;
constexpr uint64_t kStaying = 500;
constexpr uint64_t kOthers = 20'000;

class HashKeydirThreadsTest : public testing::Test {
 protected:
  // Each thread does one of `tasks`; returns when all are done.
  static void InThreads(const std::vector<std::function<void()>>& tasks) {
    std::vector<std::thread> threads;
    for (const std::function<void()>& task : tasks) threads.emplace_back(task);
    for (std::thread& thread : threads) thread.join();
  }

  void Put(uint64_t number, uint64_t round) {
    const KeydirEntry entry = Entry(round * kRound + number + 1);
    EXPECT_TRUE(keydir_.Put(Key(number), entry).ok());
  }
  // Whether the key is there, with an entry that it had in some round.
  bool IsThere(uint64_t number) const {
    EpochGuard guard;
    const KeydirEntry entry = keydir_.Find(Key(number));
    return entry.location().unit % kRound == number + 1;
  }
  void PutStaying(uint64_t round) {
    for (uint64_t i = 0; i < kStaying; ++i) Put(i, round);
  }
  void LetOthersComeAndGo() {
    for (int times = 0; times < 2; ++times) {
      for (uint64_t i = kStaying; i < kOthers; ++i) Put(i, 0);
      for (uint64_t i = kStaying; i < kOthers; ++i) keydir_.Remove(Key(i));
    }
  }

  HashKeydir keydir_;
};

TEST_F(HashKeydirThreadsTest, ReadersFindWhatStaysWhileOthersComeAndGo) {
  PutStaying(0);
  std::atomic<int> writers{2};
  std::atomic<uint64_t> missed{0};
  const auto read = [&] {
    while (writers.load() != 0) {
      for (uint64_t i = 0; i < kStaying; ++i) {
        if (!IsThere(i)) missed.fetch_add(1);
      }
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
  InThreads({read, read, update, come_and_go});
  EXPECT_EQ(missed.load(), 0);
  EXPECT_EQ(keydir_.GetStatistics().keys, kStaying);
}

TEST_F(HashKeydirThreadsTest, ReadersInBatchesFindWhatTheyPrefetched) {
  PutStaying(0);
  std::atomic<bool> done{false};
  std::atomic<uint64_t> missed{0};
  const auto read = [&] {
    while (!done.load()) {
      EpochGuard guard;
      for (uint64_t i = 0; i < 64; ++i) keydir_.Prefetch(Key(i));
      for (uint64_t i = 0; i < 64; ++i) {
        if (!IsThere(i)) missed.fetch_add(1);
      }
    }
  };
  InThreads({read, [&] {
               LetOthersComeAndGo();
               done.store(true);
             }});
  EXPECT_EQ(missed.load(), 0);
}

TEST_F(HashKeydirThreadsTest, OffersFromSeveralThreadsLeaveTheLatest) {
  constexpr uint64_t kThreads = 4;
  const auto offer = [this](uint64_t thread) {
    for (uint64_t i = 0; i < kOthers; ++i) {
      const uint64_t round = (i + thread) % kThreads;
      const KeydirEntry entry = Entry(round * kRound + i + 1);
      const auto supersedes = [&](KeydirEntry present) {
        return present.location().unit < entry.location().unit;
      };
      EXPECT_TRUE(keydir_.Offer(Key(i), entry, supersedes).ok());
    }
  };
  InThreads({[&] { offer(0); }, [&] { offer(1); }, [&] { offer(2); },
             [&] { offer(3); }});
  EpochGuard guard;
  for (uint64_t i = 0; i < kOthers; ++i) {
    EXPECT_EQ(keydir_.Find(Key(i)), Entry((kThreads - 1) * kRound + i + 1));
  }
}

TEST_F(HashKeydirThreadsTest, NoTwoThreadsSwapTheSameEntry) {
  constexpr uint64_t kIncrements = 2'000;
  Put(0, 0);
  const auto increment = [this] {
    for (uint64_t i = 0; i < kIncrements; ++i) {
      KeydirEntry present;
      do {
        EpochGuard guard;
        present = keydir_.Find(Key(0));
      } while (!keydir_.CompareAndSwap(Key(0), present,
                                       Entry(present.location().unit + 1)));
    }
  };
  InThreads({increment, increment, increment});
  EpochGuard guard;
  EXPECT_EQ(keydir_.Find(Key(0)), Entry(1 + 3 * kIncrements));
}

TEST_F(HashKeydirThreadsTest, SweepVisitsWhatStaysOnceWhileOthersComeAndGo) {
  PutStaying(0);
  std::atomic<bool> done{false};
  uint64_t sweeps_that_went_wrong = 0;
  const auto sweep = [&] {
    while (!done.load()) {
      std::vector<int> visits(kOthers);
      keydir_.Sweep(0, 1, [&](KeydirEntry entry) {
        ++visits[entry.location().unit - 1];
        return true;
      });
      for (uint64_t i = 0; i < kOthers; ++i) {
        const bool wrong = i < kStaying ? visits[i] != 1 : visits[i] > 1;
        if (wrong) ++sweeps_that_went_wrong;
      }
    }
  };
  InThreads({sweep, [&] {
               LetOthersComeAndGo();
               done.store(true);
             }});
  EXPECT_EQ(sweeps_that_went_wrong, 0);
}

TEST_F(HashKeydirThreadsTest, SweepsOfAllPartsAtOnceRemoveEverything) {
  for (uint64_t i = 0; i < kOthers; ++i) Put(i, 0);
  std::vector<std::function<void()>> sweeps;
  for (size_t part = 0; part < 4; ++part) {
    sweeps.emplace_back([this, part] {
      keydir_.Sweep(part, 4, [](KeydirEntry) { return false; });
    });
  }
  InThreads(sweeps);
  EXPECT_EQ(keydir_.GetStatistics().keys, 0);
}

}  // namespace
}  // namespace stave
