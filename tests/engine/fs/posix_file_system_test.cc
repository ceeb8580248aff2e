#include "engine/fs/posix_file_system.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/fs/file_system.h"
#include "engine/fs/lock_registry.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/child_process.h"
#include "tests/engine/fs/file_system_contract.h"
#include "tests/engine/fs/scoped_limit.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

class PosixUnderTest : public FileSystemUnderTest {
 public:
  explicit PosixUnderTest(const std::string& parent) : directory_(parent) {}
  FileSystem& file_system() override { return *PosixFileSystem(); }
  std::string directory_path() override { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
};

std::unique_ptr<FileSystemUnderTest> MakeOnDisk() {
  return std::make_unique<PosixUnderTest>(testing::TempDir());
}

std::unique_ptr<FileSystemUnderTest> MakeInMemory() {
  return std::make_unique<PosixUnderTest>("/dev/shm");
}

INSTANTIATE_TEST_SUITE_P(OnDisk, FileSystemContract,
                         testing::Values(&MakeOnDisk));
INSTANTIATE_TEST_SUITE_P(InMemory, FileSystemContract,
                         testing::Values(&MakeInMemory));

// What is Linux's own, beyond the contract.
class PosixFileSystemTest : public testing::Test {
 protected:
  PosixFileSystemTest()
      : directory_(
            PosixFileSystem()->OpenDirectory(temporary_.path()).value()) {}

  Directory& directory() { return *directory_; }
  std::string PathOf(const std::string& name) const {
    return temporary_.path() + "/" + name;
  }
  std::unique_ptr<File> Create(std::string_view name) {
    return directory_->CreateFile(name).value();
  }

  // Whatever `name` is, it isn't opened as a file, and nobody waits for it.
  void ExpectNotRegular(const std::string& name) {
    for (const bool writable : {false, true}) {
      const absl::Status opened = directory_->OpenFile(name, writable).status();
      EXPECT_EQ(opened, absl::InvalidArgumentError(PathOf(name) +
                                                   " is not a regular file"));
    }
    EXPECT_TRUE(
        absl::IsInvalidArgument(directory_->Lock(name, "pid 1\n").status()));
    EXPECT_TRUE(absl::IsAlreadyExists(directory_->CreateFile(name).status()));
  }

 private:
  const TemporaryDirectory temporary_;
  const std::unique_ptr<Directory> directory_;
};

TEST_F(PosixFileSystemTest, SymbolicLinksAreNotFollowed) {
  Create("target");
  ASSERT_EQ(symlink("target", PathOf("link").c_str()), 0);
  ASSERT_EQ(symlink("nowhere", PathOf("dangling").c_str()), 0);
  ExpectNotRegular("link");
  ExpectNotRegular("dangling");
  EXPECT_FALSE(std::filesystem::exists(PathOf("nowhere")));
}

TEST_F(PosixFileSystemTest, FifosAreTurnedDownWithoutWaiting) {
  ASSERT_EQ(mkfifo(PathOf("fifo").c_str(), 0600), 0);
  ExpectNotRegular("fifo");
}

TEST_F(PosixFileSystemTest, SocketsAreTurnedDown) {
  ASSERT_EQ(mknod(PathOf("socket").c_str(), S_IFSOCK | 0600, 0), 0);
  ExpectNotRegular("socket");
}

TEST_F(PosixFileSystemTest, DirectoriesAreTurnedDown) {
  ASSERT_EQ(mkdir(PathOf("directory").c_str(), 0700), 0);
  ExpectNotRegular("directory");
}

mode_t PermissionsOf(const std::string& path) {
  struct stat about = {};
  EXPECT_EQ(stat(path.c_str(), &about), 0);
  return about.st_mode & 07777;
}

TEST_F(PosixFileSystemTest, OnlyTheOwnerMayReadAndWrite) {
  const mode_t old_mask = umask(0);
  Create("file");
  EXPECT_TRUE(directory().Lock("LOCK", "").ok());
  EXPECT_EQ(PosixFileSystem()->CreateDirectory(PathOf("d")), absl::OkStatus());
  umask(old_mask);
  EXPECT_EQ(PermissionsOf(PathOf("file")), 0600u);
  EXPECT_EQ(PermissionsOf(PathOf("LOCK")), 0600u);
  EXPECT_EQ(PermissionsOf(PathOf("d")), 0700u);
}

// How many of this process's descriptors are open below `path`; all of them
// must be closed by exec.
int CountDescriptorsBelow(const std::string& path) {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code closed_meanwhile;
    const auto target = std::filesystem::read_symlink(entry, closed_meanwhile);
    if (!target.string().starts_with(path)) continue;
    ++count;
    const int descriptor = std::stoi(entry.path().filename());
    EXPECT_NE(fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0) << target;
  }
  return count;
}

TEST_F(PosixFileSystemTest, ProgramsThatAreStartedInheritNoDescriptors) {
  const auto created = Create("a");
  const auto opened = directory().OpenFile("a", /*writable=*/false);
  const auto lock = directory().Lock("LOCK", "");
  EXPECT_TRUE(directory().List().ok());
  EXPECT_EQ(CountDescriptorsBelow(directory().path()), 4);
}

TEST_F(PosixFileSystemTest, FailuresLeakNoDescriptors) {
  ASSERT_EQ(mkfifo(PathOf("fifo").c_str(), 0600), 0);
  const auto lock = directory().Lock("LOCK", "");
  EXPECT_FALSE(directory().OpenFile("fifo", /*writable=*/true).ok());
  EXPECT_FALSE(directory().Lock("LOCK", "").ok());
  EXPECT_EQ(CountDescriptorsBelow(directory().path()), 2);
}

TEST_F(PosixFileSystemTest, AnOpenDirectoryMayBeRenamed) {
  ASSERT_EQ(mkdir(PathOf("old").c_str(), 0700), 0);
  const auto open = PosixFileSystem()->OpenDirectory(PathOf("old")).value();
  std::filesystem::rename(PathOf("old"), PathOf("new"));
  EXPECT_TRUE(open->CreateFile("a").ok());
  EXPECT_EQ(open->Sync(), absl::OkStatus());
  EXPECT_TRUE(std::filesystem::exists(PathOf("new/a")));
}

TEST_F(PosixFileSystemTest, DirectoriesAreCreatedByEveryFormOfPath) {
  const auto old = std::filesystem::current_path();
  std::filesystem::current_path(directory().path());
  for (const std::string path : {"a", "b/", "./c", "a/d//", "a/../e"}) {
    EXPECT_EQ(PosixFileSystem()->CreateDirectory(path), absl::OkStatus());
    EXPECT_TRUE(std::filesystem::is_directory(PathOf(path)));
  }
  std::filesystem::current_path(old);
  EXPECT_FALSE(PosixFileSystem()->CreateDirectory("/").ok());
  EXPECT_FALSE(PosixFileSystem()->CreateDirectory("").ok());
}

TEST_F(PosixFileSystemTest, NamesMayBeTooLong) {
  const std::string name(300, 'x');
  EXPECT_TRUE(absl::IsInvalidArgument(directory().CreateFile(name).status()));
}

// sysfs lets nobody create files, the superuser neither.
TEST_F(PosixFileSystemTest, WhereNothingMayBeCreatedPermissionIsDenied) {
  const auto sys = PosixFileSystem()->OpenDirectory("/sys");
  if (!sys.ok()) GTEST_SKIP() << sys.status();
  const absl::Status status = (*sys)->CreateFile("stave-test").status();
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
}

TEST_F(PosixFileSystemTest, WithoutDescriptorsResourcesAreExhausted) {
  const auto open_one_of_each = [this](std::string_view name) {
    return std::array<absl::Status, 3>{
        directory().CreateFile(name).status(), directory().List().status(),
        PosixFileSystem()->OpenDirectory(directory().path()).status()};
  };
  for (const auto& status : open_one_of_each("a")) EXPECT_TRUE(status.ok());
  std::array<absl::Status, 3> exhausted;
  {
    const ScopedLimit no_more(RLIMIT_NOFILE, 0);
    exhausted = open_one_of_each("b");
  }
  for (const auto& status : exhausted) {
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  }
}

TEST_F(PosixFileSystemTest, FilesAboveTheLimitOfSizeExhaustResources) {
  const auto file = Create("a");
  const ScopedLimit small(RLIMIT_FSIZE, 100);
  EXPECT_TRUE(absl::IsResourceExhausted(file->Allocate(0, 101)));
  EXPECT_TRUE(absl::IsResourceExhausted(file->Truncate(101)));
  // The first call writes what fits, and the second one says why not the rest.
  const absl::Status status = file->Write(90, std::string(20, 'x'));
  EXPECT_EQ(status, absl::ResourceExhaustedError("write " + PathOf("a") +
                                                 " at 100: File too large"));
  EXPECT_EQ(file->Size().value(), 100u);
}

TEST_F(PosixFileSystemTest, MappedAppendsAreForFileSystemsThatReserve) {
  EXPECT_FALSE(PosixFileSystem()
                   ->OpenDirectory("/proc")
                   .value()
                   ->SupportsMappedAppends());
  struct statfs about = {};
  ASSERT_EQ(statfs("/dev/shm", &about), 0);
  if (about.f_type != 0x01021994) GTEST_SKIP() << "/dev/shm is not a tmpfs";
  EXPECT_TRUE(PosixFileSystem()
                  ->OpenDirectory("/dev/shm")
                  .value()
                  ->SupportsMappedAppends());
}

// Whether the page at `address` is in this process's page table.
bool IsPresent(const char* address) {
  const auto page = reinterpret_cast<uintptr_t>(address) /
                    static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  uint64_t entry = 0;
  const int pages = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(pread(pages, &entry, sizeof(entry),
                  static_cast<off_t>(page * sizeof(entry))),
            static_cast<ssize_t>(sizeof(entry)));
  close(pages);
  return (entry >> 63) != 0;
}

TEST_F(PosixFileSystemTest, PopulatedPagesArePresent) {
  const auto file = Create("a");
  constexpr size_t kSize = 1 << 20;
  if (!file->Allocate(0, kSize).ok()) GTEST_SKIP() << "no fallocate here";
  const auto mapping = file->Map(kSize, /*writable=*/true).value();
  char* const data = const_cast<char*>(mapping->data());
  if (madvise(data, 0, 23) != 0) GTEST_SKIP() << "a kernel before 5.14";
  EXPECT_FALSE(IsPresent(mapping->data() + kSize / 2));
  mapping->Populate(kSize / 2 + 1, 100'000);
  EXPECT_TRUE(IsPresent(mapping->data() + kSize / 2));
  EXPECT_TRUE(IsPresent(mapping->data() + kSize / 2 + 100'000));
}

using PosixMappingDeathTest = PosixFileSystemTest;

TEST_F(PosixMappingDeathTest, StoresToAReadOnlyMappingEndTheProcess) {
  const auto file = Create("a");
  ASSERT_EQ(file->Write(0, "hello"), absl::OkStatus());
  const auto mapping = file->Map(5, /*writable=*/true).value();
  const std::string_view part = "j";
  mapping->Store(0, absl::MakeConstSpan(&part, 1));
  ASSERT_EQ(mapping->MakeReadOnly(), absl::OkStatus());
  EXPECT_DEATH(mapping->Store(0, absl::MakeConstSpan(&part, 1)), "");
}

TEST_F(PosixFileSystemTest, StoresSurviveTheProcessThatIsKilled) {
  const auto file = Create("a");
  ASSERT_EQ(file->Write(0, "....."), absl::OkStatus());
  ChildProcess child([&](ChildProcess::Parent& parent) {
    const auto mapping = file->Map(5, /*writable=*/true).value();
    const std::string_view part = "hello";
    mapping->Store(0, absl::MakeConstSpan(&part, 1));
    parent.TellAndWait();
  });
  child.WaitUntilTold();
  child.Kill();
  std::string contents(5, '\0');
  EXPECT_EQ(file->Read(0, absl::MakeSpan(contents)).value(), 5u);
  EXPECT_EQ(contents, "hello");
}

// Locks of other processes.

TEST_F(PosixFileSystemTest, ALockEndsWithTheProcessThatIsKilled) {
  ChildProcess child([&](ChildProcess::Parent& parent) {
    const auto lock = directory().Lock("LOCK", "the child\n");
    if (lock.ok()) parent.TellAndWait();
  });
  child.WaitUntilTold();
  const absl::Status held = directory().Lock("LOCK", "the parent\n").status();
  EXPECT_EQ(held, absl::UnavailableError("lock " + PathOf("LOCK") +
                                         ": held by the child"));
  child.Kill();
  const auto lock = directory().Lock("LOCK", "the parent\n");
  EXPECT_TRUE(lock.ok()) << lock.status();
}

TEST_F(PosixFileSystemTest, AForkedChildIsRefusedItsParentsLock) {
  const auto lock = directory().Lock("LOCK", "the parent\n");
  ASSERT_TRUE(lock.ok()) << lock.status();
  ChildProcess child([&](ChildProcess::Parent& parent) {
    const absl::Status status = directory().Lock("LOCK", "child\n").status();
    if (absl::IsUnavailable(status)) parent.TellAndWait();
  });
  EXPECT_TRUE(child.WaitUntilTold());
}

TEST_F(PosixFileSystemTest, AForkedChildNeitherKeepsNorEndsItsParentsLock) {
  auto lock = directory().Lock("LOCK", "the parent\n");
  ASSERT_TRUE(lock.ok()) << lock.status();
  ChildProcess child([&](ChildProcess::Parent& parent) {
    lock->reset();
    parent.TellAndWait();
  });
  ASSERT_TRUE(child.WaitUntilTold());
  const int another = open(PathOf("LOCK").c_str(), O_RDONLY);
  EXPECT_NE(flock(another, LOCK_EX | LOCK_NB), 0);
  lock->reset();
  EXPECT_EQ(flock(another, LOCK_EX | LOCK_NB), 0);
  close(another);
}

// As on a file system where flock(2) lets a process in twice.
TEST_F(PosixFileSystemTest, WhatThisProcessHasClaimedIsNotLocked) {
  Create("LOCK");
  struct stat about = {};
  ASSERT_EQ(stat(PathOf("LOCK").c_str(), &about), 0);
  const auto claim = LockClaim::Take(about.st_dev, about.st_ino);
  const absl::Status status = directory().Lock("LOCK", "pid 1\n").status();
  EXPECT_EQ(status, absl::UnavailableError("lock " + PathOf("LOCK") +
                                           ": held by another"));
}

TEST_F(PosixFileSystemTest, TheHoldersDescriptionIsMadeHarmless) {
  const auto lock =
      directory().Lock("LOCK", "a\x1b[2Jb" + std::string(99, 'x'));
  ASSERT_TRUE(lock.ok()) << lock.status();
  const absl::Status status = directory().Lock("LOCK", "").status();
  EXPECT_EQ(status.message().find('\x1b'), status.message().npos) << status;
  EXPECT_LT(status.message().size(), PathOf("LOCK").size() + 120);
}

}  // namespace
}  // namespace stave
