#include "engine/log/manifest.h"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "engine/format/file_names.h"
#include "engine/format/manifest_edit.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/log/manifest_fixture.h"

namespace stave {
namespace {

// What becomes of a manifest that is written to.
class ManifestTest : public ManifestFixture {
 protected:
  // By edits that say little, so that it is worth being written anew.
  void MakeLong() {
    const ManifestEdit edit(2000, ClockFloorChange{1});
    while (Load().length < 320 << 10) Append(edit);
  }
};

TEST_F(ManifestTest, NewManifestHoldsItsBase) {
  Create();
  const LoadedManifest loaded = Load();
  EXPECT_EQ(loaded.number, 1u);
  EXPECT_TRUE(loaded.whole_file);
  EXPECT_EQ(loaded.state.base.store_id, 0xabcu);
  EXPECT_EQ(loaded.state.base.hash_secret, manifest_->state().base.hash_secret);
  EXPECT_TRUE(loaded.state.segments.empty());
  EXPECT_EQ(Names(), std::vector<std::string>{"MANIFEST-1"});
}

TEST_F(ManifestTest, EditsComeBackInTheirOrder) {
  Create();
  Append(Add(5));
  Append(Add(3));
  Append({SealSegmentChange{5, {64, 1, 2, 2, 77}}, ClockFloorChange{100}});
  Append(Add(9));
  Append(Remove(3));
  Append({ClockFloorChange{50}});
  Append({SyncedChange{9, 300}, SyncedChange{5, 400}});
  Append({SyncedChange{9, 200}});
  const ManifestState state = Load().state;
  EXPECT_EQ(Segments(), (Ids{5, 9}));
  EXPECT_EQ(state.segments[0].sealed, (SegmentSummary{64, 1, 2, 2, 77}));
  EXPECT_EQ(state.segments[1].header.salt, 9u * 31);
  EXPECT_FALSE(state.segments[1].sealed.has_value());
  EXPECT_EQ(state.segments[0].synced_length, 0u);
  EXPECT_EQ(state.segments[1].synced_length, 300u);
  EXPECT_EQ(state.removed, Ids{3});
  EXPECT_EQ(state.base.sealed_through, 2u);
  EXPECT_EQ(state.base.clock_floor_ms, 100);
}

TEST_F(ManifestTest, EditIsSyncedWhenAppendReturns) {
  Create();
  const int syncs = files_.calls(Files::kSyncData);
  Append(Add(1));
  EXPECT_EQ(files_.calls(Files::kSyncData), syncs + 1);
}

TEST_F(ManifestTest, SpaceThatWasReservedIsGivenBack) {
  Create();
  Append(Add(1));
  EXPECT_GT(BytesOf("MANIFEST-1").size(), Load().length);
  EXPECT_TRUE(Load().whole_file);
  ASSERT_EQ(manifest_->Trim(), absl::OkStatus());
  EXPECT_EQ(BytesOf("MANIFEST-1").size(), Load().length);
  Append(Add(2));
  EXPECT_EQ(Segments(), (Ids{1, 2}));
}

TEST_F(ManifestTest, ResumedManifestGoesOnWhereItEnded) {
  Create();
  Append(Add(1));
  Append(Close(1));
  ASSERT_EQ(manifest_->Trim(), absl::OkStatus());
  Resume();
  Append(Add(2));
  EXPECT_EQ(Segments(), (Ids{1, 2}));
  EXPECT_EQ(Load().number, 1u);
}

// A sync that failed leaves what it was for in the page cache, and nobody to
// remember that: later edits would follow a hole.
TEST_F(ManifestTest, LastEditIsWrittenAgainWithTheFirstOneAfterAClose) {
  Create();
  Append(Add(1));
  const uint64_t closed_at = Load().length;
  Append(Close(1));
  ASSERT_EQ(manifest_->Trim(), absl::OkStatus());
  Resume();
  std::string bytes = FirstManifest();
  bytes.replace(closed_at, bytes.size() - closed_at, bytes.size() - closed_at,
                '\0');
  ASSERT_EQ(directory_->OpenFile("MANIFEST-1", true).value()->Write(0, bytes),
            absl::OkStatus());
  Append(Add(2));
  EXPECT_EQ(Segments(), (Ids{1, 2}));
}

TEST_F(ManifestTest, ReplacedManifestSaysTheSame) {
  Create();
  Append(Add(1));
  Append(Seal(1, 9));
  Append({AddSegmentChange{{SegmentKind::kLog, 2, 5}, 512}});
  Append({ClockFloorChange{77}});
  ASSERT_EQ(Replace(), absl::OkStatus());
  EXPECT_EQ(Names(), std::vector<std::string>{"MANIFEST-2"});
  const ManifestState state = Load().state;
  EXPECT_EQ(Segments(), (Ids{1, 2}));
  EXPECT_EQ(state.segments[0].sealed, (SegmentSummary{4096, 1, 9, 9, 0}));
  EXPECT_EQ(state.segments[1].synced_length, 512u);
  EXPECT_EQ(state.base.store_id, 0xabcu);
  EXPECT_EQ(state.base.next_segment_id, 3u);
  EXPECT_EQ(state.base.sealed_through, 9u);
  EXPECT_EQ(state.base.clock_floor_ms, 77);
}

TEST_F(ManifestTest, TheLatestIncarnationsAreRemembered) {
  Create();
  for (uint64_t i = 1; i <= kMostIncarnations + 3; ++i) {
    Append({IncarnationChange{i, 10 * i}});
  }
  ASSERT_EQ(Replace(), absl::OkStatus());
  const auto incarnations = Load().state.incarnations;
  ASSERT_EQ(incarnations.size(), kMostIncarnations);
  EXPECT_EQ(incarnations.front().id, 4u);
  EXPECT_EQ(incarnations.back().id, kMostIncarnations + 3);
  EXPECT_EQ(incarnations.back().since, 10 * (kMostIncarnations + 3));
}

TEST_F(ManifestTest, ABackupIsOneUntilItsSegmentsChange) {
  Create();
  Append(Add(1));
  Append(Seal(1, 9));
  Append({BackupChange{true, 7}});
  Append({ForgetSegmentChange{5}, ClockFloorChange{77}, CleanCloseChange{}});
  ASSERT_EQ(Replace(), absl::OkStatus());
  ASSERT_TRUE(Load().state.backup.has_value());
  EXPECT_EQ(Load().state.backup->store_id, 7u);
  for (const ManifestEdit& change :
       {Add(2), Remove(1),
        ManifestEdit{
            InstallSegmentChange{{SegmentKind::kMerged, 3, 9}, {4096}, 1}}}) {
    ManifestState state = Load().state;
    ASSERT_EQ(state.Apply(change), absl::OkStatus());
    EXPECT_FALSE(state.backup.has_value());
  }
}

TEST_F(ManifestTest, ReplacedManifestTakesEdits) {
  Create();
  Append(Add(1));
  ASSERT_EQ(Replace(), absl::OkStatus());
  Append(Add(2));
  ASSERT_EQ(Replace(), absl::OkStatus());
  Append(Add(3));
  EXPECT_EQ(Segments(), (Ids{1, 2, 3}));
  EXPECT_EQ(Names(), std::vector<std::string>{"MANIFEST-3"});
}

TEST_F(ManifestTest, ReplacementThatFailsLeavesTheOldOneCounting) {
  Create();
  Append(Add(1));
  for (const auto operation : {Files::kCreateFile, Files::kWrite,
                               Files::kSyncData, Files::kSyncDirectory}) {
    files_.Fail(operation, DiskBroken());
    EXPECT_EQ(Replace(), DiskBroken());
    EXPECT_EQ(Load().number, 1u);
    EXPECT_EQ(Segments(), Ids{1});
  }
  EXPECT_EQ(Replace(), absl::OkStatus());
}

TEST_F(ManifestTest, UnfinishedManifestsAreRemovedByReplacing) {
  Create();
  Append(Add(1));
  SetBytes("MANIFEST-2", "");
  SetBytes("MANIFEST-7", "torn");
  ASSERT_EQ(Replace(), absl::OkStatus());
  EXPECT_EQ(Segments(), Ids{1});
  EXPECT_EQ(Names().size(), 1u);
}

TEST_F(ManifestTest, RemovedSegmentsAreUnlinkedAndForgotten) {
  Create();
  Append(Add(1));
  Append(Add(2));
  Append(Add(3));
  Append(Remove(1));
  Append(Remove(3));
  SetBytes(SegmentFileName(1), "");  // The file of 3 is gone already.
  SetBytes(SegmentFileName(2), "");
  EXPECT_EQ(Load().state.removed, (Ids{1, 3}));
  ASSERT_EQ(Replace(), absl::OkStatus());
  EXPECT_EQ(Names(),
            (std::vector<std::string>{SegmentFileName(2), "MANIFEST-2"}));
  EXPECT_TRUE(Load().state.removed.empty());
}

TEST_F(ManifestTest, ResumingFinishesUnlinksToo) {
  Create();
  Append(Add(1));
  Append(Remove(1));
  Append(Close(0));
  SetBytes(SegmentFileName(1), "");
  Resume();
  EXPECT_EQ(Names(), std::vector<std::string>{"MANIFEST-1"});
  EXPECT_TRUE(Load().state.removed.empty());
}

// The edit that removed it may have been in the page cache alone.
TEST_F(ManifestTest, NothingIsUnlinkedBeforeTheNewManifestIsDurable) {
  Create();
  Append(Add(1));
  Append(Remove(1));
  SetBytes(SegmentFileName(1), "");
  files_.Fail(Files::kSyncDirectory, DiskBroken());
  EXPECT_EQ(Replace(), DiskBroken());
  EXPECT_EQ(Names(),
            (std::vector<std::string>{SegmentFileName(1), "MANIFEST-1"}));
}

// Else the old one could come back, and miss them.
TEST_F(ManifestTest, NoSegmentIsUnlinkedBeforeTheOldManifestIsGoneForGood) {
  Create();
  Append(Add(1));
  Append(Remove(1));
  SetBytes(SegmentFileName(1), "");
  files_.Fail(Files::kSyncDirectory, DiskBroken(), /*nth=*/2);
  EXPECT_EQ(Replace(), DiskBroken());
  EXPECT_EQ(Names(),
            (std::vector<std::string>{SegmentFileName(1), "MANIFEST-2"}));
}

TEST_F(ManifestTest, NoSegmentIsForgottenBeforeItIsGoneForGood) {
  Create();
  Append(Add(1));
  Append(Remove(1));
  SetBytes(SegmentFileName(1), "");
  files_.Fail(Files::kSyncDirectory, DiskBroken(), /*nth=*/3);
  EXPECT_EQ(Replace(), DiskBroken());
  EXPECT_EQ(Load().state.removed, Ids{1});
}

// What a long manifest had left of its space goes with it.
TEST_F(ManifestTest, ShorteningKeepsSpaceForSeals) {
  Create();
  MakeLong();
  ASSERT_EQ(manifest_->ShortenIfLong(), absl::OkStatus());
  ASSERT_EQ(Load().number, 2u);
  files_.FailAlways(Files::kAllocate, DiskFull());
  Append(Add(1));
  Append({SealSegmentChange{1, {64, 1, 2, 2, 77}}});
  EXPECT_EQ(Segments(), Ids{1});
}

TEST_F(ManifestTest, ShorteningThatFindsNoSpaceLeavesTheOldOne) {
  Create();
  MakeLong();
  files_.FailAlways(Files::kAllocate, DiskFull());
  EXPECT_EQ(manifest_->ShortenIfLong(), DiskFull());
  EXPECT_EQ(Names(), std::vector<std::string>{"MANIFEST-1"});
  files_.Heal(Files::kAllocate);
  Append(Add(1));
  EXPECT_EQ(Segments(), Ids{1});
  EXPECT_EQ(manifest_->ShortenIfLong(), absl::OkStatus());
  EXPECT_EQ(Segments(), Ids{1});
}

TEST_F(ManifestTest, UnlinkThatFailsIsRemembered) {
  Create();
  Append(Add(1));
  Append(Remove(1));
  SetBytes(SegmentFileName(1), "");
  files_.Fail(Files::kUnlink, DiskBroken(), /*nth=*/2);  // After MANIFEST-1's.
  EXPECT_EQ(Replace(), DiskBroken());
  EXPECT_EQ(Load().number, 2u);
  EXPECT_TRUE(Segments().empty());
  EXPECT_EQ(Load().state.removed, Ids{1});
}

TEST_F(ManifestTest, IdsAreNeverUsedAgain) {
  Create();
  EXPECT_EQ(manifest_->NextSegmentId(), 1u);
  EXPECT_EQ(manifest_->NextSegmentId(), 2u);
  Append(Add(7));
  EXPECT_EQ(manifest_->NextSegmentId(), 8u);
  Append(Remove(7));
  ASSERT_EQ(Replace(), absl::OkStatus());
  EXPECT_GE(manifest_->NextSegmentId(), 8u);
  ASSERT_EQ(Replace(), absl::OkStatus());
  EXPECT_GE(manifest_->NextSegmentId(), 8u);
}

TEST_F(ManifestTest, FullDiskChangesNothing) {
  Create();
  Append(Add(1));
  ASSERT_EQ(manifest_->Trim(), absl::OkStatus());
  files_.Fail(Files::kAllocate, DiskFull());
  EXPECT_EQ(manifest_->Append(Add(2)), DiskFull());
  EXPECT_EQ(Segments(), Ids{1});
  EXPECT_EQ(manifest_->state().segments.size(), 1u);
  Append(Add(2));
  EXPECT_EQ(Segments(), (Ids{1, 2}));
}

TEST_F(ManifestTest, FullDiskIsSurvivedWhereSpaceCannotBeReserved) {
  files_.FailAlways(Files::kAllocate, absl::UnimplementedError("fallocate"));
  Create();
  files_.Fail(Files::kWrite, DiskFull());
  EXPECT_EQ(manifest_->Append(Add(1)), DiskFull());
  Append(Add(2));
  EXPECT_EQ(Segments(), Ids{2});
}

TEST_F(ManifestTest, ZerosTakeTheSpaceThatCannotBeReserved) {
  files_.FailAlways(Files::kAllocate, absl::UnimplementedError("fallocate"));
  Create();
  ASSERT_EQ(manifest_->AppendWithHeadroom(Add(1)), absl::OkStatus());
  const size_t size = BytesOf("MANIFEST-1").size();
  for (SegmentId id = 2; id <= 5; ++id) Append(Add(id));
  for (SegmentId id = 1; id <= 5; ++id) Append(Seal(id, id));
  EXPECT_EQ(BytesOf("MANIFEST-1").size(), size);
  EXPECT_EQ(Load().state.base.sealed_through, 5u);
  ASSERT_EQ(manifest_->Trim(), absl::OkStatus());
  EXPECT_EQ(BytesOf("MANIFEST-1").size(), Load().length);
}

TEST_F(ManifestTest, WhatWasAddedWithHeadroomCanBeSealedOnAFullDisk) {
  Create();
  ASSERT_EQ(manifest_->AppendWithHeadroom(Add(1)), absl::OkStatus());
  files_.FailAlways(Files::kAllocate, DiskFull());
  for (SegmentId id = 2; manifest_->AppendWithHeadroom(Add(id)).ok();) ++id;
  for (SegmentId id = 1; id <= 5; ++id) Append(Seal(id, id));
  EXPECT_EQ(Load().state.base.sealed_through, 5u);
}

TEST_F(ManifestTest, FailedSyncIsFinal) {
  Create();
  files_.Fail(Files::kSyncData, DiskBroken());
  EXPECT_EQ(manifest_->Append(Add(1)), DiskBroken());
  EXPECT_EQ(manifest_->Append(Add(2)), DiskBroken());
  EXPECT_TRUE(manifest_->state().segments.empty());
}

// Unlike a disk that is full before a byte is written.
TEST_F(ManifestTest, SyncThatFailsOnAFullDiskIsFinalToo) {
  Create();
  files_.Fail(Files::kSyncData, DiskFull());
  const absl::Status failure = manifest_->Append(Add(1));
  EXPECT_EQ(failure, absl::InternalError("the disk is full"));
  EXPECT_EQ(manifest_->Append(Add(2)), failure);
}

TEST_F(ManifestTest, FailedWriteIsFinal) {
  Create();
  files_.Fail(Files::kWrite, DiskBroken());
  EXPECT_EQ(manifest_->Append(Add(1)), DiskBroken());
  EXPECT_EQ(manifest_->Append(Add(2)), DiskBroken());
  EXPECT_TRUE(Segments().empty());
}

TEST_F(ManifestTest, ThreadsMayAppendAtOnce) {
  Create();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 10; ++k) Append(Add(manifest_->NextSegmentId()));
    });
  }
  for (std::thread& thread : threads) thread.join();
  Ids ids = Segments();
  std::sort(ids.begin(), ids.end());
  ASSERT_EQ(ids.size(), 40u);
  EXPECT_EQ(ids.front(), 1u);
  EXPECT_EQ(ids.back(), 40u);
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace
}  // namespace stave
