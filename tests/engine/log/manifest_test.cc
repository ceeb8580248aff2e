#include "engine/log/manifest.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/format/file_names.h"
#include "engine/format/manifest_edit.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "tests/engine/format/damage.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

using Ids = std::vector<SegmentId>;

bool Says(const absl::Status& status, const std::string& text) {
  return std::string(status.message()).find(text) != std::string::npos;
}

ManifestEdit Add(SegmentId id) {
  return {AddSegmentChange{{SegmentKind::kLog, id, /*salt=*/id * 31}, 0}};
}
ManifestEdit Seal(SegmentId id, Sequence greatest_sequence) {
  return {SealSegmentChange{id, {4096, 1, greatest_sequence, 9, 0}}};
}
ManifestEdit Remove(SegmentId id) { return {RemoveSegmentChange{id}}; }
ManifestEdit Close(SegmentId id) {
  return {CleanCloseChange{id, {4096, 1, 9, 9, 0}}};
}

class ManifestTest : public testing::Test {
 protected:
  using Files = FaultyFileSystem;

  ManifestTest()
      : directory_(files_.OpenDirectory(temporary_.path()).value()) {}

  void Create() {
    ManifestState state;
    state.base.store_id = 0xabc;
    state.base.hash_secret.fill('s');
    auto manifest = Manifest::Create(directory_.get(), state);
    ASSERT_TRUE(manifest.ok()) << manifest.status();
    manifest_ = *std::move(manifest);
  }
  void Append(const ManifestEdit& edit) {
    ASSERT_EQ(manifest_->Append(edit), absl::OkStatus());
  }
  void Resume() {
    auto manifest = Manifest::Resume(directory_.get(), Load());
    ASSERT_TRUE(manifest.ok()) << manifest.status();
    manifest_ = *std::move(manifest);
  }
  absl::Status Replace() {
    auto manifest = Manifest::Replace(directory_.get(), Load());
    if (manifest.ok()) manifest_ = *std::move(manifest);
    return manifest.status();
  }
  LoadedManifest Load() { return Manifest::Load(directory_.get()).value(); }
  absl::Status LoadStatus() {
    return Manifest::Load(directory_.get()).status();
  }

  // The segments, and those of them that are sealed, as the files have them.
  Ids Segments() {
    Ids ids;
    for (const auto& each : Load().state.segments) {
      ids.push_back(each.header.id);
    }
    return ids;
  }

  std::vector<std::string> Names() {
    std::vector<std::string> names = directory_->List().value();
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string BytesOf(std::string_view name) {
    auto file = directory_->OpenFile(name, /*writable=*/false).value();
    std::string bytes(file->Size().value(), 'x');
    EXPECT_TRUE(file->Read(0, absl::MakeSpan(bytes.data(), bytes.size())).ok());
    return bytes;
  }
  void SetBytes(std::string_view name, std::string_view bytes) {
    directory_->Unlink(name).IgnoreError();
    auto file = directory_->CreateFile(name).value();
    ASSERT_EQ(file->Write(0, bytes), absl::OkStatus());
  }
  // The valid bytes of MANIFEST-1.
  std::string FirstManifest() {
    return BytesOf("MANIFEST-1").substr(0, Load().length);
  }

  const TemporaryDirectory temporary_;
  FaultyFileSystem files_{PosixFileSystem()};
  const std::unique_ptr<Directory> directory_;
  std::unique_ptr<Manifest> manifest_;
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
  const ManifestState state = Load().state;
  EXPECT_EQ(Segments(), (Ids{5, 9}));
  EXPECT_EQ(state.segments[0].sealed, (SegmentSummary{64, 1, 2, 2, 77}));
  EXPECT_EQ(state.segments[1].header.salt, 9u * 31);
  EXPECT_FALSE(state.segments[1].sealed.has_value());
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

TEST_F(ManifestTest, DirectoryWithoutOneIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(LoadStatus()));
  SetBytes("MANIFEST-01", "not ours");
  SetBytes("README", "not ours");
  EXPECT_TRUE(absl::IsNotFound(LoadStatus()));
}

TEST_F(ManifestTest, LastEditThatIsTornAtAnyByteIsIgnored) {
  Create();
  Append(Add(1));
  const uint64_t before = Load().length;
  Append(Add(2));
  const std::string whole = FirstManifest();
  for (uint64_t cut = before; cut < whole.size(); ++cut) {
    SetBytes("MANIFEST-1", whole.substr(0, cut));
    EXPECT_EQ(Segments(), Ids{1}) << cut;
    EXPECT_EQ(Load().whole_file, cut == before) << cut;
  }
}

TEST_F(ManifestTest, LastEditThatEndsInReservedZerosIsIgnored) {
  Create();
  Append(Add(1));
  const uint64_t before = Load().length;
  Append(Seal(1, 7));
  const std::string whole = FirstManifest();
  for (uint64_t cut = before; cut < whole.size() - 16; ++cut) {
    std::string bytes = whole.substr(0, cut);
    bytes.resize(16 << 10, '\0');
    SetBytes("MANIFEST-1", bytes);
    EXPECT_FALSE(Load().state.segments[0].sealed.has_value()) << cut;
    EXPECT_EQ(Load().length, before);
  }
}

TEST_F(ManifestTest, DamageToTheLastEditIsATornTail) {
  Create();
  Append(Add(1));
  const uint64_t before = Load().length;
  Append(Add(2));
  const std::string whole = FirstManifest();
  ForEachFlippedBit(whole.substr(before), [&](const std::string& damaged) {
    SetBytes("MANIFEST-1", whole.substr(0, before) + damaged);
    EXPECT_EQ(Segments(), Ids{1});
    EXPECT_FALSE(Load().whole_file);
  });
}

TEST_F(ManifestTest, DamageBeforeTheLastEditIsDataLossAndSaysWhere) {
  Create();
  Append(Add(1));
  const uint64_t offset = Load().length;
  Append(Add(2));
  const uint64_t end = Load().length;
  Append(Add(3));
  const std::string whole = FirstManifest();
  const std::string damaged_edit = whole.substr(offset, end - offset);
  ForEachFlippedBit(damaged_edit, [&](const std::string& damaged) {
    SetBytes("MANIFEST-1",
             whole.substr(0, offset) + damaged + whole.substr(end));
    const absl::Status status = LoadStatus();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_TRUE(
        Says(status, absl::StrCat("/MANIFEST-1, offset ", offset, ": ")))
        << status;
  });
}

// Until segments are listed, nobody can say whether it was ever whole.
TEST_F(ManifestTest, FirstManifestThatIsTornAtAnyByteIsNoStore) {
  Create();
  const std::string whole = FirstManifest();
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    SetBytes("MANIFEST-1", whole.substr(0, cut));
    EXPECT_TRUE(absl::IsNotFound(LoadStatus())) << cut;
  }
  Create();
  EXPECT_EQ(Load().state.base.store_id, 0xabcu);
}

TEST_F(ManifestTest, FirstManifestOfZerosIsNoStore) {
  for (const size_t zeros : {1, 16, 4096}) {
    SetBytes("MANIFEST-1", std::string(zeros, '\0'));
    EXPECT_TRUE(absl::IsNotFound(LoadStatus())) << zeros;
  }
}

TEST_F(ManifestTest, SomebodyElsesFileIsNotTakenForAnUnfinishedManifest) {
  SetBytes("MANIFEST-1", "The people of the ship");
  EXPECT_TRUE(absl::IsDataLoss(LoadStatus()));
}

TEST_F(ManifestTest, UnfinishedNextManifestIsPassedOver) {
  Create();
  Append(Add(1));
  const std::string first = FirstManifest();
  ASSERT_EQ(Replace(), absl::OkStatus());
  const std::string second = BytesOf("MANIFEST-2");
  SetBytes("MANIFEST-1", first);
  for (size_t cut = 0; cut < second.size(); ++cut) {
    SetBytes("MANIFEST-2", second.substr(0, cut));
    EXPECT_EQ(Load().number, 1u) << cut;
    EXPECT_EQ(Segments(), Ids{1});
  }
  SetBytes("MANIFEST-2", second);
  EXPECT_EQ(Load().number, 2u);
}

TEST_F(ManifestTest, DamageToTheManifestThatCountsIsNotPassedOver) {
  Create();
  const std::string first = FirstManifest();
  ASSERT_EQ(Replace(), absl::OkStatus());
  Append(Add(1));
  const uint64_t offset = Load().length;
  Append(Add(2));
  Append(Add(3));
  std::string second = BytesOf("MANIFEST-2");
  second[offset + 1] = static_cast<char>(second[offset + 1] ^ 1);
  SetBytes("MANIFEST-1", first);
  SetBytes("MANIFEST-2", second);
  EXPECT_TRUE(absl::IsDataLoss(LoadStatus()));
}

TEST_F(ManifestTest, NoManifestThatCanBeReadIsDataLoss) {
  SetBytes("MANIFEST-3", "neither this");
  SetBytes("MANIFEST-2", "nor that");
  const absl::Status status = LoadStatus();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_TRUE(Says(status, "/MANIFEST-3")) << status;
}

TEST_F(ManifestTest, ManifestOfAnotherNumberIsDataLoss) {
  Create();
  SetBytes("MANIFEST-2", BytesOf("MANIFEST-1"));
  ASSERT_EQ(directory_->Unlink("MANIFEST-1"), absl::OkStatus());
  EXPECT_TRUE(absl::IsDataLoss(LoadStatus()));
}

TEST_F(ManifestTest, UnknownFormatVersionIsAClearError) {
  Create();
  std::string bytes = FirstManifest();
  EncodeFixed(uint32_t{2}, &bytes[8]);
  std::string covered;
  AppendFixed(uint64_t{1}, &covered);
  EncodeFixed(Crc32c(covered + bytes.substr(0, 12)), &bytes[12]);
  SetBytes("MANIFEST-1", bytes);
  const absl::Status status = LoadStatus();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_TRUE(Says(status, "/MANIFEST-1")) << status;
  EXPECT_TRUE(Says(status, "format version 2")) << status;
}

// To drop it as a torn tail would undo what a newer program did.
TEST_F(ManifestTest, LastEditWithAnUnknownChangeIsNotDropped) {
  Create();
  Append(Add(1));
  std::string bytes = FirstManifest();
  const std::string payload = "\xf0something new";
  std::string covered;
  AppendFixed(uint64_t{1}, &covered);
  AppendFixed(uint64_t{bytes.size()}, &covered);
  AppendFixed(static_cast<uint32_t>(payload.size()), &covered);
  covered += payload;
  AppendFixed(Crc32c(covered), &bytes);
  bytes += covered.substr(16);
  bytes.resize(AlignRecord(bytes.size()), '\0');
  SetBytes("MANIFEST-1", bytes);
  EXPECT_TRUE(absl::IsInvalidArgument(LoadStatus())) << LoadStatus();
}

TEST_F(ManifestTest, RandomBytesDoNoHarm) {
  Create();
  const std::string whole = FirstManifest();
  ForEachRandomString(2000, 400, [&](const std::string& bytes) {
    SetBytes("MANIFEST-1", bytes);
    EXPECT_FALSE(LoadStatus().ok());
    SetBytes("MANIFEST-1", whole + bytes);
    EXPECT_EQ(Load().length, whole.size());
  });
}

TEST_F(ManifestTest, CleanCloseIsVoidOnceAnotherEditFollows) {
  Create();
  Append(Add(1));
  Append(Close(1));
  EXPECT_EQ(Load().state.clean_close->id, 1u);
  Append({ClockFloorChange{5}});
  EXPECT_FALSE(Load().state.clean_close.has_value());
  EXPECT_EQ(Load().state.segments[0].synced_length, 4096u);
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

TEST(ManifestStateTest, EditsThatCannotFollowAreDataLoss) {
  ManifestState state;
  EXPECT_TRUE(absl::IsDataLoss(state.Apply(Add(1))));  // No base.
  BaseChange base;
  base.store_id = 1;
  ASSERT_EQ(state.Apply({base}), absl::OkStatus());
  ASSERT_EQ(state.Apply(Add(1)), absl::OkStatus());
  ASSERT_EQ(state.Apply(Seal(1, 9)), absl::OkStatus());
  for (const ManifestEdit& edit : {ManifestEdit{base}, Add(1), Seal(1, 9),
                                   Seal(2, 9), Remove(2), Close(1), Close(2)}) {
    ManifestState copy = state;
    EXPECT_TRUE(absl::IsDataLoss(copy.Apply(edit))) << edit[0].index();
  }
}

}  // namespace
}  // namespace stave
