#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/stave/program_fixture.h"

namespace stave::tool {
namespace {

using testing::HasSubstr;

// The messages that no other test looks at: each says what is wrong, and where.
class ErrorMessagesTest : public ProgramTest {
 protected:
  Ran LoadJson(const std::string& json) {
    return Run({"snapshot", "load", WriteFile("snapshot.json", json)});
  }
  Ran LoadLine(const std::string& line, const std::string& format) {
    return Run({"load", "--format", format}, line);
  }
};

TEST_F(ErrorMessagesTest, OfWrongFlags) {
  EXPECT_THAT(Run({"get", "k", "--keydir", "tree"}),
              Fails(2, "--keydir is hash or ordered, not 'tree'"));
  EXPECT_THAT(Run({"put", "k", "v", "--compression", "gzip"}),
              Fails(2, "--compression is zstd, lz4 or none, not 'gzip'"));
  EXPECT_THAT(Run({"merge", "--merge-limit", "fast"}),
              Fails(2, "--merge-limit needs a whole number of 1 or more"));
  EXPECT_THAT(Run({"put", "k", "v", "--compression-dictionary", "big"}),
              Fails(2, "--compression-dictionary: 'big' is not a size"));
  EXPECT_THAT(Run({"put", "k", "v", "--compression-dictionary", "2MiB"}),
              Fails(2, "is 0, or from 256 bytes to 1MiB, not '2MiB'"));
  EXPECT_THAT(Run({"shell", "--json"}), Fails(2, "the shell has no --json"));
  EXPECT_THAT(Run({"completion"}), Fails(2, "SHELL is required"));
  EXPECT_THAT(Run({"help", "get", "--man"}),
              Fails(2, "--man takes no COMMAND"));
}

TEST_F(ErrorMessagesTest, OfStoresThatCannotBeMade) {
  EXPECT_THAT(Run({"put", "k", "v", "--store", Path("no/such")}),
              Fails(5, "cannot make a store in " + Path("no/such")));
  EXPECT_THAT(Run({"put", "k", "v", "--store", Path("no/such")}),
              Fails(5, "--store DIR or STAVE_STORE names another"));
  Unset("STAVE_STORE");
  Set("HOME", WriteFile("file", ""));
  EXPECT_THAT(
      Run({"put", "k", "v"}),
      Fails(5, "cannot create " + Path("file/.local") + ": Not a directory"));
}

TEST_F(ErrorMessagesTest, OfLinesThatAreNoRecords) {
  EXPECT_THAT(LoadLine("a\tb\nab\n", "tsv"),
              Fails(2, "line 2: no tab between a key and a value"));
  EXPECT_THAT(LoadLine(R"({"key":"a","key":"b","value":"c"})", "jsonl"),
              Fails(2, "line 1: field 'key' is given twice"));
  EXPECT_THAT(LoadLine(R"({"value":"c"})", "jsonl"),
              Fails(2, "line 1: no field 'key'"));
}

TEST_F(ErrorMessagesTest, OfSnapshotsThatAreNotWhole) {
  const std::string begin =
      R"({"version":1,"timestamp":"2026-01-15T10:30:00Z")";
  EXPECT_THAT(LoadJson(begin + "}"), Fails(2, "there is no member 'data'"));
  EXPECT_THAT(LoadJson(begin + R"(,"data":{},"x":1})"),
              Fails(2, "byte 64: 'x' can not be a number"));
  EXPECT_THAT(
      LoadJson(begin + R"(,"data":{},"binary":[{"key_base64":"AA=="}]})"),
      Fails(2, "a pair in 'binary' lacks 'key_base64' or 'value_base64'"));
  EXPECT_THAT(LoadJson(begin + R"(,"data":{}}})"),
              Fails(2, "snapshot.json, byte "));
  EXPECT_THAT(LoadJson("precious"), Fails(2, "is no snapshot, neither JSON"));
}

TEST_F(ErrorMessagesTest, OfLinesInTheShell) {
  const Ran ran = Run({"shell"},
                      "MULTI\nGET k\nDISCARD\n"
                      "SNAPSHOT \"\"\n"
                      "SET \"a\"b c\n"
                      "DECRBY n -9223372036854775808\n");
  EXPECT_NE(ran.exit_code, 0);
  for (const char* message :
       {"line 2: GET can't stand between MULTI and EXEC, only SET, MSET",
        "line 4: the file has no name",
        "line 5: no space after a closing quote",
        "line 6: the number is too small to be subtracted"}) {
    EXPECT_THAT(ran.error, HasSubstr(message));
  }
}

// Nothing here has colours, so there is nothing for NO_COLOR to turn off; but
// also on a terminal no escape sequence is written.
TEST_F(ErrorMessagesTest, HaveNoEscapeSequencesOnATerminal) {
  Running get = StartOnTerminal({"get", "k"});
  EXPECT_EQ(get.process->Wait(), 5);
  EXPECT_THAT(get.pipes->ReadUntil("\n"),
              testing::AllOf(HasSubstr("stave: there is no store"),
                             testing::Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace stave::tool
