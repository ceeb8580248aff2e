#include "engine/index/ordered_leaves.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/base/epoch.h"
#include "engine/index/keydir.h"
#include "engine/index/ordered_keydir.h"
#include "gtest/gtest.h"
#include "tests/engine/index/keydir_vocabulary.h"

namespace stave {
namespace {

// Keys with the numbers of their entries; 0: to be left out.
using Keys = std::map<std::string, uint64_t>;

Keys RandomKeys(unsigned seed, size_t count) {
  std::mt19937 random(seed);
  Keys keys;
  while (keys.size() < count) {
    std::string key(1 + random() % (random() % 500 == 0 ? 3000 : 12), 'k');
    for (size_t at = key.size() / 3; at < key.size(); ++at) {
      key[at] = static_cast<char>(random() % 4 * 85);
    }
    keys[key] = random() % 4 == 0 ? 0 : 1 + keys.size();
  }
  return keys;
}

// Restores keydirs from stretches of so many keys.
class OrderedLeavesTest : public testing::Test {
 protected:
  void Restore(const Keys& keys, size_t stretch_keys) {
    std::vector<OrderedLeaves> stretches(1);
    std::string last;
    size_t added = 0;
    for (const auto& [key, number] : keys) {
      if (added == stretch_keys) {
        EXPECT_EQ(stretches.back().Finish(), absl::OkStatus());
        stretches.emplace_back();
        last.clear();
        added = 0;
      }
      size_t shared = 0;
      while (shared < last.size() && last[shared] == key[shared]) ++shared;
      const KeydirEntry entry = number == 0 ? KeydirEntry() : Entry(number);
      EXPECT_EQ(stretches.back().Add(
                    shared, std::string_view(key).substr(shared), entry),
                absl::OkStatus());
      last = key;
      ++added;
    }
    EXPECT_EQ(stretches.back().Finish(), absl::OkStatus());
    EXPECT_EQ(keydir_.Restore(absl::MakeSpan(stretches)), absl::OkStatus());
  }

  void ExpectKeys(const Keys& keys) const {
    uint64_t present = 0;
    EpochGuard guard;
    for (const auto& [key, number] : keys) {
      const KeydirEntry entry = keydir_.Find({key, {}});
      EXPECT_EQ(entry, number == 0 ? KeydirEntry() : Entry(number));
      if (number != 0) ++present;
    }
    EXPECT_EQ(keydir_.GetStatistics().keys, present);
    KeyRun run(KeyRun::Keys::kAll);
    auto expected = keys.begin();
    for (std::string from;; from = run.last() + '\0', run.Clear()) {
      keydir_.CopyFrom(from, SIZE_MAX, &run);
      for (size_t i = 0; i < run.size(); ++i, ++expected) {
        while (expected->second == 0) ++expected;
        ASSERT_EQ(run.key(i), expected->first);
      }
      if (run.empty()) break;
    }
  }

  OrderedKeydir keydir_;
};

TEST_F(OrderedLeavesTest, KeysAreThereAndOthersLeftOut) {
  const Keys keys = RandomKeys(1, 20000);
  Restore(keys, 300);
  ExpectKeys(keys);
}

TEST_F(OrderedLeavesTest, AKeydirCanBeChangedAfterwards) {
  Keys keys = RandomKeys(2, 5000);
  Restore(keys, 1000);
  for (const auto& [key, number] : RandomKeys(3, 5000)) {
    keys[key] = number;
    if (number == 0) {
      keydir_.Remove({key, {}});
    } else {
      EXPECT_TRUE(keydir_.Put({key, {}}, Entry(number)).ok());
    }
  }
  ExpectKeys(keys);
}

TEST_F(OrderedLeavesTest, ThereMayBeFewKeysOrNone) {
  Restore({}, 1);
  ExpectKeys({});
  Restore({{"a", 0}, {"b", 0}}, 1);
  ExpectKeys({});
  const Keys keys = {{"a", 0}, {"ab", 1}, {"b", 0}};
  Restore(keys, 1);
  ExpectKeys(keys);
}

TEST_F(OrderedLeavesTest, ItTakesNoMoreMemoryThanPutsInOrder) {
  OrderedKeydir other;
  const Keys keys = RandomKeys(4, 30000);
  for (const auto& [key, number] : keys) {
    if (number == 0) continue;
    EXPECT_TRUE(other.Put({key, {}}, Entry(number)).ok());
  }
  Restore(keys, 5000);
  EXPECT_LT(keydir_.GetStatistics().bytes, other.GetStatistics().bytes);
}

// If each leaf had to look at all in front of it, this would take minutes.
TEST_F(OrderedLeavesTest, ManyLeavesMayHaveKeysThatBeginAlike) {
  constexpr uint64_t kLeaves = 600'000;
  std::vector<OrderedLeaves> stretches(1);
  for (uint64_t i = 1; i <= kLeaves; ++i) {
    const std::string key = "user:" + std::to_string(1'000'000 + i);
    EXPECT_EQ(stretches[0].Add(0, key, Entry(i)), absl::OkStatus());
    EXPECT_EQ(stretches[0].Finish(), absl::OkStatus());  // a leaf of its own
  }
  EXPECT_EQ(stretches[0].leaves().size(), kLeaves);
  EXPECT_EQ(keydir_.Restore(absl::MakeSpan(stretches)), absl::OkStatus());
  EXPECT_EQ(keydir_.GetStatistics().keys, kLeaves);
  EpochGuard guard;
  EXPECT_EQ(keydir_.Find({"user:1234567", {}}), Entry(234'567));
}

TEST_F(OrderedLeavesTest, PartingsAreKeysInOrderOfSomeThousandEach) {
  const Keys keys = RandomKeys(5, 40000);
  Restore(keys, 5000);
  EpochGuard guard;
  const std::vector<std::string> partings = keydir_.Partings();
  EXPECT_GT(partings.size(), 2u);
  EXPECT_LT(partings.size(), 40u);
  EXPECT_TRUE(std::is_sorted(partings.begin(), partings.end()));
}

TEST_F(OrderedLeavesTest, WhatIsNotGreaterThanTheLastKeyIsDataLoss) {
  const auto add = [](size_t shared, std::string_view rest) {
    OrderedLeaves leaves;
    EXPECT_EQ(leaves.Add(0, "middle", Entry(1)), absl::OkStatus());
    return leaves.Add(shared, rest, Entry(2));
  };
  EXPECT_EQ(add(0, "middle2"), absl::OkStatus());
  EXPECT_EQ(add(6, "2"), absl::OkStatus());
  EXPECT_EQ(add(2, "xx"), absl::OkStatus());
  EXPECT_EQ(add(2, "\xff"), absl::OkStatus());
  EXPECT_TRUE(absl::IsDataLoss(add(0, "middle")));
  EXPECT_TRUE(absl::IsDataLoss(add(6, "")));
  EXPECT_TRUE(absl::IsDataLoss(add(3, "")));
  EXPECT_TRUE(absl::IsDataLoss(add(7, "x")));
  EXPECT_TRUE(absl::IsDataLoss(add(2, "aa")));
  EXPECT_TRUE(absl::IsDataLoss(add(6, std::string(65530, 'x'))));
  OrderedLeaves leaves;
  EXPECT_TRUE(absl::IsDataLoss(leaves.Add(0, "", Entry(1))));
  EXPECT_TRUE(absl::IsDataLoss(leaves.Add(1, "a", Entry(1))));
}

TEST_F(OrderedLeavesTest, StretchesOutOfOrderAreDataLoss) {
  std::vector<OrderedLeaves> stretches(2);
  EXPECT_EQ(stretches[0].Add(0, "b", Entry(1)), absl::OkStatus());
  EXPECT_EQ(stretches[1].Add(0, "b", Entry(2)), absl::OkStatus());
  for (OrderedLeaves& stretch : stretches) {
    EXPECT_EQ(stretch.Finish(), absl::OkStatus());
  }
  EXPECT_TRUE(absl::IsDataLoss(keydir_.Restore(absl::MakeSpan(stretches))));
}

}  // namespace
}  // namespace stave
