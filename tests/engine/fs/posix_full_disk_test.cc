#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/small_disk.h"

namespace stave {
namespace {

constexpr size_t kDiskBytes = 1 << 20;
constexpr size_t kHalf = kDiskBytes / 2;

class PosixFullDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk_.mounted()) GTEST_SKIP() << "may not mount a file system";
    directory_ = PosixFileSystem()->OpenDirectory(disk_.path()).value();
  }

  std::unique_ptr<File> Create(std::string_view name) {
    return directory_->CreateFile(name).value();
  }

  const SmallDisk disk_{kDiskBytes};
  std::unique_ptr<Directory> directory_;
};

TEST_F(PosixFullDiskTest, AllocateAndWriteSaySo) {
  const auto file = Create("a");
  EXPECT_TRUE(absl::IsResourceExhausted(file->Allocate(0, 2 * kDiskBytes)));
  EXPECT_EQ(file->Allocate(0, kDiskBytes), absl::OkStatus());
  const auto other = Create("b");
  EXPECT_TRUE(absl::IsResourceExhausted(other->Allocate(0, 1)));
  EXPECT_TRUE(absl::IsResourceExhausted(other->Write(0, "x")));
}

// I14: the stores below would be SIGBUS in a sparse file.
TEST_F(PosixFullDiskTest, AllocatedSpaceCanBeStoredTo) {
  const auto file = Create("a");
  ASSERT_EQ(file->Allocate(0, kHalf), absl::OkStatus());
  ASSERT_EQ(Create("b")->Allocate(0, kHalf), absl::OkStatus());
  ASSERT_TRUE(absl::IsResourceExhausted(file->Allocate(kHalf, kHalf)));
  const auto mapping = file->Map(kDiskBytes, /*writable=*/true).value();
  const std::string all(kHalf, 'x');
  const std::string_view part = all;
  mapping->Store(0, absl::MakeConstSpan(&part, 1));
  EXPECT_EQ(std::string_view(mapping->data(), kHalf), all);
}

TEST_F(PosixFullDiskTest, SpaceThatIsGivenBackCanBeAllocated) {
  auto file = Create("a");
  const auto other = Create("b");
  ASSERT_EQ(file->Allocate(0, kDiskBytes), absl::OkStatus());
  EXPECT_FALSE(other->Allocate(0, kHalf).ok());
  EXPECT_EQ(file->Truncate(kHalf), absl::OkStatus());
  EXPECT_EQ(other->Allocate(0, kHalf), absl::OkStatus());
}

TEST_F(PosixFullDiskTest, LocksAreStillTaken) {
  ASSERT_EQ(Create("a")->Allocate(0, kDiskBytes), absl::OkStatus());
  const auto lock = directory_->Lock("LOCK", "pid 1\n");
  EXPECT_TRUE(lock.ok()) << lock.status();
  const absl::Status second = directory_->Lock("LOCK", "pid 2\n").status();
  EXPECT_TRUE(absl::IsUnavailable(second)) << second;
}

}  // namespace
}  // namespace stave
