#include "engine/log/log.h"

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/base/types.h"
#include "engine/format/file_names.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/log/manifest.h"
#include "engine/log/segment_writer.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/log/log_fixture.h"

namespace stave {
namespace {

// A log on a disk without faults.
class LogTest : public LogFixture {};

TEST_F(LogTest, FirstRecordMakesTheFirstSegment) {
  Open();
  EXPECT_EQ(ListedSegments(), 0u);
  const Log::Place place = Put("a");
  EXPECT_EQ(place.sequence, 1u);
  EXPECT_EQ(place.offset, kSegmentHeaderBytes);
  EXPECT_EQ(place.segment->id(), 1u);
  EXPECT_EQ(segments_->Find(place.location()), place.segment);
  EXPECT_EQ(KeysOnDisk(), Keys{"a"});
}

TEST_F(LogTest, FullSegmentsAreSealedInTheirOrder) {
  Open();
  Keys keys;
  for (int i = 0; i < 10; ++i) {
    keys.push_back(absl::StrCat("k", i));
    Put(keys.back());
  }
  EXPECT_EQ(ListedSegments(), 3u);
  EXPECT_EQ(SealedSegments(), 0u);
  ASSERT_EQ(Sync(), absl::OkStatus());
  EXPECT_EQ(SealedSegments(), 2u);
  EXPECT_EQ(manifest_->state().base.sealed_through, 8u);
  EXPECT_EQ(KeysOnDisk(), keys);
}

// Whoever waits for full segments to be sealed looks again when it is told.
TEST_F(LogTest, ASegmentThatIsSealedIsNoLongerAFullOne) {
  std::vector<bool> waiting;
  Log::Settings settings = Settings();
  settings.sealed = [&](const auto&, const auto&) {
    waiting.push_back(log_->has_rolled());
  };
  Open(settings);
  for (const char* key : {"a", "b", "c", "d", "e", "f", "g", "h", "i"}) {
    Put(key);
  }
  EXPECT_TRUE(log_->has_rolled());
  ASSERT_TRUE(log_->SealRolled().ok());
  EXPECT_EQ(waiting, (std::vector<bool>{true, false}));
}

TEST_F(LogTest, RecordLargerThanASegmentGetsOneOfItsOwn) {
  Open();
  Put("a");
  const Log::Place large = Put("large", std::string(10'000, 'v'));
  Put("b");
  EXPECT_EQ(
      large.segment->capacity(),
      kSegmentHeaderBytes + Record("large", std::string(10'000, 'v')).size());
  EXPECT_EQ(KeysOnDisk(), (Keys{"a", "large", "b"}));
  EXPECT_EQ(ListedSegments(), 3u);
}

TEST_F(LogTest, BatchLiesInOneSegment) {
  Open();
  Put("a");
  Put("b");
  const auto places = TryPutBatch({"c", "d"});
  ASSERT_TRUE(places.ok()) << places.status();
  EXPECT_EQ((*places)[0].segment, (*places)[1].segment);
  EXPECT_EQ((*places)[0].segment->id(), 2u);
  EXPECT_EQ((*places)[0].sequence, 4u);  // The frame has a sequence, too.
  EXPECT_EQ(KeysOnDisk(), (Keys{"a", "b", "c", "d"}));
}

TEST_F(LogTest, SyncMarkSaysWhatIsOnTheDevice) {
  Open();
  const Log::Place first = Put("a");
  ASSERT_EQ(Sync(), absl::OkStatus());
  const std::vector<SyncMark> marks = MarksOnDisk();
  ASSERT_EQ(marks.size(), 1u);
  EXPECT_EQ(marks[0].segment, first.segment->id());
  EXPECT_EQ(marks[0].length, first.offset + 32);
  EXPECT_EQ(marks[0].clock_floor_ms, 1'000'000);
}

// What comes while the device is busy may miss that sync.
TEST_F(LogTest, SyncMarkSpeaksOfTheTimeWhenTheSyncBegan) {
  Open();
  const Log::Place before = Put("a");
  files_.Before(Files::kSyncData, [&] { Put("b"); });
  ASSERT_EQ(log_->SyncThrough(before.sequence), absl::OkStatus());
  files_.Before(Files::kSyncData, nullptr);
  ASSERT_EQ(MarksOnDisk().size(), 1u);
  EXPECT_EQ(MarksOnDisk()[0].length, before.offset + 32);
}

TEST_F(LogTest, SyncOfWhatIsOnTheDeviceCostsNothing) {
  Open();
  Put("a");
  ASSERT_EQ(Sync(), absl::OkStatus());
  const int syncs = files_.calls(Files::kSyncData);
  EXPECT_EQ(Sync(), absl::OkStatus());
  EXPECT_EQ(log_->SyncThrough(0), absl::OkStatus());
  EXPECT_EQ(files_.calls(Files::kSyncData), syncs);
  EXPECT_EQ(MarksOnDisk().size(), 1u);
}

TEST_F(LogTest, SegmentWithoutRoomForAMarkIsSyncedWithoutOne) {
  Open();
  for (const char* key : {"a", "b", "c", "d"}) Put(key);
  EXPECT_EQ(Sync(), absl::OkStatus());
  EXPECT_TRUE(MarksOnDisk().empty());
  EXPECT_EQ(log_->syncs(), 1u);
}

// Of the mark that came after the last one.
TEST_F(LogTest, CloseCountsItsFlush) {
  Open();
  Put("a");
  EXPECT_EQ(Sync(), absl::OkStatus());
  EXPECT_EQ(log_->syncs(), 1u);
  EXPECT_EQ(log_->Close(), absl::OkStatus());
  EXPECT_EQ(log_->syncs(), 2u);
}

TEST_F(LogTest, ThreadsThatWaitShareASync) {
  constexpr int kThreads = 16;
  capacity_ = 1 << 20;
  Open();
  Put("first");
  // Holds the first sync up until everybody has something to wait for.
  std::atomic<int> appended{0};
  files_.Before(Files::kSyncData, [&] {
    WaitUntil([&] { return appended.load() == kThreads; });
  });
  const int syncs = files_.calls(Files::kSyncData);
  OnThreads(kThreads, [&](int thread) {
    const Sequence sequence = Put(absl::StrCat("k", thread)).sequence;
    appended.fetch_add(1);
    EXPECT_EQ(log_->SyncThrough(sequence), absl::OkStatus());
  });
  // The second one was for all who came during the first.
  EXPECT_LE(files_.calls(Files::kSyncData) - syncs, 2);
}

TEST_F(LogTest, CloseSyncsTrimsAndSaysSo) {
  Open();
  for (const char* key : {"a", "b", "c", "d", "e"}) Put(key);
  ASSERT_EQ(log_->Close(), absl::OkStatus());
  const LoadedManifest loaded = Manifest::Load(directory_.get()).value();
  ASSERT_TRUE(loaded.state.clean_close.has_value());
  EXPECT_TRUE(loaded.whole_file);
  EXPECT_EQ(loaded.state.clean_close->id, 2u);
  EXPECT_EQ(loaded.state.clean_close->summary.greatest_sequence, 5u);
  // With the mark of the last sync.
  EXPECT_EQ(loaded.state.clean_close->summary.length,
            BytesOf(SegmentFileName(2)).size());
  EXPECT_EQ(loaded.state.base.clock_floor_ms, 1'000'000);
  EXPECT_EQ(BytesOf("MANIFEST-1").size(), loaded.length);
}

TEST_F(LogTest, LogThatWasNeverUsedClosesWithoutASegment) {
  Open();
  ASSERT_EQ(log_->Close(), absl::OkStatus());
  EXPECT_EQ(manifest_->state().clean_close->id, 0u);
  EXPECT_EQ(ListedSegments(), 0u);
}

TEST_F(LogTest, NothingIsAppendedAfterClose) {
  Open();
  Put("a");
  ASSERT_EQ(log_->Close(), absl::OkStatus());
  EXPECT_EQ(TryPut("b", "").status(),
            absl::FailedPreconditionError("the store is closed"));
}

TEST_F(LogTest, ResumedLogGoesOnInItsSegment) {
  Open();
  const Log::Place place = Put("a");
  ASSERT_EQ(log_->Close(), absl::OkStatus());
  const auto close = *manifest_->state().clean_close;
  auto writer = SegmentWriter::Resume(segments_->All().front(), close.summary,
                                      /*mapped=*/true);
  log_ = std::make_unique<Log>(Settings(), std::move(writer),
                               close.summary.greatest_sequence);
  EXPECT_EQ(Put("b").segment, place.segment);
  ASSERT_EQ(log_->Close(), absl::OkStatus());
  EXPECT_EQ(KeysOnDisk(), (Keys{"a", "b"}));
}

TEST_F(LogTest, ThreadsSealFullSegmentsAndPrepareTheNext) {
  OpenWithThreads();
  for (int i = 0; i < 5; ++i) Put(absl::StrCat("k", i));
  WaitUntil([&] { return SealedSegments() == 1 && ListedSegments() == 3; });
  EXPECT_EQ(KeysOnDisk().size(), 5u);
  ASSERT_EQ(log_->Close(), absl::OkStatus());
  EXPECT_EQ(ListedSegments(), 2u);  // The one that was ready is gone.
  EXPECT_EQ(directory_->List()->size(), 3u);
}

TEST_F(LogTest, PreparedSegmentMakesWayForALargerRecord) {
  OpenWithThreads();
  for (int i = 0; i < 5; ++i) Put(absl::StrCat("k", i));
  WaitUntil([&] { return ListedSegments() == 3; });
  Put("large", std::string(10'000, 'v'));
  EXPECT_EQ(KeysOnDisk().back(), "large");
  EXPECT_EQ(manifest_->state().removed.size(), 1u);
  ASSERT_EQ(log_->Close(), absl::OkStatus());
}

TEST_F(LogTest, ThreadsSyncEachInterval) {
  Log::Settings settings = Settings();
  settings.background_threads = true;
  settings.sync_interval = absl::Milliseconds(1);
  Open(settings);
  for (uint64_t i = 0; i < 3; ++i) {
    Put("a", std::string(i, 'v'));
    WaitUntil([&] { return log_->syncs() > i; });
  }
  ASSERT_EQ(log_->Close(), absl::OkStatus());
}

// I3 and I1, with everything at once.
TEST_F(LogTest, ManyThreadsAppendAndSync) {
  constexpr int kThreads = 4;
  constexpr int kRecords = 100;
  OpenWithThreads();
  OnThreads(kThreads, [&](int thread) {
    for (int i = 0; i < kRecords; ++i) {
      const Log::Place place = Put(absl::StrCat("t", thread, ".", i));
      if (i % 8 != 0) continue;
      ASSERT_EQ(log_->SyncThrough(place.sequence), absl::OkStatus());
      for (const ListedSegment& listed : manifest_->state().segments) {
        if (listed.header.id == place.segment->id()) break;
        EXPECT_TRUE(listed.sealed.has_value());
      }
    }
  });
  ASSERT_EQ(log_->Close(), absl::OkStatus());
  const Keys keys = KeysOnDisk();
  EXPECT_EQ(keys.size(), size_t{kThreads} * kRecords);
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(),
            keys.size());
}

TEST_F(LogTest, WhatWasAppendedBeforeCloseIsThere) {
  OpenWithThreads();
  std::atomic<int> appended{0};
  std::thread writer([&] {
    while (TryPut(absl::StrCat("k", appended.load()), "").ok()) {
      appended.fetch_add(1);
    }
  });
  WaitUntil([&] { return appended.load() > 20; });
  EXPECT_EQ(log_->Close(), absl::OkStatus());
  writer.join();
  EXPECT_EQ(KeysOnDisk().size(), static_cast<size_t>(appended.load()));
  EXPECT_TRUE(manifest_->state().clean_close.has_value());
}

TEST_F(LogTest, LogThatIsNotClosedStopsItsThreads) {
  OpenWithThreads();
  Put("a");
  log_ = nullptr;
  EXPECT_EQ(KeysOnDisk(), Keys{"a"});
  EXPECT_FALSE(manifest_->state().clean_close.has_value());
}

// I12: the floor is in front of what the flush covers.

TEST_F(LogTest, AFlushTakesTheClocksFloorAlong) {
  capacity_ = 1 << 20;
  Open();
  Put("a");
  wall_clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(clock_.HasExpired(1'000'500, clock_.NowMs()));
  const int before = files_.calls(Files::kSyncData);
  ASSERT_EQ(Sync(), absl::OkStatus());
  EXPECT_FALSE(clock_.FloorIsDue());
  ASSERT_EQ(log_->SyncClockFloor(), absl::OkStatus());
  EXPECT_EQ(files_.calls(Files::kSyncData), before + 1);
  ASSERT_EQ(MarksOnDisk().size(), 2u);
  EXPECT_EQ(MarksOnDisk()[0].length, kSegmentHeaderBytes);
  EXPECT_GE(MarksOnDisk()[0].clock_floor_ms, clock_.expiry_seen_ms());
}

TEST_F(LogTest, TheFloorIsFlushedThoughNothingElseIs) {
  capacity_ = 1 << 20;
  Open();
  Put("a");
  ASSERT_EQ(Sync(), absl::OkStatus());
  wall_clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(clock_.HasExpired(1'000'500, clock_.NowMs()));
  const ManifestState before = manifest_->state();
  ASSERT_EQ(log_->SyncClockFloor(), absl::OkStatus());
  EXPECT_FALSE(clock_.FloorIsDue());
  EXPECT_EQ(manifest_->state().base.clock_floor_ms, before.base.clock_floor_ms);
}

TEST_F(LogTest, AMarkThatTellsTheTimeAlreadyIsOnlyFlushed) {
  capacity_ = 1 << 20;
  Open();
  Put("a");
  wall_clock_.Advance(absl::Seconds(1));
  ASSERT_EQ(Sync(), absl::OkStatus());
  ASSERT_TRUE(clock_.HasExpired(1'000'500, clock_.NowMs()));
  const size_t marks = MarksOnDisk().size();
  ASSERT_EQ(log_->SyncClockFloor(), absl::OkStatus());
  EXPECT_FALSE(clock_.FloorIsDue());
  EXPECT_EQ(MarksOnDisk().size(), marks + 1);  // that of the flush
}

TEST_F(LogTest, TheFloorIsInTheManifestBeforeThereIsALog) {
  Open();
  ASSERT_TRUE(clock_.HasExpired(1, clock_.NowMs()));
  ASSERT_EQ(log_->SyncClockFloor(), absl::OkStatus());
  EXPECT_FALSE(clock_.FloorIsDue());
  EXPECT_EQ(manifest_->state().base.clock_floor_ms, clock_.NowMs());
}

}  // namespace
}  // namespace stave
