#include "engine/index/hash_keydir.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/base/epoch.h"
#include "gtest/gtest.h"
#include "tests/engine/index/keydir_vocabulary.h"

namespace stave {
namespace {

constexpr KeydirEntry kAbsent;

class HashKeydirTest : public testing::Test {
 protected:
  KeydirEntry Find(const KeyRef& key) const {
    EpochGuard guard;
    return keydir_.Find(key);
  }
  KeydirEntry Put(const KeyRef& key, KeydirEntry entry) {
    const absl::StatusOr<KeydirEntry> replaced = keydir_.Put(key, entry);
    EXPECT_TRUE(replaced.ok()) << replaced.status();
    return replaced.value_or(kAbsent);
  }
  void PutNumbers(uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) Put(Key(i), Entry(i + 1));
  }
  void RemoveNumbers(uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) keydir_.Remove(Key(i));
  }
  uint64_t CountFound(uint64_t begin, uint64_t end) const {
    uint64_t found = 0;
    for (uint64_t i = begin; i < end; ++i) {
      if (Find(Key(i)) == Entry(i + 1)) ++found;
    }
    return found;
  }
  uint64_t Keys() const { return keydir_.GetStatistics().keys; }

  HashKeydir keydir_;
};

TEST_F(HashKeydirTest, EmptyKeydirIsSmall) {
  EXPECT_EQ(Find(Key(1)), kAbsent);
  EXPECT_EQ(Keys(), 0);
  EXPECT_LT(keydir_.GetStatistics().bytes, size_t{64} << 10);
}

TEST_F(HashKeydirTest, PutReturnsTheEntryThatItReplaces) {
  EXPECT_EQ(Put(Key(1), Entry(10)), kAbsent);
  EXPECT_EQ(Put(Key(1), Entry(11)), Entry(10));
  EXPECT_EQ(Find(Key(1)), Entry(11));
  EXPECT_EQ(Keys(), 1);
}

TEST_F(HashKeydirTest, RemovedKeyIsAbsentUntilItComesBack) {
  Put(Key(1), Entry(10));
  EXPECT_EQ(keydir_.Remove(Key(1)), Entry(10));
  EXPECT_EQ(keydir_.Remove(Key(1)), kAbsent);
  EXPECT_EQ(Find(Key(1)), kAbsent);
  EXPECT_EQ(Keys(), 0);
  EXPECT_EQ(Put(Key(1), Entry(11)), kAbsent);
  EXPECT_EQ(Find(Key(1)), Entry(11));
}

TEST_F(HashKeydirTest, RemovingWhatWasNeverThereChangesNothing) {
  EXPECT_EQ(keydir_.Remove(Key(1)), kAbsent);
  Put(Key(1), Entry(10));
  EXPECT_EQ(keydir_.Remove(Key(2)), kAbsent);
  EXPECT_EQ(Keys(), 1);
}

TEST_F(HashKeydirTest, KeysOfOnePrefixAndOtherTagsAreDifferentKeys) {
  for (uint16_t tag = 0; tag < 100; ++tag) Put(KeyOf(7, tag), Entry(tag + 1));
  for (uint16_t tag = 0; tag < 100; tag += 2) keydir_.Remove(KeyOf(7, tag));
  for (uint16_t tag = 0; tag < 100; ++tag) {
    EXPECT_EQ(Find(KeyOf(7, tag)), tag % 2 == 0 ? kAbsent : Entry(tag + 1));
  }
}

TEST_F(HashKeydirTest, KeysThatStartInTheSameLineAreAllFound) {
  for (uint64_t i = 1; i < 400; ++i) Put(KeyOf(i << 32, 0), Entry(i));
  for (uint64_t i = 1; i < 400; ++i) {
    EXPECT_EQ(Find(KeyOf(i << 32, 0)), Entry(i));
  }
}

TEST_F(HashKeydirTest, MoreKeysOfOnePrefixThanFitAPageAreRefused) {
  uint64_t keys = 0;
  absl::Status status;
  while (status.ok()) {
    const KeyRef key = KeyOf(7, static_cast<uint16_t>(keys));
    status = keydir_.Put(key, Entry(1)).status();
    if (status.ok()) ++keys;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Keys(), keys);
  EXPECT_EQ(Find(KeyOf(7, static_cast<uint16_t>(keys - 1))), Entry(1));
  EXPECT_EQ(Find(KeyOf(7, static_cast<uint16_t>(keys))), kAbsent);
}

TEST_F(HashKeydirTest, CompareAndSwapWantsExactlyTheExpectedEntry) {
  EXPECT_FALSE(keydir_.CompareAndSwap(Key(1), Entry(10), Entry(11)));
  Put(Key(1), Entry(10));
  EXPECT_FALSE(keydir_.CompareAndSwap(Key(1), Entry(12), Entry(11)));
  EXPECT_TRUE(keydir_.CompareAndSwap(Key(1), Entry(10), Entry(11)));
  EXPECT_EQ(Find(Key(1)), Entry(11));
}

TEST_F(HashKeydirTest, CompareAndSwapWithAbsentRemovesTheKey) {
  Put(Key(1), Entry(10));
  EXPECT_FALSE(keydir_.CompareAndSwap(Key(1), Entry(11), kAbsent));
  EXPECT_TRUE(keydir_.CompareAndSwap(Key(1), Entry(10), kAbsent));
  EXPECT_EQ(Find(Key(1)), kAbsent);
  EXPECT_EQ(Keys(), 0);
}

TEST_F(HashKeydirTest, OfferIsTakenIfItSupersedesOrNothingIsThere) {
  const auto offer = [this](uint64_t number) {
    const auto supersedes = [number](KeydirEntry present) {
      return number > present.location().unit;
    };
    ASSERT_TRUE(keydir_.Offer(Key(1), Entry(number), supersedes).ok());
  };
  offer(5);
  EXPECT_EQ(Find(Key(1)), Entry(5));
  offer(3);
  EXPECT_EQ(Find(Key(1)), Entry(5));
  offer(8);
  EXPECT_EQ(Find(Key(1)), Entry(8));
}

TEST_F(HashKeydirTest, KeepsItsKeysWhileItGrowsAndShrinks) {
  constexpr uint64_t kMany = 60'000;
  PutNumbers(0, kMany);
  EXPECT_EQ(CountFound(0, kMany), kMany);
  RemoveNumbers(1000, kMany);
  EXPECT_EQ(CountFound(0, kMany), 1000);
  EXPECT_EQ(Keys(), 1000);
  PutNumbers(1000, kMany);
  EXPECT_EQ(CountFound(0, kMany), kMany);
  RemoveNumbers(0, kMany);
  EXPECT_EQ(CountFound(0, kMany), 0);
  EXPECT_EQ(Keys(), 0);
}

TEST_F(HashKeydirTest, SweepPartsAreDisjointAndTogetherEverything) {
  PutNumbers(0, 20'000);
  for (const size_t parts : {1, 3, 2000}) {
    std::multiset<uint64_t> visited;
    for (size_t part = 0; part < parts; ++part) {
      keydir_.Sweep(part, parts, [&](KeydirEntry entry) {
        visited.insert(entry.location().unit);
        return true;
      });
    }
    EXPECT_EQ(visited.size(), 20'000);
    EXPECT_EQ(std::set<uint64_t>(visited.begin(), visited.end()).size(),
              20'000);
  }
}

TEST_F(HashKeydirTest, SweepRemovesWhatIsNotToBeKept) {
  PutNumbers(0, 20'000);
  keydir_.Sweep(
      0, 1, [](KeydirEntry entry) { return entry.location().unit % 10 == 0; });
  EXPECT_EQ(Keys(), 2'000);
  for (uint64_t i = 0; i < 20'000; ++i) {
    EXPECT_EQ(Find(Key(i)), (i + 1) % 10 == 0 ? Entry(i + 1) : kAbsent);
  }
}

// Keys of a few partitions, so that these come to have many pages, and with
// few tags and prefixes, so that they meet.
class HashKeydirModelTest : public HashKeydirTest,
                            public testing::WithParamInterface<uint32_t> {
 protected:
  std::pair<uint64_t, uint16_t> AnyKey() {
    const uint64_t number = Draw(4000);
    uint64_t prefix = Scramble(number) >> 10;
    if (number % 8 == 0) prefix &= ~uint64_t{0xffffffff};  // one start
    if (number % 8 == 1) prefix = prefix >> 44 << 44 | 1;  // one prefix, or two
    return {prefix + 1, static_cast<uint16_t>(Draw(4))};
  }
  uint64_t Draw(uint64_t below) { return random_() % below; }

  // How many changes are removals decides whether the keydir grows.
  void Change(uint64_t removals_in_ten) {
    const auto key = AnyKey();
    const KeyRef ref = KeyOf(key.first, key.second);
    KeydirEntry& present = model_[key];
    const KeydirEntry entry = Entry(++last_entry_);
    if (Draw(10) < removals_in_ten) {
      EXPECT_EQ(keydir_.Remove(ref), present);
      present = kAbsent;
    } else if (Draw(4) == 0) {
      const KeydirEntry expected = Draw(2) == 0 ? present : Entry(1);
      const bool swapped = keydir_.CompareAndSwap(ref, expected, entry);
      EXPECT_EQ(swapped, present != kAbsent && expected == present);
      if (swapped) present = entry;
    } else {
      EXPECT_EQ(Put(ref, entry), present);
      present = entry;
    }
  }
  void CheckAll() {
    uint64_t keys = 0;
    for (const auto& [key, entry] : model_) {
      ASSERT_EQ(Find(KeyOf(key.first, key.second)), entry);
      if (entry != kAbsent) ++keys;
    }
    ASSERT_EQ(Keys(), keys);
  }

  std::mt19937_64 random_{GetParam()};
  std::map<std::pair<uint64_t, uint16_t>, KeydirEntry> model_;
  uint64_t last_entry_ = 1;
};

TEST_P(HashKeydirModelTest, RandomChangesAgreeWithAMap) {
  for (const uint64_t removals_in_ten : {1, 9, 3, 10, 5, 0, 7}) {
    for (int i = 0; i < 20'000; ++i) Change(removals_in_ten);
    CheckAll();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, HashKeydirModelTest, testing::Range(1u, 6u));

// All parts of a keydir, one after another.
struct Copy {
  explicit Copy(HashKeydir& keydir) {
    for (size_t part = 0; part < KeydirCopier::kParts; ++part) {
      std::vector<KeydirPage>& its_pages = pages.emplace_back();
      std::vector<KeydirSlot>& its_slots = slots.emplace_back();
      keydir.CopyPart(part, &its_pages, &its_slots);
      EXPECT_EQ(its_slots.size(), keydir.KeysIn(part));
    }
  }
  absl::Status RestoreTo(HashKeydir* keydir) const {
    for (size_t part = 0; part < KeydirCopier::kParts; ++part) {
      const absl::Status status =
          keydir->RestorePart(part, pages[part], slots[part]);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  std::vector<std::vector<KeydirPage>> pages;
  std::vector<std::vector<KeydirSlot>> slots;
};

TEST_F(HashKeydirTest, ACopyIsTheSameKeydir) {
  for (const uint64_t keys : {0, 1, 10, 3000, 150000}) {
    PutNumbers(0, keys);
    RemoveNumbers(keys / 3, keys / 2);  // leaves dead slots
    HashKeydir copy;
    ASSERT_EQ(Copy(keydir_).RestoreTo(&copy), absl::OkStatus());
    EXPECT_EQ(copy.GetStatistics().keys, Keys());
    EpochGuard guard;
    for (uint64_t i = 0; i < keys + 1000; ++i) {
      ASSERT_EQ(copy.Find(Key(i)), keydir_.Find(Key(i))) << i;
    }
  }
}

TEST_F(HashKeydirTest, ACopyTakesNoMoreMemory) {
  PutNumbers(0, 1000000);
  HashKeydir copy;
  ASSERT_EQ(Copy(keydir_).RestoreTo(&copy), absl::OkStatus());
  EXPECT_LE(copy.GetStatistics().bytes,
            keydir_.GetStatistics().bytes + keydir_.GetStatistics().bytes / 50);
}

TEST_F(HashKeydirTest, ACopyCanBeChangedLikeAnyOther) {
  PutNumbers(0, 100000);
  RemoveNumbers(0, 97000);  // whole pages are empty
  HashKeydir copy;
  ASSERT_EQ(Copy(keydir_).RestoreTo(&copy), absl::OkStatus());
  for (uint64_t i = 0; i < 200000; ++i) {
    const KeydirEntry expected =
        i < 97000 || i >= 100000 ? kAbsent : Entry(i + 1);
    ASSERT_EQ(copy.Put(Key(i), Entry(i + 7)).value_or(kAbsent), expected);
  }
  for (uint64_t i = 0; i < 200000; ++i) {
    ASSERT_EQ(copy.Remove(Key(i)), Entry(i + 7));
  }
  EXPECT_EQ(copy.GetStatistics().keys, 0);
}

TEST_F(HashKeydirTest, WhatIsNoCopyIsRefused) {
  PutNumbers(0, 1000000);
  const Copy good(keydir_);
  const auto refuses = [&good](auto spoil) {
    std::vector<KeydirPage> pages = good.pages[7];
    std::vector<KeydirSlot> slots = good.slots[7];
    spoil(pages, slots);
    HashKeydir keydir;
    return absl::IsDataLoss(keydir.RestorePart(7, pages, slots));
  };
  ASSERT_GE(good.pages[7].size(), 2u);
  using Pages = std::vector<KeydirPage>;
  using Slots = std::vector<KeydirSlot>;
  EXPECT_FALSE(refuses([](Pages&, Slots&) {}));
  EXPECT_TRUE(refuses([](Pages& pages, Slots&) { pages[0].bits = 9; }));
  EXPECT_TRUE(refuses([](Pages& pages, Slots&) { pages[0].bits = 26; }));
  EXPECT_TRUE(refuses([](Pages& pages, Slots&) { pages[1].bits = 25; }));
  EXPECT_TRUE(refuses([](Pages& pages, Slots&) { pages[1].bits = 10; }));
  EXPECT_TRUE(refuses([](Pages& pages, Slots&) { pages[1].keys = 0; }));
  EXPECT_TRUE(refuses([](Pages& pages, Slots&) { pages[1].keys = 482; }));
  EXPECT_TRUE(refuses([](Pages& pages, Slots&) { ++pages.back().keys; }));
  EXPECT_TRUE(refuses([](Pages& pages, Slots&) { --pages.back().keys; }));
  EXPECT_TRUE(refuses([](Pages& pages, Slots&) { pages[0].begin = 0; }));
  EXPECT_TRUE(refuses([](Pages& pages, Slots&) { ++pages[0].begin; }));
  EXPECT_TRUE(
      refuses([](Pages& pages, Slots&) { std::swap(pages[0], pages[1]); }));
  EXPECT_TRUE(refuses([](Pages& pages, Slots&) { pages[1] = pages[0]; }));
  EXPECT_TRUE(refuses([](Pages&, Slots& slots) { slots[0].prefix = 1; }));
  EXPECT_TRUE(refuses([](Pages&, Slots& slots) { slots[5].prefix = ~0ull; }));
  EXPECT_TRUE(refuses([](Pages&, Slots& slots) { slots[5].tagged_entry = 0; }));
}

}  // namespace
}  // namespace stave
