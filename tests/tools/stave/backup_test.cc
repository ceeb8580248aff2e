#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/stave/program_fixture.h"

namespace stave::tool {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

class BackupTest : public ProgramTest {
 protected:
  BackupTest() {
    EXPECT_THAT(Run({"put", "user:1", "Alice"}), Prints(""));
    EXPECT_THAT(Run({"put", "user:2", "Bob"}), Prints(""));
  }

  void Backup() {
    const Ran ran = Run({"backup", Path("backup")});
    EXPECT_EQ(ran.exit_code, 0) << ran;
    EXPECT_EQ(ran.error, "");
  }
};

TEST_F(BackupTest, IsAStoreAndIsRestored) {
  const Ran made = Run({"backup", Path("backup")});
  EXPECT_EQ(made.exit_code, 0) << made;
  EXPECT_THAT(made.out, StartsWith("Backed up 2 keys"));
  EXPECT_THAT(Run({"get", "user:1", "--store", Path("backup")}),
              Prints("Alice\n"));
  std::filesystem::remove_all(Store());
  const Ran restored = Run({"restore", Path("backup"), Store()});
  EXPECT_EQ(restored.exit_code, 0) << restored;
  EXPECT_THAT(restored.out, StartsWith("Restored 2 keys"));
  EXPECT_THAT(Run({"put", "user:1", "Alicia"}), Prints(""));
  EXPECT_THAT(Run({"get", "user:2"}), Prints("Bob\n"));
  EXPECT_THAT(Run({"get", "user:1", "--store", Path("backup")}),
              Prints("Alice\n"));
}

TEST_F(BackupTest, IsRenewedBesideAWriter) {
  Backup();
  const Running shell = Start({"shell"});
  shell.pipes->Send("SET user:3 Carol\n");
  EXPECT_EQ(shell.pipes->ReadUntil("\n"), "OK\n");
  const json result =
      json::parse(Run({"backup", Path("backup"), "--json"}).out);
  EXPECT_EQ(result["keys"], 3);
  EXPECT_GT(result["live_bytes"], 0);
  EXPECT_THAT(Run({"count", "--store", Path("backup")}), Prints("3\n"));
  shell.pipes->EndInput();
  EXPECT_EQ(shell.process->Wait(), 0);
}

TEST_F(BackupTest, DamageIsExitCodeThree) {
  const std::string segment = Store() + "/0000000000000001.seg";
  std::string bytes = BytesOf(segment);
  bytes[70] ^= 1;
  WriteFile("store/0000000000000001.seg", bytes);
  EXPECT_THAT(Run({"backup", Path("backup")}), Fails(3, segment));
}

TEST_F(BackupTest, RefusesWhatIsNoBackupOfIt) {
  std::filesystem::create_directory(Path("backup"));
  WriteFile("backup/letter.txt", "Dear");
  EXPECT_THAT(Run({"backup", Path("backup")}), Fails(5, "letter.txt"));
  EXPECT_THAT(Run({"backup", Store()}), Fails(5, "is no backup"));
  EXPECT_THAT(Run({"backup", Path("backup/letter.txt")}),
              Fails(5, "not a directory"));
  EXPECT_THAT(Run({"backup", Path("a/b")}), Fails(5, "can't make"));
  EXPECT_THAT(Run({"backup", ""}), Fails(2, "TO"));
  for (const char* inside : {"/new", "/new/", "/../store/new", "/a/new"}) {
    EXPECT_THAT(Run({"backup", Store() + inside}), Fails(2, "own directory"));
    EXPECT_THAT(Run({"restore", Store(), Store() + inside}),
                Fails(2, "own directory"));
  }
  EXPECT_THAT(Run({"backup"}), Fails(2, "TO"));
}

TEST_F(BackupTest, RestoresNothingFromNowhereAndOverNothing) {
  EXPECT_THAT(Run({"restore", Path("nowhere"), Path("new")}),
              Fails(5, "there is no store in"));
  EXPECT_THAT(Run({"restore", Path("nowhere"), Path("new")}),
              Fails(5, "FROM is the directory that `stave backup` was told"));
  EXPECT_THAT(Run({"restore", WriteFile("file", ""), Path("new")}),
              Fails(5, Path("file") + " is not a directory\n"));
  EXPECT_FALSE(std::filesystem::exists(Path("new")));
  Backup();
  EXPECT_THAT(Run({"restore", Path("backup"), Store()}),
              Fails(5, "is no backup"));
  EXPECT_THAT(Run({"get", "user:1"}), Prints("Alice\n"));
}

TEST_F(BackupTest, AnOpenTargetIsLocked) {
  Backup();
  const Running shell = Start({"shell", "--store", Path("backup")});
  shell.pipes->Send("GET user:1\n");
  EXPECT_EQ(shell.pipes->ReadUntil("\n"), "Alice\n");
  EXPECT_THAT(Run({"backup", Path("backup")}), Fails(4, "held by"));
  shell.pipes->EndInput();
  EXPECT_EQ(shell.process->Wait(), 0);
}

}  // namespace
}  // namespace stave::tool
