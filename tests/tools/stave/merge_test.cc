#include <filesystem>
#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/stave/program_fixture.h"

namespace stave::tool {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// A store with more dead than live records.
class MergeTest : public ProgramTest {
 protected:
  MergeTest() {
    for (const char* value : {"one", "two", "three"}) {
      EXPECT_THAT(Run({"put", "key", value}), Prints(""));
    }
  }
};

TEST_F(MergeTest, SaysWhatItDidAndKeepsWhatIsLive) {
  const Ran ran = Run({"merge"});
  EXPECT_EQ(ran.exit_code, 0) << ran;
  EXPECT_THAT(ran.out, HasSubstr("Merged: the segments took "));
  EXPECT_THAT(Run({"get", "key"}), Prints("three\n"));
  EXPECT_THAT(Run({"merge"}).out, HasSubstr("Nothing to merge"));
}

TEST_F(MergeTest, JsonHasTheBytesBeforeAndAfter) {
  const json result = json::parse(Run({"merge", "--all", "--json"}).out);
  EXPECT_GE(result["merges"], 1);
  EXPECT_GT(result["bytes_before"], result["bytes_after"]);
}

TEST_F(MergeTest, ALimitChangesNothingButItsTime) {
  EXPECT_EQ(Run({"merge", "--all", "--merge-limit", "100000"}).exit_code, 0);
  EXPECT_THAT(Run({"get", "key"}), Prints("three\n"));
  EXPECT_THAT(Run({"merge"}).out, HasSubstr("Nothing to merge"));
}

TEST_F(MergeTest, DryRunSaysWhyAndChangesNothing) {
  const std::string before = Run({"stat", "--json"}).out;
  const Ran ran = Run({"merge", "--dry-run"});
  EXPECT_EQ(ran.exit_code, 0) << ran;
  EXPECT_THAT(ran.out, HasSubstr("segment 1, "));
  EXPECT_THAT(ran.out, HasSubstr(", since "));
  const json plan = json::parse(Run({"merge", "--dry-run", "--json"}).out);
  ASSERT_FALSE(plan["segments"].empty());
  for (const json& segment : plan["segments"]) {
    EXPECT_TRUE(segment["chosen"].is_boolean());
    EXPECT_NE(segment["reason"], "");
  }
  EXPECT_EQ(json::parse(Run({"stat", "--json"}).out)["dead_bytes"],
            json::parse(before)["dead_bytes"]);
}

TEST_F(MergeTest, ReadOnlyForbidsIt) {
  EXPECT_THAT(Run({"merge", "--read-only"}), Fails(2, "--read-only"));
  EXPECT_THAT(Run({"merge", "--all", "--read-only"}), Fails(2, "--read-only"));
}

// It only reads.
TEST_F(MergeTest, DryRunWorksBesideAWriterAndChangesNoByte) {
  std::map<std::string, std::string> before;
  for (const auto& file : std::filesystem::directory_iterator(Store())) {
    before[file.path()] = BytesOf(file.path());
  }
  const std::string plan = Run({"merge", "--dry-run"}).out;
  for (const auto& [path, bytes] : before) {
    EXPECT_TRUE(BytesOf(path) == bytes) << path;
  }
  Running shell = Start({"shell"});
  shell.pipes->Send("GET key\n");
  EXPECT_EQ(shell.pipes->ReadUntil("\n"), "three\n");
  EXPECT_THAT(Run({"merge", "--dry-run"}), Prints(plan));
  shell.pipes->EndInput();
  EXPECT_EQ(shell.process->Wait(), 0);
}

TEST_F(MergeTest, WithoutAStoreThereIsNothingToDo) {
  const std::string store = Path("nowhere");
  EXPECT_THAT(Run({"merge", "--store", store}), Fails(5, "there is no store"));
  EXPECT_THAT(Run({"merge", "--dry-run", "--store", store}),
              Fails(5, "there is no store"));
  EXPECT_FALSE(std::filesystem::exists(store));
}

}  // namespace
}  // namespace stave::tool
