#include "stave/merge.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/base/epoch.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "gtest/gtest.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "tests/engine/core/directory_image.h"
#include "tests/engine/core/merge_fixture.h"
#include "tests/engine/fs/faulty_file_system.h"

namespace stave {
namespace {

TEST_F(MergeTest, LiveRecordsSurviveAndDeadOnesGo) {
  MakeHalfDead();
  const Statistics before = Stat();
  Merge();
  const Statistics after = Stat();
  EXPECT_LT(after.segment_bytes, before.segment_bytes * 2 / 3);
  EXPECT_EQ(after.live_bytes, before.live_bytes);
  EXPECT_EQ(after.keys, before.keys);
  EXPECT_GE(after.merges, 1u);
  EXPECT_GT(after.merge_bytes_read, after.merge_bytes_written);
  EXPECT_EQ(SegmentFiles(), after.segments);
  ExpectContentsNowAndLater();
}

TEST_F(MergeTest, WhatItReadsIsCountedWhileItRuns) {
  MakeHalfDead();
  const uint64_t segment_bytes = Stat().segment_bytes;
  std::atomic<uint64_t> bytes_read = 0;
  disk_.Before(FaultyFileSystem::kCreateFile, [&] {
    if (!absl::EndsWith(disk_.last_created(), ".hint")) return;
    uint64_t none = 0;
    bytes_read.compare_exchange_strong(none, Stat().merge_bytes_read);
  });
  Merge();
  disk_.Before(FaultyFileSystem::kCreateFile, nullptr);
  EXPECT_GT(bytes_read, 0u);
  EXPECT_LT(bytes_read, segment_bytes);
}

TEST_F(MergeTest, OfAllLeavesNothingDead) {
  MakeHalfDead();
  Merge();
  EXPECT_EQ(Stat().dead_bytes, 0u);
  for (const SegmentChoice& choice : Plan(/*all=*/true).segments) {
    EXPECT_EQ(choice.dead_bytes, 0u);
    EXPECT_FALSE(choice.chosen);
  }
}

TEST_F(MergeTest, OfAnEmptiedStoreLeavesNoRecord) {
  PutNumbers(0, 100);
  for (int i = 0; i < 100; ++i) DeleteNumber(i);
  Merge();
  EXPECT_EQ(Stat().live_bytes, 0u);
  EXPECT_EQ(Stat().dead_bytes, 0u);
  EXPECT_LE(Stat().segments, 2u);
  ExpectContentsNowAndLater();
  PutNumbers(0, 30);
  ExpectContentsNowAndLater();
}

TEST_F(MergeTest, DoesNothingWhereNothingIsDead) {
  PutNumbers(0, 100);
  Merge();
  EXPECT_EQ(Stat().merges, 0u);
  EXPECT_EQ(Stat().merge_bytes_written, 0u);
}

// The later record of a key counts, wherever a merge has put the other.
TEST_F(MergeTest, RecordsKeepTheirOrder) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    for (int i = 0; i < 10; ++i) {
      const auto key = static_cast<int>(random() % 40);
      const std::string name = absl::StrCat("key", key);
      if (random() % 3 == 0 && contents_.count(name) > 0) {
        DeleteNumber(key);
      } else {
        contents_[name] = ValueOf(round * 10 + i, random() % 200);
        Put(name, contents_[name]);
      }
    }
    Merge(/*all=*/round % 3 == 0);
    if (round % 7 == 0) Reopen();
    if (round % 13 == 0) {
      Kill();
      Open();
    }
    ASSERT_EQ(All(), contents_) << "round " << round;
  }
}

// The first put is in a segment that is mostly alive, so it stays; its
// tombstone is in one that is not.
TEST_F(MergeTest, TombstoneStaysWhileAnOlderRecordDoes) {
  PutNumbers(0, 14);
  FillSegment();
  DeleteNumber(3);
  for (int i = 0; i < 4; ++i) FillSegment();
  for (int i = 0; i < 5; ++i) {
    Merge(/*all=*/false);
    EXPECT_EQ(Get("key3"), "NOT_FOUND");
    Reopen();
    EXPECT_EQ(Get("key3"), "NOT_FOUND");
    FillSegment();
  }
  EXPECT_GT(Stat().dead_bytes, 0u);
  ExpectContentsNowAndLater();
  // Once the old record is gone, the tombstone may go too.
  Merge(/*all=*/true);
  Merge(/*all=*/true);
  EXPECT_EQ(Stat().dead_bytes, 0u);
  ExpectContentsNowAndLater();
}

TEST_F(MergeTest, ExpiredKeysAreDroppedAndNeverRevived) {
  PutNumbers(0, 14);
  FillSegment();
  // Hides the put of before.
  Put("key3", "short", {.ttl = absl::Seconds(10)});
  contents_.erase("key3");
  for (int i = 0; i < 3; ++i) FillSegment();
  const uint64_t keys = Stat().keys;
  clock.Advance(absl::Seconds(20));
  Merge(/*all=*/false);
  EXPECT_EQ(Stat().keys, keys - 1);
  ExpectContents();
  // The date goes back to before it expired.
  clock.SetWall(clock.WallNow() - absl::Seconds(20));
  ExpectContents();
  Kill();
  Open();
  ExpectContents();
  Merge(/*all=*/true);
  EXPECT_EQ(Stat().dead_bytes, 0u);
  ExpectContentsNowAndLater();
}

// Most of the store has expired; nobody has asked for these keys since.
TEST_F(MergeTest, ExpiredRecordsAreDeadWithoutAnybodyMeetingThem) {
  PutNumbers(0, 5);
  for (int i = 0; i < 100; ++i) {
    Put(absl::StrCat("brief", i), ValueOf(i, 100), {.ttl = absl::Seconds(10)});
  }
  for (int i = 0; i < 2; ++i) FillSegment();
  clock.Advance(absl::Minutes(2));
  Reopen();
  Merge(/*all=*/false);
  ExpectBound();
  EXPECT_LT(Stat().segment_bytes, 100u * 100);
  ExpectContentsNowAndLater();
}

// Their times are in no order; a segment is looked at several times.
TEST_F(MergeTest, KeysThatExpireOneAfterTheOtherAreAllRemoved) {
  constexpr int kSteps = 60;
  std::mt19937 random(7);
  std::array<size_t, 2 * kSteps> expire = {};
  size_t brief = 0;
  const auto step = [&](int now) {
    clock.Advance(absl::Seconds(1));
    brief -= expire[static_cast<size_t>(now)];
    Merge(/*all=*/false);
    ASSERT_GE(Stat().keys, contents_.size() + brief) << "at step " << now;
  };
  for (int now = 0; now < kSteps; ++now) {
    for (int i = 0; i < 6; ++i, ++brief) {
      const int ttl = 1 + static_cast<int>(random() % (kSteps - 1));
      Put(absl::StrCat("brief", now, ".", i), ValueOf(i, 60),
          {.ttl = absl::Seconds(ttl)});
      ++expire[static_cast<size_t>(now + ttl - 1)];
    }
    PutNumbers(now, now + 1);
    step(now);
    if (now == kSteps / 2) Reopen();
  }
  for (int now = kSteps; now < 2 * kSteps; ++now) step(now);
  EXPECT_EQ(brief, 0u);
  EXPECT_EQ(Stat().keys, contents_.size());
  ExpectBound();
  ExpectContentsNowAndLater();
}

TEST_F(MergeTest, KeysThatExpireLaterKeepTheirTime) {
  Put("soon", "value", {.ttl = absl::Seconds(10)});
  for (int i = 0; i < 3; ++i) FillSegment();
  Merge();
  EXPECT_EQ(Get("soon"), "value");
  Reopen();
  clock.Advance(absl::Seconds(9));
  EXPECT_EQ(Get("soon"), "value");
  clock.Advance(absl::Seconds(2));
  EXPECT_EQ(Get("soon"), "NOT_FOUND");
}

TEST_F(MergeTest, ReadersKeepWhatTheySaw) {
  MakeHalfDead();
  const Contents then = contents_;
  const std::unique_ptr<Iterator> iterator = NewIterator();
  const PinnedValue pinned = store().GetPinned("key5").value();
  for (int round = 0; round < 3; ++round) {
    for (int i = 2; i < 60; i += 3) {
      contents_[absl::StrCat("key", i)] = ValueOf(2000 + i, 80);
      Put(absl::StrCat("key", i), ValueOf(2000 + i, 80));
    }
    Merge();
    EXPECT_EQ(Visit(iterator.get()), then);
    EXPECT_EQ(pinned.view(), then.at("key5"));
  }
  ExpectContents();
  // Those who outlive the store too.
  Reopen();
  EXPECT_EQ(Visit(iterator.get()), then);
  EXPECT_EQ(pinned.view(), then.at("key5"));
  ExpectContents();
}

TEST_F(MergeTest, FilesThatReadersHoldAreCountedAndGoWithThem) {
  MakeHalfDead();
  auto iterator = NewIterator();
  auto pinned = store().GetPinned("key5");
  Merge();
  EXPECT_GT(Stat().pinned_bytes, 0u);
  EXPECT_GT(SegmentFiles(), Stat().segments);
  EXPECT_EQ(BytesOfSegments(Image()), Stat().segment_bytes);
  iterator = nullptr;
  pinned = absl::UnknownError("let go");
  FillSegment();
  Merge();
  EXPECT_EQ(Stat().pinned_bytes, 0u);
  EXPECT_EQ(SegmentFiles(), Stat().segments);
  ExpectContentsNowAndLater();
}

TEST_F(MergeTest, PlanSaysWhatMergeDoes) {
  MakeHalfDead();
  FillSegment();
  for (const bool all : {false, true}) {
    const MergePlan plan = Plan(all);
    EXPECT_EQ(plan.segments.size(), Stat().segments);
    Merge(all);
    for (const SegmentChoice& choice : plan.segments) {
      const bool was_sealed =
          choice.reason != "records are still being added to it";
      const bool may_follow =
          all && choice.reason.find("still needed") != std::string::npos;
      if (!was_sealed || may_follow) continue;
      const std::string file =
          PathOf(absl::StrCat(absl::Hex(choice.id, absl::kZeroPad16), ".seg"));
      EXPECT_EQ(std::filesystem::exists(file), !choice.chosen)
          << choice.id << ": " << choice.reason;
    }
  }
}

TEST_F(MergeTest, DamagedInputIsQuarantinedAndNothingIsLost) {
  MakeHalfDead();
  Close();
  // Of a put's value in the first segment: not seen before it is read.
  const std::string first = PathOf("0000000000000001.seg");
  ASSERT_TRUE(std::filesystem::exists(first));
  Open();
  Contents undamaged = contents_;
  const PinnedValue victim = store().GetPinned("key2").value();
  const std::string bytes = ReadDirectory(path()).at("0000000000000001.seg");
  const size_t at = bytes.find(contents_.at("key2"));
  ASSERT_NE(at, std::string::npos);
  FlipBit(first, at + 50);
  const absl::Status status = store().Merge({.all = true});
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.ToString().find("0000000000000001.seg"), std::string::npos)
      << status;
  EXPECT_TRUE(std::filesystem::exists(first));
  EXPECT_GT(Stat().pinned_bytes, 0u);
  EXPECT_FALSE(Stat().latched);
  undamaged.erase("key2");
  for (const auto& [key, value] : undamaged) EXPECT_EQ(Get(key), value);
  // Left out from now on; the others can be merged.
  Merge();
  EXPECT_TRUE(std::filesystem::exists(first));
  for (const auto& [key, value] : undamaged) EXPECT_EQ(Get(key), value);
  for (const SegmentChoice& choice : Plan(/*all=*/true).segments) {
    if (choice.id == 1) {
      EXPECT_NE(choice.reason.find("damage"), std::string::npos);
    }
  }
}

// The segment then seems to end before them.
TEST_F(MergeTest, InputThatHasLostItsLastRecordsIsDamagedToo) {
  MakeHalfDead();
  Reopen();
  const std::string first = PathOf("0000000000000001.seg");
  const std::string bytes = ReadFile(first);
  const std::string last = LastKeyIn(bytes);
  const size_t at =
      bytes.rfind(contents_.at(last)) - last.size() - kRecordHeaderBytes;
  {
    std::fstream file(first, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file << std::string(bytes.size() - at, '\0');
  }
  const absl::Status status = store().Merge({.all = true});
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(std::filesystem::exists(first));
  EXPECT_NE(Get(last), "NOT_FOUND");
}

// Else key2 would be gone, its older record having gone with the merge.
TEST_F(MergeTest, TheLogsEndIsMissedWhenItIsCutOffBehindAMerge) {
  MakeHalfDead();
  Merge();
  Put("key2", "what makes a record of an input dead");
  Merge();
  uint64_t last = 0;
  for (const SegmentChoice& choice : Plan(/*all=*/true).segments) {
    if (choice.reason == "records are still being added to it")
      last = choice.id;
  }
  Kill();
  const std::string active =
      PathOf(absl::StrCat(absl::Hex(last, absl::kZeroPad16), ".seg"));
  ASSERT_GT(std::filesystem::file_size(active), kSegmentHeaderBytes);
  std::filesystem::resize_file(active, kSegmentHeaderBytes);
  const absl::Status status = TryOpen();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.ToString().find(active), std::string::npos) << status;
}

TEST_F(MergeTest, FilesWaitForReadersWhoBeganBefore) {
  MakeHalfDead();
  const std::string first = PathOf("0000000000000001.seg");
  std::atomic<bool> merged{false};
  std::thread merge;
  {
    const EpochGuard reader;
    merge = std::thread([&] {
      EXPECT_TRUE(store().Merge({.all = true}).ok());
      merged = true;
    });
    // Time enough for a merge that does not wait.
    for (int i = 0; i < 300 && !merged; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_FALSE(merged);
    EXPECT_TRUE(std::filesystem::exists(first));
  }
  merge.join();
  EXPECT_FALSE(std::filesystem::exists(first));
  ExpectContents();
}

// Else a clock that is set back finds a key gone whose time has not come.
TEST_F(MergeTest, TimeDoesNotGoBackBehindWhatAMergeHasFoundExpired) {
  Put("soon", "gone", {.ttl = absl::Seconds(10)});
  MakeHalfDead();
  Kill();
  Open();  // all is sealed, so there is no place for a mark
  clock.Advance(absl::Seconds(20));
  const int64_t now_ms = absl::ToUnixMillis(clock.WallNow());
  const uint64_t keys = Stat().keys;
  Merge();
  EXPECT_EQ(Stat().keys, keys - 1);
  clock.SetWall(clock.WallNow() - absl::Hours(1));
  Kill();
  options.read_only = true;
  Open();
  EXPECT_GE(Stat().clock_floor_ms, now_ms);
}

TEST_F(MergeTest, FullDiskChangesNothing) {
  MakeHalfDead();
  for (const auto call :
       {FaultyFileSystem::kCreateFile, FaultyFileSystem::kWrite}) {
    const Statistics before = Stat();
    disk_.FailAlways(call, absl::ResourceExhaustedError("no space"));
    EXPECT_TRUE(absl::IsResourceExhausted(store().Merge({.all = true})));
    disk_.Heal(call);
    EXPECT_EQ(Stat().merges, before.merges);
    EXPECT_EQ(Stat().live_bytes, before.live_bytes);
    EXPECT_EQ(SegmentFiles(), Stat().segments);
    EXPECT_FALSE(Stat().latched);
    ExpectContents();
  }
  Merge();
  EXPECT_EQ(Stat().dead_bytes, 0u);
  ExpectContentsNowAndLater();
}

// As a kill before the edit leaves them.
// Whatever was synced last, the edit that installs the outputs included.
TEST_F(MergeTest, FailedSyncLosesNothing) {
  MakeHalfDead();
  absl::Status status;
  int sync = 0;
  do {
    disk_.Fail(FaultyFileSystem::kSyncData, DiskBroken(), ++sync);
    status = store().Merge({.all = true});
    EXPECT_EQ(Stat().latched, !status.ok()) << status;
    Kill();
    disk_.Heal(FaultyFileSystem::kSyncData);
    Open();
    ExpectContents();
  } while (!status.ok());
  EXPECT_GT(sync, 4);
}

TEST_F(MergeTest, OutputsThatNoManifestListsAreDeletedAtOpen) {
  MakeHalfDead();
  Merge();
  Close();
  std::string merged;
  for (const auto& [name, bytes] : ReadDirectory(path())) {
    if (name.ends_with(".seg")) merged = name;
  }
  // Of this store's, with an id that was never used.
  const std::string stray = PathOf("00000000000000ff.seg");
  std::filesystem::copy(PathOf(merged), stray);
  Open();
  EXPECT_EQ(SegmentFiles(), Stat().segments);
  ExpectContents();
}

TEST_F(MergeTest, IsNotForReaders) {
  MakeHalfDead();
  Close();
  options.read_only = true;
  Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(store().Merge()) ||
              absl::IsInvalidArgument(store().Merge()))
      << store().Merge();
}

}  // namespace
}  // namespace stave
