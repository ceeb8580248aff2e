#include "engine/index/ordered_keydir.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/epoch.h"
#include "engine/index/keydir.h"
#include "gtest/gtest.h"
#include "tests/engine/index/keydir_vocabulary.h"

namespace stave {
namespace {

class OrderedKeydirTest : public testing::Test {
 protected:
  static constexpr size_t kAll = SIZE_MAX;

  void Put(std::string_view key, uint64_t number = 1) {
    EXPECT_TRUE(keydir_.Put({key, {}}, Entry(number)).ok());
  }
  KeydirEntry Remove(std::string_view key) { return keydir_.Remove({key, {}}); }
  KeydirEntry Find(std::string_view key) const {
    EpochGuard guard;
    return keydir_.Find({key, {}});
  }
  // What is there from `from` on, `most` keys at a time.
  std::vector<std::string> Forward(std::string from = "",
                                   size_t most = 7) const {
    std::vector<std::string> keys;
    while (true) {
      EpochGuard guard;
      KeyRun run(KeyRun::Keys::kAll);
      keydir_.CopyFrom(from, most, &run);
      if (run.empty()) return keys;
      for (size_t i = 0; i < run.size(); ++i) keys.emplace_back(run.key(i));
      from = keys.back() + '\0';
    }
  }
  std::vector<std::string> Backward(std::optional<std::string> before = {},
                                    size_t most = 7) const {
    std::vector<std::string> keys;
    while (true) {
      EpochGuard guard;
      KeyRun run(KeyRun::Keys::kAll);
      keydir_.CopyBefore(before, most, &run);
      if (run.empty()) return keys;
      for (size_t i = run.size(); i-- > 0;) keys.emplace_back(run.key(i));
      before = keys.back();
    }
  }
  uint64_t keys() const { return keydir_.GetStatistics().keys; }
  uint64_t bytes() const { return keydir_.GetStatistics().bytes; }

  OrderedKeydir keydir_;
};

TEST_F(OrderedKeydirTest, AnEmptyOneHasNoKeys) {
  EXPECT_TRUE(Find("a").absent());
  EXPECT_TRUE(Remove("a").absent());
  EXPECT_TRUE(Forward().empty());
  EXPECT_TRUE(Backward().empty());
  EXPECT_EQ(keys(), 0);
}

TEST_F(OrderedKeydirTest, KeysAreInByteOrderWhateverOrderTheyComeIn) {
  const std::vector<std::string> sorted = {std::string("\0", 1),
                                           std::string("\0\0", 2),
                                           "a",
                                           std::string("a\0", 2),
                                           "aa",
                                           "ab",
                                           "b",
                                           "\x7f",
                                           "\x80",
                                           "\xff",
                                           "\xff\xff"};
  for (const size_t i : {6, 2, 9, 0, 4, 10, 3, 1, 8, 5, 7}) Put(sorted[i]);
  EXPECT_EQ(Forward(), sorted);
  EXPECT_EQ(Backward(),
            std::vector<std::string>(sorted.rbegin(), sorted.rend()));
}

TEST_F(OrderedKeydirTest, PutReturnsTheEntryThatItReplaces) {
  EXPECT_TRUE(keydir_.Put({"a", {}}, Entry(1))->absent());
  EXPECT_EQ(*keydir_.Put({"a", {}}, Entry(2)), Entry(1));
  EXPECT_EQ(Find("a"), Entry(2));
  EXPECT_EQ(keys(), 1);
}

TEST_F(OrderedKeydirTest, CompareAndSwapWantsExactlyTheExpectedEntry) {
  Put("a", 1);
  EXPECT_FALSE(keydir_.CompareAndSwap({"a", {}}, Entry(2), Entry(3)));
  EXPECT_FALSE(keydir_.CompareAndSwap({"b", {}}, Entry(1), Entry(3)));
  EXPECT_TRUE(keydir_.CompareAndSwap({"a", {}}, Entry(1), Entry(3)));
  EXPECT_EQ(Find("a"), Entry(3));
  EXPECT_TRUE(keydir_.CompareAndSwap({"a", {}}, Entry(3), KeydirEntry()));
  EXPECT_EQ(keys(), 0);
}

TEST_F(OrderedKeydirTest, SweepVisitsEachKeyAndRemovesWhatIsNotToBeKept) {
  for (uint64_t i = 1; i <= 5000; ++i) Put(std::to_string(i), i);
  std::vector<int> visits(5001);
  for (size_t part = 0; part < 3; ++part) {
    keydir_.Sweep(part, 3, [&](KeydirEntry entry) {
      ++visits[entry.location().unit];
      return entry.location().unit % 100 == 0;
    });
  }
  EXPECT_EQ(visits, [] {
    std::vector<int> once(5001, 1);
    once[0] = 0;
    return once;
  }());
  EXPECT_EQ(keys(), 50);
  EXPECT_EQ(Forward().size(), 50);
}

TEST_F(OrderedKeydirTest, TheLongestKeysAreKeptApart) {
  std::vector<std::string> sorted;
  for (const char last : {'a', 'b', 'c', 'd', 'e', 'f', 'g'}) {
    // Neighbours share all but the last byte, or nothing at all.
    sorted.push_back(std::string(65534, last) + 'x');
    sorted.push_back(std::string(65534, last) + 'y');
  }
  for (size_t i = 0; i < sorted.size(); ++i) {
    Put(sorted[i * 5 % sorted.size()]);
    for (const char c : {'a', 'd', 'g'}) Put(std::string(i + 1, c));
  }
  for (const std::string& key : sorted) EXPECT_EQ(Find(key), Entry(1));
  EXPECT_TRUE(Find(std::string(65535, 'a')).absent());
  EXPECT_EQ(keys(), sorted.size() + 3 * sorted.size());
  for (const std::string& key : sorted) EXPECT_EQ(Remove(key), Entry(1));
  EXPECT_EQ(Forward().size(), 3 * sorted.size());
}

TEST_F(OrderedKeydirTest, WhatComesInOrderFillsItsPages) {
  // So many that pages which wait for being freed, 256 KiB, are little of it.
  for (uint64_t i = 0; i < 300'000; ++i) Put(std::to_string(1'000'000 + i));
  EXPECT_LT(bytes(), 300'000 * 18);
}

TEST_F(OrderedKeydirTest, AKeyTakesTwentyFourBytesAndWhatItDoesNotShare) {
  std::mt19937_64 random(1);
  for (const size_t shared : {0, 4, 50, 200}) {
    OrderedKeydir keydir;
    std::map<std::string, int> all;
    for (int i = 0; i < 50'000; ++i) {
      const uint64_t number = random();
      std::string key(shared, 'p');
      key.append(reinterpret_cast<const char*>(&number), sizeof(number));
      all[key] = 1;
      EXPECT_TRUE(keydir.Put({key, {}}, Entry(1)).ok());
    }
    uint64_t unshared = 0;
    std::string_view previous;
    for (const auto& [key, one] : all) {
      unshared += key.size() - CommonBytes(previous, key);
      previous = key;
    }
    EXPECT_LE(keydir.GetStatistics().bytes, all.size() * 24 + unshared)
        << "of a prefix of " << shared;
  }
}

TEST_F(OrderedKeydirTest, MemoryOfRemovedKeysIsGivenBack) {
  for (uint64_t i = 0; i < 50'000; ++i) Put(std::to_string(i));
  for (uint64_t i = 0; i < 50'000; ++i) {
    if (i % 100 != 0) Remove(std::to_string(i));
  }
  EXPECT_LT(bytes(), 500 * 40 + (1 << 20));
  for (uint64_t i = 0; i < 50'000; i += 100) {
    EXPECT_EQ(Find(std::to_string(i)), Entry(1));
  }
}

TEST_F(OrderedKeydirTest, ManyOfferedInOrderAreAsIfOfferedOneByOne) {
  std::mt19937_64 random(5);
  std::map<std::string, uint64_t> model;
  uint64_t number = 0;
  for (int times = 0; times < 30; ++times) {
    std::multimap<std::string, uint64_t> sorted;
    for (uint64_t i = random() % 700; i > 0; --i) {
      const std::string key = std::to_string(random() % 5000);
      // Later ones are not greater every time.
      sorted.emplace(key, ++number ^ random() % 1000);
    }
    std::vector<KeyOrder::Offered> offers;
    for (const auto& [key, each] : sorted) {
      offers.push_back({{key, {}}, Entry(each + 1)});
      model[key] = std::max(model[key], each + 1);
    }
    const auto is_later = [](KeydirEntry a, KeydirEntry b) {
      return a.location().unit > b.location().unit;
    };
    EXPECT_TRUE(keydir_.OfferInOrder(offers, is_later).ok());
    ASSERT_EQ(keys(), model.size());
    for (const auto& [key, each] : model) ASSERT_EQ(Find(key), Entry(each));
    ASSERT_EQ(Forward().size(), model.size());
    const std::string gone = model.begin()->first;
    Remove(gone);
    model.erase(gone);
  }
}

// Keys that are hard to keep in order, of one kind each.
std::string HostileKey(unsigned kind, std::mt19937_64& random) {
  std::string key;
  switch (kind) {
    case 0:  // each the beginning of the next, of bytes at the ends
      return std::string(1 + random() % 300, random() % 2 ? '\0' : '\xff');
    case 1:  // few different bytes
      for (size_t i = random() % 12 + 1; i > 0; --i) {
        key.push_back("\0\1\x7f\x80\xff"[random() % 5]);
      }
      return key;
    case 2:  // long things in common, of groups smaller than a page
      key.assign(random() % 40, 'g');
      key.append(500 + random() % 7, 'x');
      return key + std::to_string(random() % 20);
    case 3:  // short and very long ones side by side
      key = std::to_string(random() % 200);
      if (random() % 4 == 0) key.append(random() % 65000, 'l');
      return key;
    default:
      return std::to_string(random() % 3000);
  }
}

class OrderedKeydirModelTest : public OrderedKeydirTest,
                               public testing::WithParamInterface<unsigned> {
 protected:
  void ExpectTheSame(const std::map<std::string, uint64_t>& model) const {
    std::vector<std::string> sorted;
    for (const auto& [key, number] : model) {
      sorted.push_back(key);
      ASSERT_EQ(Find(key), Entry(number));
    }
    ASSERT_EQ(keys(), model.size());
    ASSERT_EQ(Forward(), sorted);
    std::vector<std::string> backward = Backward();
    ASSERT_EQ(std::vector<std::string>(backward.rbegin(), backward.rend()),
              sorted);
  }
};

TEST_P(OrderedKeydirModelTest, RandomChangesAgreeWithAMap) {
  std::mt19937_64 random(GetParam());
  std::map<std::string, uint64_t> model;
  const int changes = GetParam() % 5 == 3 ? 600 : 4000;
  for (int i = 0; i < changes; ++i) {
    const std::string key = HostileKey(GetParam() % 5, random);
    const auto known = model.find(key);
    const KeydirEntry present =
        known == model.end() ? KeydirEntry() : Entry(known->second);
    // First more and more keys, then fewer and fewer.
    const bool grows = i < changes / 2;
    if (random() % 10 < (grows ? 8 : 1)) {
      ASSERT_EQ(*keydir_.Put({key, {}}, Entry(i + 1)), present);
      model[key] = static_cast<uint64_t>(i + 1);
    } else {
      // One that is there, most of the time.
      auto victim = model.lower_bound(key);
      const std::string gone = victim == model.end() ? key : victim->first;
      ASSERT_EQ(Remove(gone).absent(), victim == model.end());
      model.erase(gone);
    }
    ASSERT_EQ(Find(key).absent(), !model.contains(key));
    if (i % (changes / 8) == 0) {
      ASSERT_NO_FATAL_FAILURE(ExpectTheSame(model));
    }
  }
  ASSERT_NO_FATAL_FAILURE(ExpectTheSame(model));
  for (int i = 0; i < 50; ++i) {
    const std::string bound = HostileKey(GetParam() % 5, random);
    std::vector<std::string> from, before;
    for (const auto& [key, number] : model) {
      (key < bound ? before : from).push_back(key);
    }
    ASSERT_EQ(Forward(bound, kAll), from);
    ASSERT_EQ(Backward(bound, kAll),
              std::vector<std::string>(before.rbegin(), before.rend()));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, OrderedKeydirModelTest,
                         testing::Range(0u, 10u));

}  // namespace
}  // namespace stave
