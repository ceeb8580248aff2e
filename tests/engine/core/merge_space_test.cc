#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "engine/format/segment_header.h"
#include "gtest/gtest.h"
#include "stave/iterator.h"
#include "stave/merge.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "tests/engine/core/merge_fixture.h"
#include "tests/engine/fs/faulty_file_system.h"

namespace stave {
namespace {

// When merges run, and how fast: what they keep the files under.
class MergeSpaceTest : public MergeTest {
 protected:
  MergeSpaceTest() {
    Close();
    options.background_merge = true;
    Open();
  }
};

TEST_F(MergeSpaceTest, EndlessOverwriteKeepsTheBound) {
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    Put(absl::StrCat("key", random() % 50), ValueOf(i, random() % 200));
    ASSERT_NO_FATAL_FAILURE(ExpectBound()) << "put " << i;
  }
  EXPECT_GT(Stat().merges, 100u);
}

TEST_F(MergeSpaceTest, QueueBesideColdKeysKeepsTheBound) {
  PutNumbers(1'000'000, 1'000'100);
  for (int i = 0; i < 10'000; ++i) {
    PutNumbers(i, i + 1);
    ASSERT_NO_FATAL_FAILURE(ExpectBound()) << "put " << i;
    if (i < 30) continue;
    DeleteNumber(i - 30);
    ASSERT_NO_FATAL_FAILURE(ExpectBound()) << "delete " << i - 30;
  }
  EXPECT_LT(Stat().merge_bytes_written, 2 * Stat().bytes_appended);
  ExpectContentsNowAndLater();
}

TEST_F(MergeSpaceTest, PausedMergesAreMadeUpForLater) {
  store().PauseMerge();
  store().PauseMerge();
  for (int i = 0; i < 10; ++i) PutNumbers(0, 50);
  EXPECT_EQ(Stat().merges, 0u);
  store().ResumeMerge();
  PutNumbers(0, 50);
  EXPECT_EQ(Stat().merges, 0u);
  store().ResumeMerge();
  PutNumbers(0, 50);
  EXPECT_GT(Stat().merges, 0u);
  ASSERT_NO_FATAL_FAILURE(ExpectBound());
  ExpectContentsNowAndLater();
}

// It is not the writer's doing that there is so much to merge.
TEST_F(MergeSpaceTest, AWriteWaitsForABacklogForAMomentOnly) {
  Close();
  options.segment_size_bytes = 64 << 10;
  options.background_merge = false;
  Open();
  for (int i = 0; i < 80; ++i) {
    PutNumbers(0, 50);
    PutNumbers(1000 + i, 1001 + i);  // so that every merge has an output
  }
  Close();
  options.background_merge = true;
  options.background_threads = true;
  Open();
  absl::Notification may_merge;
  disk_.Before(FaultyFileSystem::kSyncDirectory,
               [&may_merge, writer = std::this_thread::get_id()] {
                 if (std::this_thread::get_id() == writer) return;
                 may_merge.WaitForNotification();
               });
  PutNumbers(0, 10);
  EXPECT_EQ(Stat().merges, 0u);
  EXPECT_GT(Stat().delayed_writes, 0u);
  may_merge.Notify();
  while (Stat().merges == 0) PutNumbers(0, 50);
  disk_.Before(FaultyFileSystem::kSyncDirectory, nullptr);
  ExpectContents();
}

// At full speed writers are faster than merges.
TEST_F(MergeSpaceTest, WritesThatWaitForItAreCounted) {
  EXPECT_EQ(Stat().delayed_writes, 0u);
  Close();
  options.background_threads = true;
  Open();
  while (Stat().delayed_writes < 2) PutNumbers(0, 50);
  EXPECT_GT(Stat().longest_write_delay, absl::ZeroDuration());
  const Statistics now = Stat();
  EXPECT_LT(now.longest_write_delay, now.write_delay);
  ExpectContents();
}

TEST_F(MergeSpaceTest, ManifestDoesNotGrowForEver) {
  Close();
  options.segment_size_bytes = 400;
  Open();
  uint64_t merges = 0;
  for (int round = 0; round < 400; ++round) {
    PutNumbers(0, 20);
    merges = Stat().merges;
    for (const auto& entry : std::filesystem::directory_iterator(path())) {
      if (entry.path().filename().string().starts_with("MANIFEST-")) {
        ASSERT_LE(entry.file_size(), 1u << 20);
      }
    }
  }
  EXPECT_GT(merges, 500u);
  ExpectContentsNowAndLater();
}

// A limit on what merges read and write a second.
class LimitedMergeTest : public MergeTest {
 protected:
  void ReopenWith(uint64_t bytes_per_second) {
    Close();
    options.merge_bytes_per_second = bytes_per_second;
    options.background_threads = true;
    Open();
  }
  // Does something while a merge pauses for hours, and ends its pauses then.
  void WhileMergePauses(const std::function<void()>& action) {
    std::atomic<bool> done{false};
    std::thread merge([&] {
      Merge(/*all=*/false);
      done = true;
    });
    // Once it has begun, only a pause lets anybody see to what has expired.
    for (int round = 0; round < 3; ++round) AwaitRemovalOfExpired();
    action();
    while (!done) store().PauseMerge();
    merge.join();
  }
  void AwaitRemovalOfExpired() {
    Put("soon", "gone", {.ttl = absl::Seconds(10)});
    const uint64_t keys = Stat().keys;
    clock.Advance(absl::Seconds(20));
    AwaitKeys(keys - 1);
  }
  void AwaitKeys(uint64_t keys) {
    while (Stat().keys != keys) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  static absl::Duration Now() {
    return absl::FromChrono(
        std::chrono::steady_clock::now().time_since_epoch());
  }
};

TEST_F(LimitedMergeTest, TakesAtLeastAsLongAsItsBytesNeed) {
  constexpr uint64_t kBytesPerSecond = 100'000;
  ReopenWith(kBytesPerSecond);
  MakeHalfDead();
  const absl::Duration begin = Now();
  Merge();
  const absl::Duration took = Now() - begin;
  const Statistics after = Stat();
  // Headers of segments are no work.
  const auto bytes =
      static_cast<double>(after.merge_bytes_read + after.merge_bytes_written -
                          2 * after.merges * kSegmentHeaderBytes);
  ASSERT_GT(bytes, 2000);
  EXPECT_GE(took, absl::Seconds(bytes / kBytesPerSecond / 2));
  ExpectContents();
}

// At one byte a second it would take hours.
TEST_F(LimitedMergeTest, WhoWaitsForItsEndEndsItsPauses) {
  ReopenWith(1);
  MakeHalfDead();
  std::atomic<bool> done{false};
  std::thread merge([&] {
    Merge();
    done = true;
  });
  while (!done) store().PauseMerge();
  merge.join();
  EXPECT_GT(Stat().merges, 0u);
  ExpectContents();
}

// Though the merge has copied the record that expires.
TEST_F(LimitedMergeTest, KeysThatExpireWhileItPausesAreNeverRevived) {
  ReopenWith(1);
  PutNumbers(0, 14);
  FillSegment();
  // Hides the put of before, which stays where it is.
  Put("key3", "short", {.ttl = absl::Hours(1)});
  contents_.erase("key3");
  for (int i = 0; i < 3; ++i) FillSegment();
  WhileMergePauses([&] {
    EXPECT_EQ(Get("key3"), "short");
    const uint64_t keys = Stat().keys;
    clock.Advance(absl::Hours(2));
    AwaitKeys(keys - 1);
  });
  EXPECT_GT(Stat().merges, 0u);
  ExpectContents();
  // The date goes back to before it expired.
  clock.SetWall(clock.WallNow() - absl::Hours(2));
  ExpectContents();
  Reopen();
  ExpectContents();
}

TEST_F(LimitedMergeTest, FilesThatReadersLetGoOfGoWhileItPauses) {
  MakeHalfDead();
  ReopenWith(1);
  std::unique_ptr<Iterator> iterator = NewIterator();
  WhileMergePauses([] {});
  EXPECT_GT(Stat().pinned_bytes, 0u);
  MakeHalfDead();
  FillSegment();
  WhileMergePauses([&] {
    iterator = nullptr;
    while (Stat().pinned_bytes > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  ExpectContents();
  Reopen();
  EXPECT_EQ(SegmentFiles(), Stat().segments);
  ExpectContents();
}

TEST_F(LimitedMergeTest, CloseEndsItsPauses) {
  ReopenWith(1);
  MakeHalfDead();
  std::atomic<bool> begun{false};
  std::thread merge([&] {
    begun = true;
    const absl::Status status = store().Merge({.all = true});
    EXPECT_TRUE(status.ok() || absl::IsCancelled(status) ||
                absl::IsFailedPrecondition(status))
        << status;
  });
  while (!begun) std::this_thread::yield();
  EXPECT_EQ(store().Close(), absl::OkStatus());
  merge.join();
}

}  // namespace
}  // namespace stave
