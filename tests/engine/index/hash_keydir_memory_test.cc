#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "engine/index/hash_keydir.h"
#include "gtest/gtest.h"
#include "tests/engine/index/keydir_vocabulary.h"

namespace stave {
namespace {

constexpr uint64_t kMillion = 1'000'000;
constexpr uint64_t kMiB = uint64_t{1} << 20;

// What the engine promises of its memory, so these tests take a while.
class HashKeydirMemoryTest : public testing::Test {
 protected:
  void PutUpTo(uint64_t end) {
    for (; put_ < end; ++put_) {
      ASSERT_TRUE(keydir_.Put(Key(put_), Entry(put_ + 1)).ok());
    }
  }
  uint64_t Bytes() const { return keydir_.GetStatistics().bytes; }
  uint64_t Keys() const { return keydir_.GetStatistics().keys; }

  HashKeydir keydir_;
  uint64_t put_ = 0;  // keys from 0 on
};

TEST_F(HashKeydirMemoryTest, AKeyTakesTwentyBytesAtEveryCountFromAMillionOn) {
  PutUpTo(kMillion - 10'000);
  while (put_ < 3 * kMillion) {
    PutUpTo(put_ + 10'000);
    ASSERT_EQ(Keys(), put_);
    ASSERT_LE(Bytes(), 20 * put_) << "at " << put_ << " keys";
  }
}

TEST_F(HashKeydirMemoryTest, SmallKeydirsTakeAMebibyteMoreAtMost) {
  while (put_ < 100'000) {
    PutUpTo(put_ + put_ / 8 + 1);
    ASSERT_LE(Bytes(), 24 * put_ + kMiB) << "at " << put_ << " keys";
  }
}

TEST_F(HashKeydirMemoryTest, MemoryOfRemovedKeysIsGivenBack) {
  PutUpTo(2 * kMillion);
  std::vector<uint64_t> numbers(2 * kMillion);
  for (uint64_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
  std::shuffle(numbers.begin(), numbers.end(), std::mt19937_64(1));
  while (!numbers.empty()) {
    for (int i = 0; i < 10'000; ++i) {
      keydir_.Remove(Key(numbers.back()));
      numbers.pop_back();
    }
    ASSERT_EQ(Keys(), numbers.size());
    ASSERT_LE(Bytes(), 40 * Keys() + kMiB) << "at " << Keys() << " keys";
  }
}

TEST_F(HashKeydirMemoryTest, AQueueOfKeysTakesTheSameForEver) {
  PutUpTo(kMillion);
  for (uint64_t removed = 0; removed < 2 * kMillion; ++removed) {
    keydir_.Remove(Key(removed));
    PutUpTo(put_ + 1);
    if (removed % 10'000 == 0) {
      ASSERT_LE(Bytes(), 25 * kMillion);
    }
  }
}

TEST_F(HashKeydirMemoryTest, SweptKeysGiveTheirMemoryBack) {
  PutUpTo(kMillion);
  keydir_.Sweep(
      0, 1, [](KeydirEntry entry) { return entry.location().unit % 100 == 0; });
  EXPECT_EQ(Keys(), kMillion / 100);
  EXPECT_LE(Bytes(), 40 * Keys() + kMiB);
}

}  // namespace
}  // namespace stave
