#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/types.h"
#include "engine/log/log.h"
#include "engine/log/manifest.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/log/log_fixture.h"

namespace stave {
namespace {

// A log on a disk that is full or broken.
class LogFaultTest : public LogFixture {};

TEST_F(LogFaultTest, BatchThatFailsIsNotThere) {
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

// Behind records that are as long as what the batch has left, one of its own
// would follow in place and sequence.
TEST_F(LogFaultTest, BatchThatFailsIsNotThereBehindLaterRecordsEither) {
  capacity_ = 4096;
  Log::Settings settings = Settings();
  settings.mapped = false;
  Open(settings);
  Put("a");
  const std::string long_key(kRecordAlignment + 8, 'b');
  files_.Fail(Files::kWrite, DiskFull(), /*nth=*/4);  // that of "d"
  EXPECT_EQ(TryPutBatch({long_key, "c", "d"}).status(), DiskFull());
  Put("e");
  Put("f");
  EXPECT_EQ(KeysOnDisk(), (Keys{"a", "e", "f"}));
}

// What such a write has left behind the end, nobody knows (I7).
TEST_F(LogFaultTest, FailedWriteOfARecordIsFinal) {
  Log::Settings settings = Settings();
  settings.mapped = false;
  Open(settings);
  Put("a");
  files_.Fail(Files::kWrite, DiskBroken());
  const absl::Status failure = TryPut("b", "").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(failure)) << failure;
  EXPECT_EQ(TryPut("c", "").status(), failure);
  EXPECT_EQ(Sync(), failure);
  EXPECT_EQ(KeysOnDisk(), Keys{"a"});
}

TEST_F(LogFaultTest, PartOfARecordThatCannotBeCutOffIsFinal) {
  Log::Settings settings = Settings();
  settings.mapped = false;
  Open(settings);
  Put("a");
  files_.Fail(Files::kWrite, DiskFull());
  files_.Fail(Files::kTruncate, DiskBroken());
  const absl::Status failure = TryPut("b", "").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(failure)) << failure;
  EXPECT_EQ(TryPut("c", "").status(), failure);
  EXPECT_EQ(KeysOnDisk(), Keys{"a"});
}

TEST_F(LogFaultTest, FailedSyncIsTheErrorOfAllWhoWaitAndOfAllWhoFollow) {
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

TEST_F(LogFaultTest, FailedSyncIsNeverRetried) {
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

// I2: what is appended while a sync goes on may have missed it.
TEST_F(LogFaultTest, SyncVouchesForWhatWasThereWhenItBegan) {
  Open();
  Put("a");
  Sequence late = 0;
  files_.Before(Files::kSyncData, [&] {
    if (late == 0) late = Put("b").sequence;
  });
  ASSERT_EQ(Sync(), absl::OkStatus());
  ASSERT_NE(late, 0u);
  const int syncs = files_.calls(Files::kSyncData);
  ASSERT_EQ(log_->SyncThrough(late), absl::OkStatus());
  EXPECT_EQ(files_.calls(Files::kSyncData), syncs + 1);
}

// The calls by which a log grows, each made to fail.
struct GrowthFault {
  Files::Operation operation;
  int nth;
};
class LogGrowthTest : public LogFixture,
                      public testing::WithParamInterface<GrowthFault> {};

INSTANTIATE_TEST_SUITE_P(
    , LogGrowthTest,
    testing::Values(GrowthFault{Files::kSyncData, 1},       // the new header
                    GrowthFault{Files::kSyncDirectory, 1},  // its name
                    GrowthFault{Files::kSyncData, 2}));     // the edit

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

TEST_F(LogFaultTest, SealThatFindsNoSpaceIsMadeLater) {
  Open();
  Put("a");
  ASSERT_EQ(manifest_->Trim(), absl::OkStatus());  // its space for edits
  files_.FailAlways(Files::kAllocate, DiskFull());
  EXPECT_EQ(log_->SealActive(), DiskFull());
  EXPECT_EQ(Sync(), DiskFull());
  EXPECT_EQ(log_->failure(), absl::OkStatus());
  files_.Heal(Files::kAllocate);
  EXPECT_EQ(Sync(), absl::OkStatus());
  EXPECT_TRUE(manifest_->state().segments.front().sealed.has_value());
  Put("b");
  EXPECT_EQ(KeysOnDisk(), (Keys{"a", "b"}));
}

TEST_F(LogFaultTest, SealHasTheReserveOnAFullDisk) {
  Log::Settings settings = Settings();
  settings.reserve_bytes = 64 << 10;
  Open(settings);
  Put("a");
  ASSERT_EQ(manifest_->Trim(), absl::OkStatus());  // its space for edits
  ASSERT_GT(BytesOf("RESERVE").size(), 0u);
  files_.FailAlways(Files::kAllocate, DiskFull());
  int cuts = 0;  // of the segment, then of RESERVE
  files_.Before(Files::kTruncate, [&] {
    if (++cuts == 2) files_.Heal(Files::kAllocate);
  });
  EXPECT_EQ(log_->SealActive(), absl::OkStatus());
  EXPECT_EQ(KeysOnDisk(), Keys{"a"});
}

// A seal's syncs: that of the segment, that of the edit.
class LogSealTest : public LogFixture,
                    public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(, LogSealTest, testing::Values(1, 2));

TEST_P(LogSealTest, FailedSyncIsFinal) {
  Open();
  for (const char* key : {"a", "b", "c", "d", "e"}) Put(key);
  files_.Fail(Files::kSyncData, DiskBroken(), GetParam());
  const absl::Status failure = Sync();
  EXPECT_TRUE(absl::IsFailedPrecondition(failure)) << failure;
  EXPECT_EQ(failure, log_->failure());
  EXPECT_EQ(TryPut("f", "").status(), failure);
  EXPECT_EQ(Sync(), failure);
  EXPECT_EQ(KeysOnDisk(), (Keys{"a", "b", "c", "d", "e"}));
}

TEST_F(LogFaultTest, FullDiskDuringASealIsForgottenAfterwards) {
  Open();
  for (const char* key : {"a", "b", "c", "d", "e"}) Put(key);
  files_.Fail(Files::kWrite, DiskFull());  // the edit
  EXPECT_EQ(Sync(), DiskFull());
  EXPECT_EQ(SealedSegments(), 0u);
  EXPECT_EQ(Sync(), absl::OkStatus());
  EXPECT_EQ(SealedSegments(), 1u);
  EXPECT_EQ(KeysOnDisk(), (Keys{"a", "b", "c", "d", "e"}));
}

TEST_F(LogFaultTest, FullDiskIsMetBeforeARecordAndForgottenAfterwards) {
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

TEST_F(LogFaultTest, FullDiskDuringTheManifestsEditLeavesNoSegment) {
  Open();
  ASSERT_EQ(manifest_->Trim(), absl::OkStatus());
  files_.Fail(Files::kAllocate, DiskFull(),
              /*nth=*/2);  // The segment's comes first.
  EXPECT_EQ(TryPut("a", "").status(), DiskFull());
  EXPECT_EQ(directory_->List()->size(), 1u);  // The manifest.
  Put("b");
  EXPECT_EQ(KeysOnDisk(), Keys{"b"});
}

TEST_F(LogFaultTest, RetriesOnAFullDiskUseUpNoLocations) {
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

TEST_F(LogFaultTest, FileThatCannotBeUnlinkedIsNobodysError) {
  OpenWithThreads();
  for (int i = 0; i < 5; ++i) Put(absl::StrCat("k", i));
  WaitUntil([&] { return ListedSegments() == 3; });
  files_.FailAlways(Files::kUnlink, DiskBroken());
  Put("large", std::string(10'000, 'v'));
  ASSERT_EQ(log_->Close(), absl::OkStatus());
  EXPECT_EQ(KeysOnDisk().size(), 6u);
}

}  // namespace
}  // namespace stave
