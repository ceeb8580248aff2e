#include <sys/resource.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/core/written_file_system.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/fs/scoped_limit.h"

namespace stave {
namespace {

const absl::Status& Full() {
  static const absl::Status status =
      absl::ResourceExhaustedError("No space left on device");
  return status;
}

// Tests run with mapped appends (true) and with written ones.
class FullDiskTest : public StoreFixture,
                     public testing::WithParamInterface<bool> {
 protected:
  FullDiskTest() {
    options.segment_size_bytes = 4096;
    options.file_system = &disk_;
    Open();
  }
  // Before the disk goes.
  ~FullDiskTest() override {
    if (is_open()) Close();
  }

  bool mapped() const { return GetParam(); }
  void Fill() {
    disk_.FailAlways(FaultyFileSystem::kAllocate, Full());
    disk_.FailAlways(FaultyFileSystem::kCreateFile, Full());
    if (!mapped()) disk_.FailAlways(FaultyFileSystem::kWrite, Full());
  }
  void FreeSpace() {
    for (const auto operation :
         {FaultyFileSystem::kAllocate, FaultyFileSystem::kCreateFile,
          FaultyFileSystem::kWrite}) {
      disk_.Heal(operation);
    }
  }
  // Puts numbers until the disk is full; what was not put has not changed.
  void PutUntilFull(int begin) {
    for (int i = begin; i < begin + 1000; ++i) {
      const std::string key = absl::StrCat("key", i % 50);
      const std::string value = ValueOf(i, 100);
      const absl::Status status = store().Put(key, value);
      if (!status.ok()) {
        EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
        return;
      }
      contents_[key] = value;
    }
    FAIL() << "the disk never was full";
  }
  void PutNumbers(int begin, int end) {
    for (int i = begin; i < end; ++i) {
      const std::string key = absl::StrCat("key", i % 50);
      contents_[key] = ValueOf(i, 100);
      Put(key, contents_[key]);
    }
  }

  WrittenFileSystem written_{PosixFileSystem()};
  FaultyFileSystem disk_{GetParam() ? PosixFileSystem() : &written_};
  Contents contents_;
};

INSTANTIATE_TEST_SUITE_P(, FullDiskTest, testing::Bool(), [](const auto& test) {
  return test.param ? "Mapped" : "Written";
});

TEST_P(FullDiskTest, NothingIsLostAndWritesResume) {
  PutNumbers(0, 60);
  for (int round = 1; round < 4; ++round) {
    Fill();
    PutUntilFull(round * 1000);
    EXPECT_EQ(All(), contents_);
    EXPECT_FALSE(store().GetStatistics().latched);
    FreeSpace();
    PutNumbers(round * 1000 + 500, round * 1000 + 600);
    EXPECT_EQ(All(), contents_);
  }
  Reopen();
  EXPECT_EQ(All(), contents_);
}

TEST_P(FullDiskTest, AKillOnAFullDiskLosesNothing) {
  PutNumbers(0, 60);
  Fill();
  PutUntilFull(100);
  Kill();
  const auto all_but_the_reserve = [this] {
    DirectoryImage image = Image();
    image.erase("RESERVE");
    return image;
  };
  const DirectoryImage before = all_but_the_reserve();
  const absl::Status status = TryOpen();
  EXPECT_TRUE(status.ok() || absl::IsResourceExhausted(status)) << status;
  if (!status.ok()) {
    EXPECT_EQ(Difference(before, all_but_the_reserve()), "");
  }
  FreeSpace();
  Open();
  EXPECT_EQ(All(), contents_);
}

TEST_P(FullDiskTest, ReadOnlyOpensNeedNoSpace) {
  PutNumbers(0, 60);
  Fill();
  Kill();
  options.read_only = true;
  Open();
  EXPECT_EQ(All(), contents_);
}

TEST_P(FullDiskTest, ACloseOnAFullDiskLosesNothing) {
  PutNumbers(0, 60);
  Fill();
  PutUntilFull(100);
  const absl::Status status = store().Close();
  EXPECT_TRUE(status.ok() || absl::IsResourceExhausted(status)) << status;
  FreeSpace();
  Open();
  EXPECT_EQ(All(), contents_);
}

TEST_P(FullDiskTest, ABatchThatFindsNoSpaceChangesNothing) {
  PutNumbers(0, 60);
  Fill();
  PutUntilFull(100);
  WriteBatch batch;
  for (int i = 0; i < 50; ++i) batch.Put(absl::StrCat("key", i), "batch");
  EXPECT_TRUE(absl::IsResourceExhausted(store().Write(batch)));
  EXPECT_EQ(All(), contents_);
  FreeSpace();
  Kill();
  Open();
  EXPECT_EQ(All(), contents_);
}

TEST_P(FullDiskTest, AStoreThatCantBeMadeIsMadeLater) {
  Close();
  WriteDirectory(path(), {});
  disk_.FailAlways(FaultyFileSystem::kWrite, Full());
  EXPECT_TRUE(absl::IsResourceExhausted(TryOpen()));
  FreeSpace();
  Open();
  PutNumbers(0, 3);
  EXPECT_EQ(All(), contents_);
}

// A durable put that finds no space anywhere says so, or has been made.
TEST_P(FullDiskTest, DurablePutsThatFailHaveNotBeenMade) {
  PutNumbers(0, 60);
  Fill();
  for (int i = 100; i < 200; ++i) {
    const std::string key = absl::StrCat("key", i % 50);
    const absl::Status status =
        store().Put(key, ValueOf(i, 100), {.sync = true});
    if (status.ok()) contents_[key] = ValueOf(i, 100);
    ASSERT_TRUE(status.ok() || absl::IsResourceExhausted(status)) << status;
    ASSERT_EQ(Get(key), contents_[key]) << i << ": " << status;
  }
  FreeSpace();
  PutNumbers(200, 230);
  Reopen();
  EXPECT_EQ(All(), contents_);
}

// Else a disk that is full when its segment is would find the record there and
// no way to seal it.
TEST_P(FullDiskTest, NoPutComesBeforeSpaceForTheSealOfItsSegment) {
  Close();
  options.reserve_bytes = 0;
  Open();
  PutNumbers(0, 1);
  Reopen();
  disk_.FailAlways(FaultyFileSystem::kAllocate, Full());
  EXPECT_TRUE(absl::IsResourceExhausted(store().Put("key0", "other")));
  EXPECT_EQ(All(), contents_);
  FreeSpace();
  PutNumbers(1, 2);
  Reopen();
  EXPECT_EQ(All(), contents_);
}

// Where writes are cut short, a part of a record stands behind the log's end.
// It must not hide the records of the segment that follows. (A mapped segment
// has no such part, and no less to keep.)
TEST_P(FullDiskTest, APartOfARecordDoesNotEndTheLog) {
  PutNumbers(0, 60);
  {
    const ScopedLimit full(RLIMIT_FSIZE, 2000);
    PutUntilFull(100);
  }
  Put("large", ValueOf(1, 4000));  // in the next segment
  contents_["large"] = ValueOf(1, 4000);
  for (int i = 0; i < 2; ++i) {
    Kill();
    Open();
    EXPECT_EQ(All(), contents_);
  }
}

}  // namespace
}  // namespace stave
