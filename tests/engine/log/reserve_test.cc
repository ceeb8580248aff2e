#include "engine/log/reserve.h"

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "engine/format/file_names.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

using Files = FaultyFileSystem;

class ReserveTest : public testing::Test {
 protected:
  // The file's length; nothing if there is no file.
  std::optional<uint64_t> OnDisk() {
    const auto file = directory_->OpenFile(kReserveFileName, false);
    if (!file.ok()) return std::nullopt;
    return (*file)->Size().value();
  }
  void LeaveBehind(uint64_t length) {
    auto file = directory_->CreateFile(kReserveFileName).value();
    ASSERT_EQ(file->Truncate(length), absl::OkStatus());
  }
  void ResizeTo(uint64_t bytes) {
    EXPECT_EQ(reserve_.Resize(bytes), absl::OkStatus());
    EXPECT_FALSE(reserve_.lacking());
  }

  const TemporaryDirectory temporary_;
  Files files_{PosixFileSystem()};
  const std::unique_ptr<Directory> directory_ =
      files_.OpenDirectory(temporary_.path()).value();
  Reserve reserve_{directory_.get()};
};

TEST_F(ReserveTest, IsNotThereBeforeItIsWanted) {
  EXPECT_FALSE(reserve_.GiveUp());
  ResizeTo(0);
  EXPECT_EQ(OnDisk(), std::nullopt);
}

TEST_F(ReserveTest, GrowsAndShrinks) {
  for (const uint64_t bytes : {8192, 16384, 4096, 0, 4096}) {
    ResizeTo(bytes);
    EXPECT_EQ(OnDisk(), bytes);
  }
}

TEST_F(ReserveTest, IsGivenUpOnceAndMadeAgain) {
  ResizeTo(8192);
  EXPECT_FALSE(reserve_.IsGivenUp());
  EXPECT_TRUE(reserve_.GiveUp());
  EXPECT_TRUE(reserve_.lacking());
  EXPECT_TRUE(reserve_.IsGivenUp());
  EXPECT_TRUE(Reserve(directory_.get()).IsGivenUp());
  EXPECT_EQ(OnDisk(), 0u);
  EXPECT_FALSE(reserve_.GiveUp());
  ResizeTo(8192);
  EXPECT_EQ(OnDisk(), 8192u);
}

TEST_F(ReserveTest, WhatAnEarlierProcessLeftIsAdjusted) {
  LeaveBehind(6000);
  ResizeTo(8192);
  EXPECT_EQ(OnDisk(), 8192u);
  Reserve next(directory_.get());
  EXPECT_EQ(next.Resize(4096), absl::OkStatus());
  EXPECT_EQ(OnDisk(), 4096u);
}

TEST_F(ReserveTest, WhatAnEarlierProcessLeftIsGivenUp) {
  LeaveBehind(6000);
  EXPECT_TRUE(reserve_.GiveUp());
  EXPECT_EQ(OnDisk(), 0u);
}

TEST_F(ReserveTest, IsLackingWhileTheDiskIsTooFullForIt) {
  files_.FailAlways(Files::kAllocate, DiskFull());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(reserve_.Resize(8192), DiskFull());
    EXPECT_TRUE(reserve_.lacking());
    EXPECT_FALSE(reserve_.GiveUp());
  }
  files_.Heal(Files::kAllocate);
  ResizeTo(8192);
}

TEST_F(ReserveTest, IsLackingNoMoreWhenNoneIsWanted) {
  ResizeTo(8192);
  EXPECT_TRUE(reserve_.GiveUp());
  ResizeTo(0);
}

TEST_F(ReserveTest, KeepsWhatItHasWhenItCannotGrow) {
  ResizeTo(8192);
  files_.FailAlways(Files::kAllocate, DiskFull());
  ResizeTo(16384);
  EXPECT_EQ(OnDisk(), 8192u);
  EXPECT_TRUE(reserve_.GiveUp());
}

TEST_F(ReserveTest, AFileThatCannotBeMadeIsNotALack) {
  files_.Fail(Files::kCreateFile, DiskFull());
  ResizeTo(8192);
  EXPECT_EQ(OnDisk(), std::nullopt);
  ResizeTo(8192);
  EXPECT_EQ(OnDisk(), 8192u);
}

TEST_F(ReserveTest, IsNotThereWhereSpaceCannotBeReserved) {
  files_.FailAlways(Files::kAllocate, absl::UnimplementedError("no such call"));
  ResizeTo(8192);
  EXPECT_EQ(OnDisk(), std::nullopt);
}

TEST_F(ReserveTest, OtherErrorsEndItsUseAndAreNotMetAgain) {
  for (const auto operation : {Files::kAllocate, Files::kTruncate}) {
    Reserve reserve(directory_.get());
    ASSERT_EQ(reserve.Resize(8192), absl::OkStatus());
    files_.FailAlways(operation, DiskBroken());
    const uint64_t wanted = operation == Files::kAllocate ? 16384 : 4096;
    const int calls = files_.calls(operation);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(reserve.Resize(wanted), absl::OkStatus());
      EXPECT_FALSE(reserve.lacking());
      EXPECT_FALSE(reserve.GiveUp());
    }
    EXPECT_EQ(files_.calls(operation), calls + 1);
    files_.Heal(operation);
  }
}

}  // namespace
}  // namespace stave
