#include <chrono>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

// How keys leave that have expired, though nobody asks for them.
class SweepTest : public StoreFixture {
 protected:
  SweepTest() { options.segment_size_bytes = 4096; }

  void PutFor(int begin, int end, absl::Duration ttl) {
    for (int i = begin; i < end; ++i) {
      Put(absl::StrCat("key", i), ValueOf(i, 100), {.ttl = ttl});
    }
  }
  void Merge() { ASSERT_EQ(store().Merge(), absl::OkStatus()); }
  uint64_t Keys() { return store().GetStatistics().keys; }
};

TEST_F(SweepTest, AMergeRemovesThem) {
  Open();
  PutFor(0, 100, absl::Seconds(10));
  PutFor(100, 110, absl::Hours(1));
  clock.Advance(absl::Minutes(1));
  Merge();
  EXPECT_EQ(Keys(), 10u);
  EXPECT_EQ(All().size(), 10u);
  EXPECT_LT(store().GetStatistics().segment_bytes, 4096u);
}

TEST_F(SweepTest, AlsoThoseOfBeforeTheOpen) {
  for (const int64_t min_keys : {0, 1'000'000}) {
    options.checkpoint_min_keys = static_cast<uint64_t>(min_keys);
    Open();
    PutFor(0, 100, absl::Seconds(10));
    Close();
    clock.Advance(absl::Minutes(1));
    Open();
    Merge();
    EXPECT_EQ(Keys(), 0u);
    Close();
  }
}

TEST_F(SweepTest, TheyGoInTheOrderInWhichTheyExpire) {
  Open();
  for (int i = 0; i < 100; ++i) PutFor(i, i + 1, absl::Seconds(100 - i));
  for (int left = 90; left >= 10; left -= 10) {
    clock.Advance(absl::Seconds(10));
    Merge();
    EXPECT_GE(Keys(), static_cast<uint64_t>(left));
    // A segment has about 28 keys, and is looked at for an eighth of them.
    EXPECT_LE(Keys(), static_cast<uint64_t>(left) + 8);
  }
  clock.Advance(absl::Seconds(10));
  Merge();
  EXPECT_EQ(Keys(), 0u);
}

TEST_F(SweepTest, WhatTheyHideStaysHidden) {
  Open();
  Put("key", "old");
  for (int i = 0; i < 40; ++i) Put(absl::StrCat("cold", i), ValueOf(i, 100));
  Put("key", "new", {.ttl = absl::Seconds(10)});
  PutFor(0, 60, absl::Seconds(10));
  clock.Advance(absl::Minutes(1));
  Merge();
  EXPECT_EQ(Get("key"), "NOT_FOUND");
  Reopen();
  EXPECT_EQ(Get("key"), "NOT_FOUND");
  Kill();
  Open();
  EXPECT_EQ(Get("key"), "NOT_FOUND");
  EXPECT_EQ(All().size(), 40u);
}

TEST_F(SweepTest, AClockSetBackRevivesNone) {
  options.max_space_amplification = 100;  // nothing is merged
  Open();
  Put("key", "value", {.ttl = absl::Seconds(10)});
  clock.Advance(absl::Seconds(20));
  ASSERT_EQ(store().PlanMerge().status(), absl::OkStatus());
  Merge();
  ASSERT_EQ(Keys(), 0u);
  Kill();
  clock.SetWall(clock.WallNow() - absl::Seconds(15));
  Open();
  EXPECT_EQ(Get("key"), "NOT_FOUND");
}

TEST_F(SweepTest, ASnapshotKeepsThem) {
  Open();
  PutFor(0, 60, absl::Seconds(10));
  const auto snapshot = store().GetSnapshot();
  clock.Advance(absl::Minutes(1));
  Merge();
  EXPECT_EQ(Keys(), 0u);
  EXPECT_EQ(store().Get("key7", {.snapshot = snapshot.get()}).value_or(""),
            ValueOf(7, 100));
  EXPECT_EQ(Visit(NewIterator({.snapshot = snapshot.get()}).get()).size(), 60u);
}

TEST_F(SweepTest, AKeyThatIsPutAgainStays) {
  Open();
  PutFor(0, 60, absl::Seconds(10));
  clock.Advance(absl::Minutes(1));
  Put("key7", "again");
  PutFor(8, 9, absl::Hours(1));
  Merge();
  EXPECT_EQ(Keys(), 2u);
  EXPECT_EQ(Get("key7"), "again");
  EXPECT_EQ(Get("key8"), ValueOf(8, 100));
}

TEST_F(SweepTest, AThreadRemovesThemAndGivesSpaceBack) {
  options.background_threads = true;
  options.clock = nullptr;
  options.segment_size_bytes = 1 << 20;
  Open();
  for (int i = 0; i < 3000; ++i) {
    Put(absl::StrCat("key", i), ValueOf(i, 2000),
        {.ttl = absl::Milliseconds(200)});
  }
  // Its live bytes are none: the bound is two of the smallest segments.
  while (Keys() > 0 || store().GetStatistics().segment_bytes > 2u << 20) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(store().GetStatistics().live_bytes, 0u);
}

TEST_F(SweepTest, AThreadRemovesThoseOfBeforeTheOpen) {
  Open();
  PutFor(0, 100, absl::Seconds(10));
  Close();
  clock.Advance(absl::Minutes(1));
  options.background_threads = true;
  Open();
  while (Keys() > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace
}  // namespace stave
