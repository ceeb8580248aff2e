#include <chrono>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/fs/faulty_file_system.h"

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
  // So many keys that stay, each with a name of its own.
  void PutCold(int count) {
    for (; count > 0; --count) {
      Put(absl::StrCat("cold", cold_), ValueOf(cold_, 100));
      ++cold_;
    }
  }
  void Merge() { ASSERT_EQ(store().Merge(), absl::OkStatus()); }
  uint64_t Keys() { return store().GetStatistics().keys; }

 private:
  int cold_ = 0;
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

// Nothing is sealed or merged here: only the sweep can tell the device what the
// time is.
TEST_F(SweepTest, AClockSetBackRevivesNone) {
  options.max_space_amplification = 100;
  Open();
  PutFor(0, 1, absl::Seconds(10));
  PutCold(60);
  Reopen();  // seals what is full
  clock.Advance(absl::Seconds(20));
  const uint64_t segments = store().GetStatistics().segments;
  Merge();
  ASSERT_EQ(Keys(), 60u);
  ASSERT_EQ(store().GetStatistics().segments, segments);
  Kill();
  clock.SetWall(clock.WallNow() - absl::Seconds(15));
  Open();
  EXPECT_EQ(Get("key0"), "NOT_FOUND");
}

// Time goes on after the sweep that a merge begins with: a key that the merge
// itself finds expired stays away, and so do all others of its time.
TEST_F(SweepTest, NorDoesAMergeThatFoundOneLater) {
  FaultyFileSystem files(PosixFileSystem());
  options.file_system = &files;
  Open();
  Put("copied first", "value");
  PutFor(0, 1, absl::Seconds(10));
  for (int i = 0; i < 60; ++i) Put("overwritten", ValueOf(i, 100));
  PutCold(30);
  PutFor(1, 2, absl::Seconds(10));  // where nothing is merged
  PutCold(60);
  Sync();
  files.Before(FaultyFileSystem::kCreateFile, [&] {
    clock.Advance(absl::Seconds(20));
    files.Before(FaultyFileSystem::kCreateFile, nullptr);
  });
  ASSERT_EQ(store().Merge({.all = true}), absl::OkStatus());
  files.Before(FaultyFileSystem::kCreateFile, nullptr);
  EXPECT_GT(store().GetStatistics().merges, 0u);
  Kill();
  clock.SetWall(clock.WallNow() - absl::Seconds(15));
  Open();
  EXPECT_EQ(Get("key0"), "NOT_FOUND");
  EXPECT_EQ(Get("key1"), "NOT_FOUND");
  Close();
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
