#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <set>
#include <string>

#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

std::set<ino_t>& SyncedInodes() {
  static auto* const inodes = new std::set<ino_t>;
  return *inodes;
}

void NoteSync(int descriptor) {
  struct stat about;
  if (fstat(descriptor, &about) == 0) SyncedInodes().insert(about.st_ino);
}

}  // namespace
}  // namespace stave

// These stand before the C library's.
extern "C" int fsync(int descriptor) {
  stave::NoteSync(descriptor);
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}
extern "C" int fdatasync(int descriptor) {
  stave::NoteSync(descriptor);
  return static_cast<int>(syscall(SYS_fdatasync, descriptor));
}

namespace stave {
namespace {

// Simulated disks show that the engine asks for each sync in time; this, that
// what is asked for reaches the kernel.
class PosixSyncTest : public testing::Test {
 protected:
  PosixSyncTest() { SyncedInodes().clear(); }

  static bool WasSynced(const std::string& path) {
    struct stat about;
    EXPECT_EQ(stat(path.c_str(), &about), 0) << path;
    return SyncedInodes().count(about.st_ino) > 0;
  }

  const TemporaryDirectory temporary_;
  const std::string path_ = temporary_.path();
};

TEST_F(PosixSyncTest, AFilesReachesTheKernel) {
  const auto directory = PosixFileSystem()->OpenDirectory(path_).value();
  const auto file = directory->CreateFile("file").value();
  ASSERT_TRUE(file->Write(0, "bytes").ok());
  EXPECT_FALSE(WasSynced(path_ + "/file"));
  ASSERT_TRUE(file->SyncData().ok());
  EXPECT_TRUE(WasSynced(path_ + "/file"));
}

TEST_F(PosixSyncTest, ADirectorysReachesTheKernel) {
  const auto directory = PosixFileSystem()->OpenDirectory(path_).value();
  ASSERT_TRUE(directory->CreateFile("file").ok());
  EXPECT_FALSE(WasSynced(path_));
  ASSERT_TRUE(directory->Sync().ok());
  EXPECT_TRUE(WasSynced(path_));
}

TEST_F(PosixSyncTest, ANewDirectorysNameIsSynced) {
  ASSERT_TRUE(PosixFileSystem()->CreateDirectory(path_ + "/new").ok());
  EXPECT_TRUE(WasSynced(path_));
}

}  // namespace
}  // namespace stave
