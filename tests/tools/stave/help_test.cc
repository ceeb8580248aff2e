#include <fstream>
#include <iterator>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/stave/program_fixture.h"
#include "tools/stave/version.h"

namespace stave::tool {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kCommands[] = {
    "put",     "get",   "delete", "exists",     "keys", "scan",     "count",
    "load",    "dump",  "stat",   "merge",      "fsck", "snapshot", "backup",
    "restore", "bench", "shell",  "completion", "help", "top"};

class HelpTest : public ProgramTest {};

TEST_F(HelpTest, HelpListsAllCommands) {
  const Ran ran = Run({"help"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.error, "");
  for (const char* command : kCommands) {
    EXPECT_THAT(ran.out, HasSubstr("\n  " + std::string(command) + " "));
  }
  EXPECT_EQ(Run({"--help"}).out, ran.out);
  EXPECT_EQ(Run({"-h"}).out, ran.out);
}

TEST_F(HelpTest, EveryCommandHasHelpThatFitsTheScreen) {
  EXPECT_THAT(Run({"help"}).out, Not(testing::ContainsRegex("[^\n]{81}")));
  for (const std::string command : kCommands) {
    const Ran ran = Run({"help", command});
    EXPECT_EQ(ran.exit_code, 0);
    EXPECT_THAT(ran.out, StartsWith("Usage: stave " + command));
    EXPECT_THAT(ran.out, Not(testing::ContainsRegex("[^\n]{81}")));
    // An example.
    EXPECT_THAT(ran.out, HasSubstr("\n  stave " + command));
    EXPECT_THAT(Run({command, "--help"}), Prints(ran.out));
    EXPECT_THAT(Run({command, "-h"}), Prints(ran.out));
  }
}

TEST_F(HelpTest, HelpNamesWhatACommandTakes) {
  EXPECT_THAT(Run({"help", "load"}).out,
              AllOf(HasSubstr("[FILE]"), HasSubstr("[--format tsv|jsonl]"),
                    HasSubstr("[--batch N]"), HasSubstr("[--sync]"),
                    HasSubstr("[--ack]")));
  EXPECT_THAT(Run({"help", "delete"}).out, HasSubstr("delete KEY..."));
}

TEST_F(HelpTest, AnUnknownCommandIsAnErrorWithASuggestion) {
  EXPECT_THAT(Run({"gte", "a"}),
              Fails(2, "no command 'gte', did you mean 'get'"));
  EXPECT_THAT(Run({"frobnicate"}), Fails(2, "no command 'frobnicate'; `stave"));
  EXPECT_THAT(Run({"help", "delte"}), Fails(2, "did you mean 'delete'"));
  EXPECT_EQ(Run({"gte"}).out, "");
}

TEST_F(HelpTest, ACommandBehindTwoDashesIsToldItsPlace) {
  EXPECT_THAT(Run({"--", "get", "a"}), Fails(2, "write get before --"));
}

TEST_F(HelpTest, NoCommandIsAnError) {
  EXPECT_THAT(Run({}), Fails(2, "a command is missing; see `stave help`"));
  EXPECT_THAT(Run({"--json"}), Fails(2, "a command is missing"));
}

TEST_F(HelpTest, TheVersionIsThatOfTheModule) {
  EXPECT_THAT(Run({"--version"}),
              Prints("stave " + std::string(kVersion) + "\n"));
  std::ifstream file("MODULE.bazel");
  const std::string module{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(module, HasSubstr("name = \"stave\",\n    version = \"" +
                                std::string(kVersion) + "\""));
}

}  // namespace
}  // namespace stave::tool
