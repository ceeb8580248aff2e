#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/format/segment_header.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/directory_image.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/fs/faulty_file_system.h"

namespace stave {
namespace {

// What is there after a kill, seen from outside.
class RecoveryTest : public StoreFixture {
 protected:
  RecoveryTest() {
    options.segment_size_bytes = 1024;
    Open();
  }

  void PutNumbers(int begin, int end) {
    for (int i = begin; i < end; ++i) {
      const std::string key = absl::StrCat("key", i);
      contents_[key] = ValueOf(i, 100);
      Put(key, contents_[key]);
    }
  }
  void Recover() {
    Kill();
    Open();
  }
  uint64_t BytesCut() { return store().GetStatistics().bytes_cut_at_open; }
  std::string LastSegment() const { return SegmentNames(Image()).back(); }
  // Where the records of an image end: zeros follow.
  static size_t UsedBytes(const std::string& bytes) {
    return bytes.find_last_not_of('\0') + 1;
  }
  void Damage(const std::string& name, size_t offset) {
    std::string bytes = ReadFile(PathOf(name));
    bytes.at(offset) ^= 0x10;
    WriteFile(PathOf(name), bytes);
  }

  Contents contents_;
};

TEST_F(RecoveryTest, EverythingThatReturnedIsThereAfterAKill) {
  for (int round = 0; round < 20; ++round) {
    PutNumbers(round * 7, round * 7 + 12);
    EXPECT_TRUE(Delete(absl::StrCat("key", round * 7)));
    contents_.erase(absl::StrCat("key", round * 7));
    Recover();
    EXPECT_EQ(All(), contents_);
    EXPECT_EQ(BytesCut(), 0u);
  }
}

TEST_F(RecoveryTest, AKillRightAfterOpenChangesNothing) {
  PutNumbers(0, 30);
  for (int i = 0; i < 5; ++i) Recover();
  EXPECT_EQ(All(), contents_);
}

// The manifest has told since then how much was durable: records that are gone
// with their mark are missed.
TEST_F(RecoveryTest, WhatMarksVouchForOutlivesARecoveryThatIsCutShort) {
  FaultyFileSystem disk(PosixFileSystem());
  options.file_system = &disk;
  Reopen();
  PutNumbers(0, 3);
  Sync();
  Kill();
  disk.FailAlways(FaultyFileSystem::kAllocate, absl::InternalError("broken"));
  EXPECT_FALSE(TryOpen().ok());
  disk.Heal(FaultyFileSystem::kAllocate);
  const std::string bytes = ReadFile(PathOf(LastSegment()));
  WriteFile(PathOf(LastSegment()),
            bytes.substr(0, kSegmentHeaderBytes) +
                std::string(bytes.size() - kSegmentHeaderBytes, '\0'));
  const absl::Status status = TryOpen();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

TEST_F(RecoveryTest, AKillAfterAReopenLosesNothing) {
  PutNumbers(0, 5);
  Reopen();
  PutNumbers(3, 9);
  Recover();
  EXPECT_EQ(All(), contents_);
  PutNumbers(9, 40);
  Reopen();
  PutNumbers(30, 50);
  Recover();
  EXPECT_EQ(All(), contents_);
}

TEST_F(RecoveryTest, KillsOfAnEmptyStoreDoNoHarm) {
  for (int i = 0; i < 3; ++i) Recover();
  EXPECT_EQ(All(), Contents());
  EXPECT_TRUE(SegmentNames(Image()).empty());
}

TEST_F(RecoveryTest, EmptySegmentsOfKilledWritersAreRemoved) {
  for (int i = 0; i < 20; ++i) {
    PutNumbers(i, i + 1);
    Recover();
  }
  EXPECT_EQ(SegmentNames(Image()).size(), 20u);
}

TEST_F(RecoveryTest, NothingPreallocatedRemainsAfterAKill) {
  options.segment_size_bytes = 1 << 20;
  Recover();
  PutNumbers(0, 10);
  EXPECT_GT(BytesOfSegments(Image()), 100'000u);
  Recover();
  EXPECT_LT(BytesOfSegments(Image()), 2000u);
}

// A kill between the seal of a segment and the cut of its reserved space.
TEST_F(RecoveryTest, ReservedSpaceOfASealedSegmentIsGivenBackLater) {
  PutNumbers(0, 30);
  Kill();
  const std::string name = SegmentNames(Image()).front();
  const std::string bytes = ReadFile(PathOf(name));
  WriteFile(PathOf(name), bytes + std::string(100'000, '\0'));
  Open();
  EXPECT_EQ(All(), contents_);
  EXPECT_LT(BytesOfSegments(Image()), 10'000u);
}

TEST_F(RecoveryTest, ATornRecordIsCutOffAndCounted) {
  PutNumbers(0, 3);
  const size_t before = UsedBytes(Image().at(LastSegment()));
  Put("torn", ValueOf(9, 100));
  Kill();
  const std::string name = LastSegment();
  const size_t end = UsedBytes(Image().at(name));
  Damage(name, end - 8);
  Open();
  EXPECT_EQ(All(), contents_);
  EXPECT_EQ(BytesCut(), end - (before + 7) / 8 * 8);
  Reopen();
  EXPECT_EQ(BytesCut(), 0u);
  EXPECT_EQ(All(), contents_);
}

TEST_F(RecoveryTest, WhatFollowsATornRecordIsCutOffToo) {
  PutNumbers(0, 3);
  Put("torn", "t");
  Put("after", "a");
  Kill();
  const std::string bytes = ReadFile(PathOf(LastSegment()));
  Damage(LastSegment(), bytes.find("torn"));
  Open();
  EXPECT_EQ(All(), contents_);
  Put("more", "m");
  EXPECT_EQ(Get("more"), "m");
  Recover();
  EXPECT_EQ(Get("torn") + Get("after") + Get("more"), "NOT_FOUNDNOT_FOUNDm");
}

// Below a durable write nothing is a torn tail.
TEST_F(RecoveryTest, DamageBelowADurableWriteIsReported) {
  PutNumbers(0, 3);
  Put("durable", "d", {.sync = true});
  Kill();
  const DirectoryImage before = Image();
  Damage(LastSegment(), before.at(LastSegment()).find("key1"));
  const DirectoryImage damaged = Image();
  const absl::Status status = TryOpen();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_EQ(Difference(damaged, Image()), "");
}

// What a clean close had brought to the device stays vouched for when the log
// goes on behind it.
TEST_F(RecoveryTest, DamageBelowAnEarlierCloseIsReported) {
  Close();
  options.background_merge = false;  // the segment is looked at afterwards
  Open();
  for (const int more : {0, 1, 5, 20}) {
    PutNumbers(0, 3);
    Close();
    const std::string name = LastSegment();
    Open();
    PutNumbers(10, 10 + more);
    Kill();
    // Else Open does not read the segment if it has been sealed by now.
    WriteDirectory(path(), WithoutHints(Image()));
    const std::string bytes = ReadFile(PathOf(name));
    Damage(name, bytes.rfind("key1", bytes.rfind("key2")));
    EXPECT_TRUE(absl::IsDataLoss(TryOpen())) << more << " puts later";
    WriteFile(PathOf(name), bytes);
    Open();
    EXPECT_EQ(All(), contents_);
  }
}

TEST_F(RecoveryTest, ABatchThatIsNotWholeIsNotThereAtAll) {
  PutNumbers(0, 2);
  WriteBatch batch;
  for (int i = 0; i < 5; ++i) batch.Put(absl::StrCat("b", i), "in a batch");
  batch.Delete("key0");
  Write(batch);
  Kill();
  const std::string name = LastSegment();
  const DirectoryImage whole = Image();
  const size_t end = UsedBytes(whole.at(name));
  for (size_t at = end; at > end - 250; at -= 8) {
    WriteDirectory(path(), whole);
    Damage(name, at - 1);
    Open();
    EXPECT_EQ(All(), contents_) << "damaged at " << at;
  }
}

// A store that is being made: its files may be there and empty.
TEST_F(RecoveryTest, AKillWhileAStoreIsMadeLeavesNoneThere) {
  Kill();
  const DirectoryImage made = Image();
  const std::string& manifest = made.at("MANIFEST-1");
  for (size_t size = 0; size < manifest.size(); size += 3) {
    DirectoryImage torn = made;
    torn["MANIFEST-1"].resize(size);
    WriteDirectory(path(), torn);
    options.read_only = true;
    EXPECT_TRUE(absl::IsNotFound(TryOpen())) << "cut to " << size;
    options.read_only = false;
    Open();
    Put("k", "v");
    Reopen();
    EXPECT_EQ(All(), (Contents{{"k", "v"}}));
  }
}

// The manifest that follows is written whole before it counts.
TEST_F(RecoveryTest, AnUnfinishedManifestIsPassedOver) {
  PutNumbers(0, 20);
  Kill();
  const DirectoryImage killed = Image();
  Open();
  const DirectoryImage recovered = Image();
  Close();
  const std::string next = recovered.at("MANIFEST-2");
  const size_t base = next.find_last_not_of('\0') + 1;
  for (size_t size = 0; size < base; size += 50) {
    WriteDirectory(path(), killed);
    WriteFile(PathOf("MANIFEST-2"), next.substr(0, size));
    Open();
    EXPECT_EQ(All(), contents_) << "cut to " << size;
  }
}

}  // namespace
}  // namespace stave
