#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/fs/child_process.h"

namespace stave {
namespace {

class LockTest : public StoreFixture {
 protected:
  LockTest() {
    Open();
    Put("k", "v");
  }

  absl::Status OpenAgain() { return Store::Open(path(), options).status(); }
};

TEST_F(LockTest, AStoreIsOpenedOnceInAProcess) {
  const absl::Status status = OpenAgain();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_NE(std::string(status.message()).find(path()), std::string::npos);
  Put("l", "w");
  EXPECT_EQ(All(), (Contents{{"k", "v"}, {"l", "w"}}));
}

TEST_F(LockTest, AnotherNameOfTheDirectoryIsNoWayRound) {
  const std::string link = path() + "-link";
  std::filesystem::create_directory_symlink(path(), link);
  EXPECT_TRUE(absl::IsUnavailable(Store::Open(link, options).status()));
  const std::string detour = path() + "/../store";
  EXPECT_TRUE(absl::IsUnavailable(Store::Open(detour, options).status()));
}

TEST_F(LockTest, CloseGivesTheLockBack) {
  ASSERT_TRUE(store().Close().ok());
  EXPECT_TRUE(OpenAgain().ok());
}

TEST_F(LockTest, AForkedChildCantOpenItsParentsStore) {
  ChildProcess child([this](ChildProcess::Parent& parent) {
    if (absl::IsUnavailable(OpenAgain())) parent.TellAndWait();
  });
  EXPECT_TRUE(child.WaitUntilTold());
}

TEST_F(LockTest, CloseGivesTheLockBackThoughAForkedChildLives) {
  ChildProcess child(
      [](ChildProcess::Parent& parent) { parent.TellAndWait(); });
  ASSERT_TRUE(child.WaitUntilTold());
  Close();
  Open();
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(LockTest, AnotherProcessHoldsTheLockUntilItIsKilled) {
  Close();
  ChildProcess child([this](ChildProcess::Parent& parent) {
    Open();
    Put("child", "c");
    parent.TellAndWait();
  });
  ASSERT_TRUE(child.WaitUntilTold());
  const DirectoryImage before = Image();
  EXPECT_TRUE(absl::IsUnavailable(TryOpen()));
  EXPECT_EQ(Difference(before, Image()), "");
  child.Kill();
  Open();
  EXPECT_EQ(All(), (Contents{{"child", "c"}, {"k", "v"}}));
}

TEST_F(LockTest, AFailedOpenGivesTheLockBack) {
  Close();
  const DirectoryImage good = Image();
  DirectoryImage damaged = good;
  damaged[ManifestName(good)][0] ^= 1;
  WriteDirectory(path(), damaged);
  EXPECT_TRUE(absl::IsDataLoss(TryOpen()));
  WriteDirectory(path(), good);
  Open();
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(LockTest, ReadOnlyStoresTakeNoLock) {
  options.read_only = true;
  const auto first = Store::Open(path(), options);
  const auto second = Store::Open(path(), options);
  ASSERT_TRUE(first.ok() && second.ok()) << first.status();
  EXPECT_EQ((*first)->Get("k").value(), (*second)->Get("k").value());
}

TEST_F(LockTest, TheLocksFileStays) {
  EXPECT_EQ(Image().count("LOCK"), 1u);
  Close();
  EXPECT_EQ(Image().count("LOCK"), 1u);
}

}  // namespace
}  // namespace stave
