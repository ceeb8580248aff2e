#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

constexpr size_t kDiskBytes = 1 << 20;
constexpr size_t kHalf = kDiskBytes / 2;

bool WriteTo(const char* path, const std::string& contents) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t written = write(file, contents.data(), contents.size());
  close(file);
  return written == static_cast<ssize_t>(contents.size());
}

// Gives this process mounts of its own, as the superuser of a user namespace
// of its own, for which it needs no rights where the kernel allows it.
bool EnterMountNamespace() {
  const std::string user = "0 " + std::to_string(geteuid()) + " 1";
  const std::string group = "0 " + std::to_string(getegid()) + " 1";
  return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
         WriteTo("/proc/self/setgroups", "deny") &&
         WriteTo("/proc/self/uid_map", user) &&
         WriteTo("/proc/self/gid_map", group) &&
         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// A tmpfs of kDiskBytes.
class PosixFullDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    static const bool may_mount = EnterMountNamespace();
    if (!may_mount) GTEST_SKIP() << "may not mount a file system";
    const std::string options = "size=" + std::to_string(kDiskBytes);
    ASSERT_EQ(
        mount("tmpfs", temporary_.path().c_str(), "tmpfs", 0, options.c_str()),
        0);
    directory_ = PosixFileSystem()->OpenDirectory(temporary_.path()).value();
  }

  void TearDown() override {
    directory_.reset();
    umount2(temporary_.path().c_str(), MNT_DETACH);
  }

  std::unique_ptr<File> Create(std::string_view name) {
    return directory_->CreateFile(name).value();
  }

  const TemporaryDirectory temporary_;
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
