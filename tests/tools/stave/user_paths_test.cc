#include "tools/stave/user_paths.h"

#include <sys/stat.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave::tool {
namespace {

class UserPathsTest : public testing::Test {
 protected:
  UserPathsTest() {
    for (const char* name : {"BUILD_WORKING_DIRECTORY", "STAVE_STORE",
                             "XDG_DATA_HOME", "XDG_STATE_HOME"}) {
      unsetenv(name);
    }
    Set("HOME", "/home/me");
  }
  static void Set(const char* name, const char* value) {
    setenv(name, value, /*replace=*/1);
  }
  static std::string Store(const std::optional<std::string>& flag = {}) {
    return LocateStore(flag).value().directory;
  }
};

TEST_F(UserPathsTest, TheFlagComesFirst) {
  Set("STAVE_STORE", "/b");
  EXPECT_EQ(Store("/a"), "/a");
  EXPECT_FALSE(LocateStore("/a").value().is_default);
}

TEST_F(UserPathsTest, TheVariableComesSecond) {
  Set("STAVE_STORE", "/b");
  EXPECT_EQ(Store(), "/b");
  Set("STAVE_STORE", "");
  EXPECT_EQ(Store(), "/home/me/.local/share/stave");
}

TEST_F(UserPathsTest, TheDefaultIsWhereDataOfTheUserLies) {
  EXPECT_EQ(Store(), "/home/me/.local/share/stave");
  EXPECT_TRUE(LocateStore(std::nullopt).value().is_default);
  Set("XDG_DATA_HOME", "/data");
  EXPECT_EQ(Store(), "/data/stave");
  Set("XDG_DATA_HOME", "relative/is/ignored");
  EXPECT_EQ(Store(), "/home/me/.local/share/stave");
}

TEST_F(UserPathsTest, WithoutAnyNameThereIsNoStore) {
  unsetenv("HOME");
  EXPECT_EQ(LocateStore(std::nullopt).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(LocateStore("").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(HistoryPath(), std::nullopt);
}

TEST_F(UserPathsTest, RelativePathsStartWhereTheCommandWasTyped) {
  EXPECT_EQ(UserPath("a/b"), "a/b");
  Set("BUILD_WORKING_DIRECTORY", "/typed/here");
  EXPECT_EQ(UserPath("a/b"), "/typed/here/a/b");
  EXPECT_EQ(UserPath("/a/b"), "/a/b");
  EXPECT_EQ(Store("s"), "/typed/here/s");
  Set("STAVE_STORE", "t");
  EXPECT_EQ(Store(), "/typed/here/t");
}

TEST_F(UserPathsTest, TheHistoryIsStateOfTheUser) {
  EXPECT_EQ(HistoryPath(), "/home/me/.local/state/stave/history");
  Set("XDG_STATE_HOME", "/state");
  EXPECT_EQ(HistoryPath(), "/state/stave/history");
}

TEST_F(UserPathsTest, ParentsAreMadeForTheOwnerAlone) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(MakeParents(directory.path() + "/a/b/c").ok());
  struct stat status;
  ASSERT_EQ(stat((directory.path() + "/a/b").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_NE(stat((directory.path() + "/a/b/c").c_str(), &status), 0);
  EXPECT_TRUE(MakeParents(directory.path() + "/a/b/c").ok());
}

TEST_F(UserPathsTest, AFileIsNoParent) {
  EXPECT_FALSE(MakeParents("/dev/null/a/b").ok());
}

}  // namespace
}  // namespace stave::tool
