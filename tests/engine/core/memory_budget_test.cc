#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

class MemoryBudgetTest : public StoreFixture,
                         public testing::WithParamInterface<KeydirKind> {
 protected:
  MemoryBudgetTest() {
    options.keydir = GetParam();
    options.memory_budget_bytes = kMiB;
    Open();
  }

  static std::string Key(int number) { return absl::StrCat("key", number); }
  absl::Status TryPut(int number) { return store().Put(Key(number), "v"); }
  // Puts new keys until one is refused; returns how many there are.
  int Fill() {
    int keys = 0;
    while (TryPut(keys).ok()) ++keys;
    EXPECT_TRUE(absl::IsResourceExhausted(TryPut(keys))) << TryPut(keys);
    return keys;
  }
  Statistics Now() { return store().GetStatistics(); }
};

INSTANTIATE_TEST_SUITE_P(Keydirs, MemoryBudgetTest,
                         testing::Values(KeydirKind::kHash,
                                         KeydirKind::kOrdered));

TEST_P(MemoryBudgetTest, NewKeysEndWhereItIsFull) {
  const int keys = Fill();
  EXPECT_GT(keys, 10'000);
  const Statistics now = Now();
  EXPECT_EQ(now.memory_budget_bytes, kMiB);
  EXPECT_EQ(now.memory_bytes, now.keydir_bytes + now.snapshot_bytes);
  EXPECT_GE(now.memory_bytes, kMiB);
  EXPECT_LE(now.memory_bytes, kMiB + kMiB / 2);
  EXPECT_EQ(now.keys, static_cast<uint64_t>(keys));
  const std::string message(TryPut(keys).message());
  EXPECT_NE(message.find("Options::memory_budget_bytes"), std::string::npos);
}

TEST_P(MemoryBudgetTest, EverythingElseGoesOn) {
  const int keys = Fill();
  EXPECT_TRUE(TryPut(0).ok());
  EXPECT_EQ(store().Increment("n", 1).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(store().CompareAndSet(Key(1), "v", "w").ok());
  EXPECT_EQ(Get(Key(1)), "w");
  WriteBatch batch;
  batch.Put(Key(2), "w");
  batch.Delete(Key(3));
  Write(batch);
  EXPECT_EQ(Get(Key(2)), "w");
  EXPECT_TRUE(Delete(Key(4)));
  EXPECT_EQ(Now().keys, static_cast<uint64_t>(keys - 2));
  EXPECT_TRUE(store().Merge({.all = true}).ok());
}

TEST_P(MemoryBudgetTest, ABatchWithANewKeyIsRefusedAsAWhole) {
  const int keys = Fill();
  WriteBatch batch;
  batch.Put(Key(0), "w");
  batch.Put(Key(keys), "w");
  EXPECT_TRUE(absl::IsResourceExhausted(store().Write(batch)));
  EXPECT_EQ(Get(Key(0)), "v");
  EXPECT_EQ(Get(Key(keys)), "NOT_FOUND");
}

TEST_P(MemoryBudgetTest, PutsGoOnWhenThereIsRoomAgain) {
  const int keys = Fill();
  for (int i = 0; i < keys * 9 / 10; ++i) Delete(Key(i));
  for (int i = 0; i < keys / 4; ++i) ASSERT_TRUE(TryPut(i).ok()) << i;
}

TEST_P(MemoryBudgetTest, AStoreBeyondItOpensAndLosesNothing) {
  const int keys = Fill();
  Close();
  options.memory_budget_bytes = kMiB / 4;
  Open();
  EXPECT_EQ(Now().keys, static_cast<uint64_t>(keys));
  EXPECT_GT(Now().memory_bytes, Now().memory_budget_bytes);
  EXPECT_TRUE(absl::IsResourceExhausted(TryPut(keys)));
  EXPECT_TRUE(TryPut(0).ok());
  Close();
  options.memory_budget_bytes = 0;
  Open();
  EXPECT_TRUE(TryPut(keys).ok());
}

}  // namespace
}  // namespace stave
