#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

namespace fs = std::filesystem;

// What somebody who may write into a store's directory can put there.
class HostileDirectoryTest : public StoreFixture {
 protected:
  HostileDirectoryTest() {
    Open();
    Put("key", "value");
    Close();
  }

  std::string Segment() const { return SegmentNames(Image()).front(); }
  std::string Manifest() const { return ManifestName(Image()); }
  std::vector<std::string> StoreFiles() const {
    return {Segment(), Manifest(), "LOCK"};
  }

  // Open must say that this file is not a regular one, and not wait for it.
  void ExpectRefused(const std::string& name) {
    for (const bool read_only : {true, false}) {
      if (read_only && name == "LOCK") continue;  // which it does not need
      options.read_only = read_only;
      const absl::Status status = TryOpen();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      const std::string message(status.message());
      EXPECT_NE(message.find(PathOf(name)), message.npos) << message;
      EXPECT_NE(message.find("not a regular file"), message.npos) << message;
    }
    options.read_only = false;
  }
};

TEST_F(HostileDirectoryTest, OnlyTheOwnerMayReadWhatAStoreWrites) {
  const mode_t before = umask(0);
  Open();
  const WriteOptions durable = {.sync = true};
  for (int i = 0; i < 4; ++i) {
    Put("key", ValueOf(i, 100), durable);
    Reopen();
  }
  Close();
  umask(before);
  for (const std::string& name : StoreFiles()) {
    struct stat about = {};
    ASSERT_EQ(stat(PathOf(name).c_str(), &about), 0) << name;
    EXPECT_EQ(about.st_mode & 07777, 0600u) << name;
  }
}

TEST_F(HostileDirectoryTest, ALinkInThePlaceOfAFileIsNotFollowed) {
  for (const std::string& name : StoreFiles()) {
    const std::string elsewhere = path() + "-elsewhere";
    fs::rename(PathOf(name), elsewhere);
    const std::string bytes = ReadFile(elsewhere);
    fs::create_symlink(elsewhere, PathOf(name));
    ExpectRefused(name);
    EXPECT_EQ(ReadFile(elsewhere), bytes);
    fs::rename(elsewhere, PathOf(name));
  }
  Open();
  EXPECT_EQ(Get("key"), "value");
}

TEST_F(HostileDirectoryTest, ALinkThatLeadsNowhereIsNotMadeAFile) {
  const std::string nowhere = path() + "-nowhere";
  fs::remove(PathOf("LOCK"));
  fs::create_symlink(nowhere, PathOf("LOCK"));
  ExpectRefused("LOCK");
  EXPECT_FALSE(fs::exists(nowhere));
}

TEST_F(HostileDirectoryTest, AFifoInThePlaceOfAFileIsNotWaitedFor) {
  for (const std::string& name : StoreFiles()) {
    const std::string kept = path() + "-kept";
    fs::rename(PathOf(name), kept);
    ASSERT_EQ(mkfifo(PathOf(name).c_str(), 0600), 0);
    ExpectRefused(name);
    fs::rename(kept, PathOf(name));
  }
}

TEST_F(HostileDirectoryTest, ADirectoryInThePlaceOfAFileIsRefused) {
  for (const std::string& name : StoreFiles()) {
    const std::string kept = path() + "-kept";
    fs::rename(PathOf(name), kept);
    fs::create_directory(PathOf(name));
    ExpectRefused(name);
    fs::remove(PathOf(name));
    fs::rename(kept, PathOf(name));
  }
}

TEST_F(HostileDirectoryTest, ASegmentThatNobodyNamedMustBeAFileToo) {
  const std::string name = "00000000000000f1.seg";
  ASSERT_EQ(mkfifo(PathOf(name).c_str(), 0600), 0);
  ExpectRefused(name);
  fs::remove(PathOf(name));
  fs::create_symlink(PathOf(Segment()), PathOf(name));
  ExpectRefused(name);
  EXPECT_TRUE(fs::is_symlink(PathOf(name)));
}

// A few bytes can make a file as long as any: the rest reads as zeros.
TEST_F(HostileDirectoryTest, NoMemoryIsTakenForLengthsThatNoFileHas) {
  constexpr uint64_t kTebibyte = uint64_t{1} << 40;
  const std::string unlisted = "00000000000000f1.seg";
  const DirectoryImage good = Image();
  for (const std::string& name : {Segment(), Manifest(), unlisted}) {
    if (name == unlisted) WriteFile(PathOf(name), "");
    fs::resize_file(PathOf(name), kTebibyte);
    for (const bool read_only : {true, false}) {
      options.read_only = read_only;
      const absl::Status status = TryOpen();
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      const std::string message(status.message());
      EXPECT_NE(message.find(PathOf(name) + ", offset "), message.npos)
          << message;
      EXPECT_EQ(fs::file_size(PathOf(name)), kTebibyte);
    }
    WriteDirectory(path(), good);
  }
}

TEST_F(HostileDirectoryTest, NamesThatAreNotAStoresAreLeftAlone) {
  const std::vector<std::string> files = {
      "notes", "MANIFEST-01",          "MANIFEST-",
      "1.seg", "000000000000000A.seg", "0000000000000001.seg.bak"};
  for (const std::string& name : files) WriteFile(PathOf(name), name);
  fs::create_directory(PathOf("directory"));
  fs::create_symlink("nowhere", PathOf("link"));
  ASSERT_EQ(mkfifo(PathOf("fifo").c_str(), 0600), 0);
  Open();
  EXPECT_EQ(Get("key"), "value");
  Put("key", "other");
  Reopen();
  EXPECT_EQ(Get("key"), "other");
  Close();
  for (const std::string& name : files) {
    EXPECT_EQ(ReadFile(PathOf(name)), name);
  }
  EXPECT_TRUE(fs::is_directory(PathOf("directory")));
  EXPECT_TRUE(fs::is_symlink(PathOf("link")));
  EXPECT_TRUE(fs::is_fifo(PathOf("fifo")));
}

}  // namespace
}  // namespace stave
