#include "stave/snapshot.h"

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

using SnapshotPtr = std::shared_ptr<const Snapshot>;

class SnapshotTest : public StoreFixture {
 protected:
  SnapshotTest() {
    options.segment_size_bytes = 1024;
    options.background_merge = false;
    Open();
  }

  SnapshotPtr Take() { return store().GetSnapshot(); }
  // What Get says at the snapshot, which all other ways to ask must agree with.
  std::string GetAt(const SnapshotPtr& then, std::string_view key) {
    const ReadOptions read{.snapshot = then.get()};
    const absl::StatusOr<std::string> value = store().Get(key, read);
    const std::string answer =
        value.ok() ? *value : absl::StatusCodeToString(value.status().code());
    const absl::StatusOr<PinnedValue> pinned = store().GetPinned(key, read);
    EXPECT_EQ(pinned.status().code(), value.status().code());
    EXPECT_EQ(pinned.ok() ? pinned->view() : answer, answer);
    EXPECT_EQ(store().Exists(key, read).value_or(false), value.ok());
    return answer;
  }
  Contents AllAt(const SnapshotPtr& then) {
    return Visit(NewIterator({.snapshot = then.get()}).get());
  }
  void PutNumbers(int begin, int end, int version) {
    for (int i = begin; i < end; ++i) {
      Put(absl::StrCat("key", i), ValueOf(version * 1000 + i, 60));
    }
  }
  void MergeAll() {
    const absl::Status status = store().Merge({.all = true});
    EXPECT_TRUE(status.ok()) << status;
  }
  Statistics Stat() { return store().GetStatistics(); }
};

TEST_F(SnapshotTest, LaterChangesAreNotSeen) {
  Put("changed", "old");
  Put("deleted", "old");
  Put("kept", "old");
  const SnapshotPtr then = Take();
  Put("changed", "new");
  Put("added", "new");
  EXPECT_TRUE(Delete("deleted"));
  EXPECT_EQ(GetAt(then, "changed"), "old");
  EXPECT_EQ(GetAt(then, "deleted"), "old");
  EXPECT_EQ(GetAt(then, "kept"), "old");
  EXPECT_EQ(GetAt(then, "added"), "NOT_FOUND");
  EXPECT_EQ(Get("changed"), "new");
  EXPECT_EQ(
      AllAt(then),
      (Contents{{"changed", "old"}, {"deleted", "old"}, {"kept", "old"}}));
}

TEST_F(SnapshotTest, EachSnapshotHasItsOwnTime) {
  std::vector<SnapshotPtr> taken;
  for (int i = 0; i < 5; ++i) {
    taken.push_back(Take());
    Put("k", absl::StrCat(i));
  }
  EXPECT_EQ(GetAt(taken[0], "k"), "NOT_FOUND");
  taken[2] = nullptr;
  for (int i : {1, 3, 4}) EXPECT_EQ(GetAt(taken[i], "k"), absl::StrCat(i - 1));
}

TEST_F(SnapshotTest, BoundsOfAnIteratorHoldAtASnapshot) {
  for (const char* key : {"a", "b", "ba", "c"}) Put(key, "old");
  const SnapshotPtr then = Take();
  Put("bb", "new");
  EXPECT_TRUE(Delete("ba"));
  const Contents visited = Visit(
      NewIterator({.snapshot = then.get(), .lower_bound = "b", .prefix = "b"})
          .get());
  EXPECT_EQ(visited, (Contents{{"b", "old"}, {"ba", "old"}}));
}

TEST_F(SnapshotTest, AnIteratorKeepsWhatItsSnapshotHad) {
  PutNumbers(0, 30, 1);
  const Contents before = All();
  SnapshotPtr then = Take();
  PutNumbers(10, 40, 2);
  const auto iterator = NewIterator({.snapshot = then.get()});
  then = nullptr;
  PutNumbers(0, 20, 3);
  MergeAll();
  EXPECT_EQ(Visit(iterator.get()), before);
}

TEST_F(SnapshotTest, ABatchIsThereWholeOrNotAtAll) {
  const SnapshotPtr before = Take();
  WriteBatch batch;
  batch.Put("a", "1");
  batch.Put("b", "2");
  Write(batch);
  const SnapshotPtr after = Take();
  EXPECT_EQ(AllAt(before), Contents());
  EXPECT_EQ(GetAt(after, "a"), "1");
  EXPECT_EQ(GetAt(after, "b"), "2");
}

// Expiry.

TEST_F(SnapshotTest, ExpiryIsJudgedByItsTime) {
  Put("k", "v", {.ttl = absl::Seconds(10)});
  const SnapshotPtr early = Take();
  clock.Advance(absl::Seconds(10));
  const SnapshotPtr late = Take();
  EXPECT_EQ(GetAt(early, "k"), "v");
  EXPECT_EQ(GetAt(late, "k"), "NOT_FOUND");
}

TEST_F(SnapshotTest, AMergeMayRemoveWhatExpiredLater) {
  Put("k", "v", {.ttl = absl::Seconds(10)});
  PutNumbers(0, 30, 1);
  const SnapshotPtr early = Take();
  clock.Advance(absl::Seconds(10));
  PutNumbers(0, 30, 2);
  MergeAll();
  EXPECT_EQ(Stat().keys, 30u);
  EXPECT_EQ(GetAt(early, "k"), "v");
  EXPECT_EQ(AllAt(early).size(), 31u);
}

// Merges.

TEST_F(SnapshotTest, WhatAMergeHasMovedIsFound) {
  PutNumbers(0, 60, 1);
  const Contents before = All();
  const SnapshotPtr then = Take();
  PutNumbers(0, 60, 2);
  for (int i = 1; i < 60; i += 3) Delete(absl::StrCat("key", i));
  MergeAll();
  for (const auto& [key, value] : before) EXPECT_EQ(GetAt(then, key), value);
  EXPECT_EQ(AllAt(then), before);
}

// The record lies in a merge's output, which the snapshot never knew, when it
// is replaced; and another merge takes that output away.
TEST_F(SnapshotTest, WhatAMergeMovedAndALaterOneLeftOutIsFound) {
  PutNumbers(0, 60, 1);
  const Contents before = All();
  const SnapshotPtr then = Take();
  for (int round = 2; round < 8; ++round) {
    PutNumbers(100, 130, round);  // something dead beside it, in each round
    PutNumbers(round * 7, round * 7 + 7, round);
    MergeAll();
    for (const auto& [key, value] : before) {
      ASSERT_EQ(GetAt(then, key), value) << "round " << round;
    }
    ASSERT_EQ(AllAt(then), before) << "round " << round;
  }
}

TEST_F(SnapshotTest, SegmentsThatItNeedsAreHeldAndCounted) {
  PutNumbers(0, 60, 1);
  SnapshotPtr then = Take();
  PutNumbers(0, 60, 2);
  MergeAll();
  EXPECT_GT(Stat().pinned_bytes, 0u);
  then = nullptr;
  MergeAll();
  EXPECT_EQ(Stat().pinned_bytes, 0u);
}

// Random changes, merges and snapshots of all ages.
TEST_F(SnapshotTest, SnapshotsOfDifferentAgesEachShowTheirTime) {
  struct Taken {
    SnapshotPtr snapshot;
    Contents contents;
  };
  std::mt19937 random(1);
  std::vector<Taken> taken;
  Contents contents;
  for (int step = 0; step < 4000; ++step) {
    const std::string key = absl::StrCat("key", random() % 40);
    if (random() % 3 == 0) {
      EXPECT_EQ(Delete(key), contents.erase(key) == 1);
    } else {
      contents[key] = ValueOf(step, random() % 60);
      Put(key, contents[key]);
    }
    if (random() % 60 == 0) MergeAll();
    if (random() % 40 == 0) taken.push_back({Take(), contents});
    if (taken.empty() || random() % 10 > 0) continue;
    const size_t which = random() % taken.size();
    const Taken& any = taken[which];
    const auto found = any.contents.find(key);
    ASSERT_EQ(GetAt(any.snapshot, key),
              found == any.contents.end() ? "NOT_FOUND" : found->second)
        << "step " << step;
    if (random() % 4 > 0) continue;
    ASSERT_EQ(AllAt(any.snapshot), any.contents) << "step " << step;
    taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(which));
  }
}

// What it costs.

TEST_F(SnapshotTest, MemoryIsBoundedByWhatChangedAndShown) {
  PutNumbers(0, 1000, 1);
  EXPECT_EQ(Stat().snapshots, 0u);
  EXPECT_EQ(Stat().snapshot_bytes, 0u);
  SnapshotPtr then = Take();
  EXPECT_EQ(Stat().snapshots, 1u);
  const uint64_t fixed = Stat().snapshot_bytes;
  EXPECT_LT(fixed, 8192u);
  for (int version = 2; version < 6; ++version) PutNumbers(0, 500, version);
  const uint64_t changed = Stat().snapshot_bytes;
  EXPECT_GT(changed, fixed + 500 * 32);
  EXPECT_LT(changed, fixed + 500 * 150);
  const SnapshotPtr later = Take();
  PutNumbers(0, 500, 6);
  then = nullptr;
  EXPECT_EQ(Stat().snapshots, 1u);
  EXPECT_LE(Stat().snapshot_bytes, changed);
}

// Misuse.

TEST_F(SnapshotTest, AfterCloseItIsRefused) {
  Put("k", "v");
  const SnapshotPtr then = Take();
  const ReadOptions read{.snapshot = then.get()};
  ASSERT_TRUE(store().Close().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(store().Get("k", read).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(store().Exists("k", read).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(store().NewIterator(read).status()));
  EXPECT_NE(Take(), nullptr);
}

TEST_F(SnapshotTest, ItMayBeGivenUpAfterItsStore) {
  PutNumbers(0, 60, 1);
  SnapshotPtr then = Take();
  PutNumbers(0, 60, 2);
  MergeAll();
  PutNumbers(0, 60, 3);
  Close();
  then = nullptr;
}

TEST_F(SnapshotTest, AnotherStoresSnapshotIsRefused) {
  Put("k", "v");
  const SnapshotPtr then = Take();
  Reopen();
  const ReadOptions read{.snapshot = then.get()};
  EXPECT_TRUE(absl::IsInvalidArgument(store().Get("k", read).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(store().GetPinned("k", read).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(store().Exists("k", read).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(store().NewIterator(read).status()));
}

TEST_F(SnapshotTest, ReadOnlyStoresHaveThemToo) {
  Put("k", "v");
  Close();
  options.read_only = true;
  Open();
  const SnapshotPtr then = Take();
  EXPECT_EQ(GetAt(then, "k"), "v");
  EXPECT_EQ(AllAt(then), (Contents{{"k", "v"}}));
}

}  // namespace
}  // namespace stave
