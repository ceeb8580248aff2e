#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/base/no_new_threads.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/fs/scoped_limit.h"
#include "tests/engine/fs/scoped_user_rights.h"

namespace stave {
namespace {

using std::string_literals::operator""s;

// What Open says of directories in which there is no store, or should be none.
// Damage has a test of its own.
class StoreErrorsTest : public StoreFixture {
 protected:
  static absl::Status OpenAt(std::string_view path,
                             const Options& options = {}) {
    return Store::Open(path, options).status();
  }
  static bool Mentions(const absl::Status& status, std::string_view text) {
    return std::string(status.message()).find(text) != std::string::npos;
  }
  void MakeDirectory() { std::filesystem::create_directory(path()); }
  static bool Exists(const std::string& path) {
    return std::filesystem::exists(path);
  }
};

TEST_F(StoreErrorsTest, ADirectoryWithoutANameIsRefused) {
  const absl::Status status = OpenAt("");
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

TEST_F(StoreErrorsTest, APathThatNoFileCanHaveIsRefused) {
  Open();
  Close();
  EXPECT_TRUE(absl::IsInvalidArgument(OpenAt(path() + "\0more"s)));
  EXPECT_TRUE(absl::IsInvalidArgument(OpenAt(PathOf(std::string(300, 'x')))));
}

TEST_F(StoreErrorsTest, AFileIsNoDirectory) {
  WriteFile(path(), "contents");
  for (const bool read_only : {false, true}) {
    options.read_only = read_only;
    const absl::Status status = TryOpen();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(Mentions(status, path())) << status;
  }
  EXPECT_EQ(ReadFile(path()), "contents");
}

TEST_F(StoreErrorsTest, TheParentMustExist) {
  const absl::Status status = OpenAt(path() + "/missing/store");
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_TRUE(Mentions(status, path())) << status;
  EXPECT_FALSE(Exists(path()));
}

TEST_F(StoreErrorsTest, OnlyTheOwnerMayEnterANewStore) {
  Open();
  struct stat about = {};
  ASSERT_EQ(stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u);
}

TEST_F(StoreErrorsTest, WithoutCreateIfMissingNothingIsMade) {
  options.create_if_missing = false;
  EXPECT_TRUE(absl::IsNotFound(TryOpen()));
  EXPECT_FALSE(Exists(path()));
  MakeDirectory();
  WriteFile(PathOf("letter.txt"), "Dear Sir");
  const absl::Status status = TryOpen();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_TRUE(Mentions(status, path())) << status;
  EXPECT_EQ(Image(), (DirectoryImage{{"letter.txt", "Dear Sir"}}));
}

TEST_F(StoreErrorsTest, WithoutCreateIfMissingAStoreIsOpened) {
  Open();
  Put("k", "v");
  Close();
  options.create_if_missing = false;
  Open();
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(StoreErrorsTest, ErrorIfExistsMakesANewStoreAndChangesNoOther) {
  options.error_if_exists = true;
  Open();
  Put("k", "v");
  Kill();
  const DirectoryImage before = Image();
  const absl::Status status = TryOpen();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(Mentions(status, path())) << status;
  EXPECT_EQ(Difference(before, Image()), "");
}

TEST_F(StoreErrorsTest, AReadOnlyOpenNeverMakesAnything) {
  options.read_only = true;
  EXPECT_TRUE(absl::IsNotFound(TryOpen()));
  EXPECT_FALSE(Exists(path()));
  MakeDirectory();
  EXPECT_TRUE(absl::IsNotFound(TryOpen()));
  EXPECT_EQ(Image(), DirectoryImage());
}

TEST_F(StoreErrorsTest, ForeignFilesAreLeftAlone) {
  const DirectoryImage foreign = {
      {"letter.txt", "Dear Sir"},
      {"00000000000000AB.seg", "not one of our names"},
      {"1.seg", "neither"},
      {"0000000000000001.seg.bak", "a copy"},
      {"MANIFEST", "a list"},
      {"MANIFEST-01", "with a zero"},
      {"MANIFEST-1.tmp", "an end"},
      {".hidden", ""}};
  MakeDirectory();
  WriteDirectory(path(), foreign);
  Open();
  Put("k", "v");
  Reopen();
  Kill();
  Open();
  EXPECT_EQ(Get("k"), "v");
  Close();
  const DirectoryImage after = Image();
  for (const auto& [name, bytes] : foreign) EXPECT_EQ(after.at(name), bytes);
}

TEST_F(StoreErrorsTest, AnotherProgramsDirectoryIsRefusedAndStaysAsItIs) {
  const std::string kSegment(100, 's');
  const DirectoryImage foreign[] = {
      {{"LOCK", "precious"}},
      {{"LOCK", "precious"}, {"0000000000000001.seg", kSegment}},
      {{"0000000000000001.seg", kSegment}},
      {{"MANIFEST-1", "a list of goods"}},
      {{"CURRENT", "MANIFEST-000001\n"},
       {"MANIFEST-000001", "x"},
       {"LOCK", ""}},
  };
  MakeDirectory();
  for (const DirectoryImage& before : foreign) {
    WriteDirectory(path(), before);
    const absl::Status status = TryOpen();
    EXPECT_TRUE(Mentions(status, path())) << status;
    EXPECT_TRUE(Mentions(status, "left as it is") || absl::IsDataLoss(status))
        << status;
    EXPECT_EQ(Difference(before, Image()), "");
  }
}

TEST_F(StoreErrorsTest, AForeignLocksFileIsNoReasonToLeaveAStoreShut) {
  Open();
  Put("k", "v");
  Close();
  WriteFile(PathOf("LOCK"), "precious");
  WriteFile(PathOf("CURRENT"), "MANIFEST-000001\n");
  Open();
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(StoreErrorsTest, APathMayEndInASlashOrBeALink) {
  Open();
  Put("k", "v");
  Close();
  EXPECT_TRUE(OpenAt(path() + "/").ok());
  const std::string link = path() + "-link";
  std::filesystem::create_directory_symlink(path(), link);
  Options existing;
  existing.create_if_missing = false;
  const auto store = Store::Open(link, existing);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ((*store)->Get("k").value(), "v");
}

TEST_F(StoreErrorsTest, ALinkThatLeadsNowhereIsNoDirectory) {
  std::filesystem::create_symlink("nowhere", path());
  const absl::Status status = TryOpen();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_TRUE(Mentions(status, path() + " is a symbolic link")) << status;
}

TEST_F(StoreErrorsTest, OptionsOutOfRangeAreRefused) {
  Options small, large, negative_interval, negative_threads, many_threads;
  small.segment_size_bytes = kMinSegmentSizeBytes - 1;
  large.segment_size_bytes = kMaxSegmentSizeBytes + 1;
  negative_interval.sync_interval = -absl::Nanoseconds(1);
  negative_threads.recovery_threads = -1;
  many_threads.recovery_threads = kMaxRecoveryThreads + 1;
  for (const Options& bad :
       {small, large, negative_interval, negative_threads, many_threads}) {
    const absl::Status status = OpenAt(path(), bad);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_FALSE(Exists(path()));
  }
}

TEST_F(StoreErrorsTest, LimitsOfOptionsAreAllowed) {
  for (const uint64_t size : {kMinSegmentSizeBytes, kMaxSegmentSizeBytes}) {
    options.segment_size_bytes = size;
    Open();
    Put(std::to_string(size), "v");
    Close();
  }
  options.recovery_threads = kMaxRecoveryThreads;
  Open();
  EXPECT_EQ(All().size(), 2u);
}

// procfs lets nobody make anything, the superuser neither.
TEST_F(StoreErrorsTest, WhereNothingMayBeMadeTheSystemsAnswerIsPassedOn) {
  const absl::Status below = OpenAt("/proc/store");
  EXPECT_FALSE(below.ok());
  EXPECT_TRUE(Mentions(below, "/proc/store")) << below;
  const absl::Status inside = OpenAt("/proc");
  EXPECT_FALSE(inside.ok());
  EXPECT_TRUE(Mentions(inside, "/proc")) << inside;
}

TEST_F(StoreErrorsTest, AnUnwritableDirectoryIsPermissionDenied) {
  const ScopedUserRights rights;
  MakeDirectory();
  std::filesystem::permissions(path(), std::filesystem::perms(0500));
  const absl::Status status = TryOpen();
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
}

TEST_F(StoreErrorsTest, WithoutDescriptorsResourcesAreExhausted) {
  Open();
  Put("k", "v");
  Kill();
  const DirectoryImage before = Image();
  for (rlim_t descriptors = 0; descriptors < 64; ++descriptors) {
    const ScopedLimit few(RLIMIT_NOFILE, descriptors);
    const absl::Status status = TryOpen();
    if (status.ok()) break;
    ASSERT_TRUE(absl::IsResourceExhausted(status)) << status;
  }
  Open();
  EXPECT_EQ(All(), (Contents{{"k", "v"}}));
}

TEST_F(StoreErrorsTest, WithoutThreadsAStoreOpensAndSaysWhyItCantWrite) {
  options.segment_size_bytes = kMinSegmentSizeBytes;
  Open();
  for (const char* key : {"a", "b", "c"}) Put(key, ValueOf(0, 200));
  Close();
  options.background_threads = true;
  options.recovery_threads = 4;
  {
    const NoNewThreads none;
    Open();
    EXPECT_EQ(All().size(), 3u);
    const absl::Status status = store().Put("d", "v");
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_TRUE(Mentions(status, "background_threads")) << status;
  }
  Put("d", "v");
  Close();
}

TEST_F(StoreErrorsTest, ARemovedDirectoryIsNoMissingKey) {
  options.segment_size_bytes = kMinSegmentSizeBytes;
  Open();
  Put("k", "v");
  std::filesystem::remove_all(path());
  const absl::Status status = store().Put("l", ValueOf(0, 500));
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(Get("k"), "v");
}

int CountDescriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

TEST_F(StoreErrorsTest, FailedOpensLeakNoDescriptors) {
  Open();
  Put("k", "v");
  Close();
  const DirectoryImage good = Image();
  const int before = CountDescriptors();
  for (const auto& [name, bytes] : good) {
    DirectoryImage damaged = good;
    for (char& byte : damaged[name]) byte ^= 0x55;
    WriteDirectory(path(), damaged);
    TryOpen().IgnoreError();
    if (is_open()) Close();
    EXPECT_EQ(CountDescriptors(), before) << name;
  }
}

// Counts the directories whose names were to be made durable.
class NamingFileSystem : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view path) override {
    return PosixFileSystem()->OpenDirectory(path);
  }
  absl::Status CreateDirectory(std::string_view path) override {
    ++named;
    return PosixFileSystem()->CreateDirectory(path);
  }
  int named = 0;
};

TEST_F(StoreErrorsTest, ADirectoryLeftFromAKilledCreationIsMadeDurable) {
  NamingFileSystem files;
  options.file_system = &files;
  std::filesystem::create_directory(path());
  Open();
  EXPECT_EQ(files.named, 1);
  Reopen();
  EXPECT_EQ(files.named, 1);
  Close();
}

// Whose parent says nothing about who made it.
TEST_F(StoreErrorsTest, AParentThatMayNotBeReadIsNoObstacle) {
  const ScopedUserRights rights;
  std::filesystem::create_directory(path());
  const std::string parent = PathOf("..");
  ASSERT_EQ(chmod(parent.c_str(), 0300), 0);
  Open();
  ASSERT_EQ(chmod(parent.c_str(), 0700), 0);
}

}  // namespace
}  // namespace stave
