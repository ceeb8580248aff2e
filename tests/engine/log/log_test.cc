#include "engine/log/log.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/base/engine_clock.h"
#include "engine/base/mutex.h"
#include "engine/format/file_names.h"
#include "engine/format/record.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "engine/log/manifest.h"
#include "engine/log/segment_scanner.h"
#include "engine/log/segment_set.h"
#include "engine/log/segment_writer.h"
#include "gtest/gtest.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

using Files = FaultyFileSystem;
using Keys = std::vector<std::string>;

// Holds the header and four records of 32 bytes.
constexpr uint64_t kFourRecords = kSegmentHeaderBytes + 4 * 32;

PendingRecord Record(std::string_view key, std::string_view value) {
  PendingRecord record;
  record.key = key;
  record.value = value;
  record.header.key_size = static_cast<uint16_t>(key.size());
  record.header.value_size = static_cast<uint32_t>(value.size());
  record.header.body = BodyChecksum(key, value);
  return record;
}

// A log in a directory of its own, in segments of kFourRecords. Without
// threads unless a test asks for them, so that it repeats itself exactly.
class LogTest : public testing::Test {
 protected:
  LogTest() : directory_(files_.OpenDirectory(temporary_.path()).value()) {
    ManifestState state;
    state.base.store_id = 1;
    manifest_ = Manifest::Create(directory_.get(), state).value();
  }

  Log::Settings Settings() {
    Log::Settings settings;
    settings.directory = directory_.get();
    settings.manifest = manifest_.get();
    settings.segments = segments_.get();
    settings.clock = &clock_;
    settings.next_capacity = [this] { return capacity_.load(); };
    settings.sync_interval = absl::InfiniteDuration();
    settings.background_threads = false;
    settings.mapped = true;
    return settings;
  }
  void Open() { Open(Settings()); }
  void Open(const Log::Settings& settings) {
    log_ = std::make_unique<Log>(settings, nullptr, 0);
  }
  void OpenWithThreads() {
    Log::Settings settings = Settings();
    settings.background_threads = true;
    Open(settings);
  }

  absl::StatusOr<Log::Place> TryPut(std::string_view key,
                                    std::string_view value) {
    const PendingRecord record = Record(key, value);
    MutexLock lock(&log_->append_mutex());
    const absl::Status room = log_->MakeRoom(record.size());
    if (!room.ok()) return room;
    return log_->Append(record);
  }
  Log::Place Put(std::string_view key, std::string_view value = "") {
    return TryPut(key, value).value();
  }
  absl::StatusOr<std::vector<Log::Place>> TryPutBatch(const Keys& keys) {
    std::vector<PendingRecord> records;
    for (const std::string& key : keys) records.push_back(Record(key, ""));
    MutexLock lock(&log_->append_mutex());
    const absl::Status room = log_->MakeRoom(Log::BatchSize(records));
    if (!room.ok()) return room;
    return log_->AppendBatch(records);
  }
  absl::Status Sync() {
    Sequence last_change = 0;
    {
      MutexLock lock(&log_->append_mutex());
      last_change = log_->last_change();
    }
    return log_->SyncThrough(last_change);
  }

  // What the files hold, as recovery would read them: keys in log order.
  Keys KeysOnDisk() {
    Keys keys;
    Sequence last_sequence = 0;
    for (const ListedSegment& listed : manifest_->state().segments) {
      ScanFile(listed, &last_sequence, [&](const RecordView& record) {
        if (!record.key.empty()) keys.emplace_back(record.key);
      });
    }
    return keys;
  }
  std::vector<SyncMark> MarksOnDisk() {
    std::vector<SyncMark> marks;
    Sequence last_sequence = 0;
    for (const ListedSegment& listed : manifest_->state().segments) {
      ScanFile(listed, &last_sequence, [&](const RecordView& record) {
        SyncMark mark;
        if (DecodeSyncMark(record.value, &mark)) marks.push_back(mark);
      });
    }
    return marks;
  }
  void ScanFile(const ListedSegment& listed, Sequence* last_sequence,
                const std::function<void(const RecordView&)>& visit) {
    const std::string bytes = BytesOf(SegmentFileName(listed.header.id));
    SegmentScanner scanner(bytes,
                           SegmentSeed(listed.header.salt, listed.header.id),
                           /*check_bodies=*/true);
    RecordView record;
    SegmentScanner::Step step;
    while ((step = scanner.Next(&record)) == SegmentScanner::Step::kRecord) {
      EXPECT_EQ(record.header.sequence, ++*last_sequence);
      visit(record);
    }
    EXPECT_EQ(step, SegmentScanner::Step::kCleanEnd) << scanner.problem();
    if (!listed.sealed.has_value()) return;
    EXPECT_EQ(scanner.summary(), *listed.sealed);
    EXPECT_EQ(bytes.size(), listed.sealed->length);
  }
  std::string BytesOf(std::string_view name) {
    auto file = directory_->OpenFile(name, /*writable=*/false).value();
    std::string bytes(file->Size().value(), 'x');
    EXPECT_TRUE(file->Read(0, absl::MakeSpan(bytes.data(), bytes.size())).ok());
    return bytes;
  }

  size_t SealedSegments() {
    size_t sealed = 0;
    for (const ListedSegment& segment : manifest_->state().segments) {
      if (segment.sealed.has_value()) ++sealed;
    }
    return sealed;
  }
  size_t ListedSegments() { return manifest_->state().segments.size(); }

  // For what threads of the log are bound to do at some time.
  static void WaitUntil(const std::function<bool()>& done) {
    while (!done()) std::this_thread::yield();
  }
  static void OnThreads(int count, const std::function<void(int)>& body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
    for (std::thread& thread : threads) thread.join();
  }

  const TemporaryDirectory temporary_;
  FaultyFileSystem files_{PosixFileSystem()};
  const std::unique_ptr<Directory> directory_;
  ManualClock wall_clock_{absl::FromUnixSeconds(1000)};
  EngineClock clock_{&wall_clock_, /*floor_ms=*/0};
  std::atomic<uint64_t> capacity_{kFourRecords};
  const std::unique_ptr<SegmentSet> segments_ = SegmentSet::Create().value();
  std::unique_ptr<Manifest> manifest_;
  std::unique_ptr<Log> log_;
};

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
  EXPECT_EQ(SealedSegments(), 2u);
  EXPECT_EQ(manifest_->state().base.sealed_through, 8u);
  EXPECT_EQ(KeysOnDisk(), keys);
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

TEST_F(LogTest, BatchThatFailsIsNotThere) {
  Log::Settings settings = Settings();
  settings.mapped = false;
  Open(settings);
  Put("a");
  files_.Fail(Files::kWrite, DiskFull(),
              /*nth=*/3);  // After the frame and "b".
  EXPECT_EQ(TryPutBatch({"b", "c"}).status(), DiskFull());
  EXPECT_EQ(Put("d").sequence, 2u);
  EXPECT_EQ(KeysOnDisk(), (Keys{"a", "d"}));
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

TEST_F(LogTest, FailedSyncIsTheErrorOfAllWhoWaitAndOfAllWhoFollow) {
  constexpr int kThreads = 8;
  capacity_ = 1 << 20;
  Open();
  Put("first");
  std::atomic<int> appended{0};
  files_.Before(Files::kSyncData, [&] {
    WaitUntil([&] { return appended.load() == kThreads; });
  });
  files_.Fail(Files::kSyncData, DiskBroken());
  std::vector<absl::Status> statuses(kThreads);
  OnThreads(kThreads, [&](int thread) {
    const Sequence sequence = Put(absl::StrCat("k", thread)).sequence;
    appended.fetch_add(1);
    statuses[thread] = log_->SyncThrough(sequence);
  });
  const absl::Status failure = log_->failure();
  EXPECT_TRUE(absl::IsFailedPrecondition(failure)) << failure;
  EXPECT_NE(std::string(failure.message()).find("the disk is broken"),
            std::string::npos);
  for (const absl::Status& status : statuses) EXPECT_EQ(status, failure);
  EXPECT_EQ(TryPut("late", "").status(), failure);
  EXPECT_EQ(Sync(), failure);
}

TEST_F(LogTest, FailedSyncIsNeverRetried) {
  Open();
  Put("a");
  const int syncs = files_.calls(Files::kSyncData);
  files_.Fail(Files::kSyncData, DiskBroken());
  EXPECT_TRUE(absl::IsFailedPrecondition(Sync()));
  EXPECT_TRUE(absl::IsFailedPrecondition(Sync()));
  EXPECT_TRUE(absl::IsFailedPrecondition(log_->Close()));
  EXPECT_EQ(files_.calls(Files::kSyncData), syncs + 1);
  EXPECT_FALSE(manifest_->state().clean_close.has_value());
}

// The calls by which a log grows, each made to fail.
struct GrowthFault {
  Files::Operation operation;
  int nth;
};
class LogGrowthTest : public LogTest,
                      public testing::WithParamInterface<GrowthFault> {};

INSTANTIATE_TEST_SUITE_P(
    , LogGrowthTest,
    testing::Values(GrowthFault{Files::kSyncData, 1},       // the new header
                    GrowthFault{Files::kSyncDirectory, 1},  // its name
                    GrowthFault{Files::kSyncData, 2},       // the edit
                    GrowthFault{Files::kSyncData, 3},       // the old segment
                    GrowthFault{Files::kSyncData, 4}));     // its seal

TEST_P(LogGrowthTest, FailedSyncOfGrowingIsFinal) {
  Open();
  for (const char* key : {"a", "b", "c", "d"}) Put(key);
  files_.Fail(GetParam().operation, DiskBroken(), GetParam().nth);
  const absl::Status failure = TryPut("e", "").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(failure)) << failure;
  EXPECT_EQ(failure, log_->failure());
  EXPECT_EQ(TryPut("f", "").status(), failure);
  EXPECT_EQ(Sync(), failure);
  EXPECT_EQ(KeysOnDisk(), (Keys{"a", "b", "c", "d"}));
}

TEST_F(LogTest, FullDiskIsMetBeforeARecordAndForgottenAfterwards) {
  Open();
  for (const char* key : {"a", "b", "c", "d"}) Put(key);
  for (const auto operation :
       {Files::kAllocate, Files::kCreateFile, Files::kWrite}) {
    files_.Fail(operation, DiskFull());
    EXPECT_EQ(TryPut("e", "").status(), DiskFull()) << operation;
    EXPECT_EQ(log_->failure(), absl::OkStatus());
    EXPECT_EQ(ListedSegments(), 1u);
  }
  EXPECT_EQ(Put("f").sequence, 5u);
  EXPECT_EQ(KeysOnDisk(), (Keys{"a", "b", "c", "d", "f"}));
}

TEST_F(LogTest, FullDiskDuringTheManifestsEditLeavesNoSegment) {
  Open();
  ASSERT_EQ(manifest_->Trim(), absl::OkStatus());
  files_.Fail(Files::kAllocate, DiskFull(),
              /*nth=*/2);  // The segment's comes first.
  EXPECT_EQ(TryPut("a", "").status(), DiskFull());
  EXPECT_EQ(directory_->List()->size(), 1u);  // The manifest.
  Put("b");
  EXPECT_EQ(KeysOnDisk(), Keys{"b"});
}

TEST_F(LogTest, RetriesOnAFullDiskUseUpNoLocations) {
  capacity_ = uint64_t{4} << 30;  // 2048 of them are all that a store holds.
  Open();
  files_.FailAlways(Files::kAllocate, DiskFull());
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(TryPut("a", "").status(), DiskFull());
  }
  files_.Heal(Files::kAllocate);
  Put("b");
  EXPECT_EQ(KeysOnDisk(), Keys{"b"});
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

TEST_F(LogTest, FileThatCannotBeUnlinkedIsNobodysError) {
  OpenWithThreads();
  for (int i = 0; i < 5; ++i) Put(absl::StrCat("k", i));
  WaitUntil([&] { return ListedSegments() == 3; });
  files_.FailAlways(Files::kUnlink, DiskBroken());
  Put("large", std::string(10'000, 'v'));
  ASSERT_EQ(log_->Close(), absl::OkStatus());
  EXPECT_EQ(KeysOnDisk().size(), 6u);
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

}  // namespace
}  // namespace stave
