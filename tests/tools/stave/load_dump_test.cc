#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/stave/program_fixture.h"
#include "tests/tools/stave/random_bytes.h"
#include "tools/stave/record_format.h"

namespace stave::tool {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

class LoadDumpTest : public ProgramTest {
 protected:
  static std::vector<std::string> SortedLines(const std::string& text) {
    std::vector<std::string> lines = absl::StrSplit(text, '\n');
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  // Lines for keys with these numbers.
  static std::string Lines(int first, int last) {
    std::string lines;
    for (int i = first; i <= last; ++i) {
      absl::StrAppend(&lines, "key", i, "\tvalue", i, "\n");
    }
    return lines;
  }
  std::string Count() const { return Run({"count"}).out; }
};

TEST_F(LoadDumpTest, AnyBytesGoThroughBothFormats) {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) {
    every_byte += static_cast<char>(byte);
  }
  std::map<std::string, std::string> records = {{every_byte, every_byte},
                                                {"\0"s, ""}};
  RandomBytes random(20);
  for (int i = 0; i < 2000; ++i) {
    records[random.Text(1 + random.Number(30))] =
        random.Text(random.Number(99));
  }
  std::string tsv;
  for (const auto& [key, value] : records) {
    AppendRecord(RecordFormat::kTsv, {key, value}, &tsv);
  }
  ASSERT_THAT(Run({"load"}, tsv), Prints(""));
  EXPECT_EQ(SortedLines(Run({"dump"}).out), SortedLines(tsv));
  ASSERT_THAT(Run({"dump", Path("a.jsonl")}), Prints(""));
  Set("STAVE_STORE", Path("second"));
  ASSERT_THAT(Run({"load", Path("a.jsonl")}), Prints(""));
  EXPECT_EQ(SortedLines(Run({"dump"}).out), SortedLines(tsv));
  EXPECT_THAT(Run({"get", "--raw", records.rbegin()->first}),
              Prints(records.rbegin()->second));
}

TEST_F(LoadDumpTest, ExpiriesGoThroughBothFormats) {
  const std::string lines = "long\tv\texpire_at_ms=4102444800123\nnever\tv\n";
  for (const char* format : {"tsv", "jsonl"}) {
    Set("STAVE_STORE", Path(format));
    ASSERT_THAT(Run({"load"}, lines), Prints(""));
    ASSERT_THAT(Run({"dump", Path("dumped"), "--format", format}), Prints(""));
    Set("STAVE_STORE", Path(format + "2"s));
    ASSERT_THAT(Run({"load", Path("dumped"), "--format", format}), Prints(""));
    EXPECT_EQ(SortedLines(Run({"dump"}).out), SortedLines(lines));
  }
}

TEST_F(LoadDumpTest, DumpTouchesNoFileOfTheStore) {
  Run({"put", "k", "v"});
  const std::string manifest = BytesOf(Store() + "/MANIFEST-1");
  for (const char* name : {"MANIFEST-1", "LOCK", "another"}) {
    EXPECT_THAT(Run({"dump", Store() + "/" + name}),
                Fails(2, "in the store's own directory"));
  }
  std::filesystem::create_symlink(Store() + "/MANIFEST-1", Path("link"));
  EXPECT_THAT(Run({"dump", Path("link")}), Fails(2, "own directory"));
  EXPECT_EQ(BytesOf(Store() + "/MANIFEST-1"), manifest);
  EXPECT_THAT(Run({"get", "k"}), Prints("v\n"));
}

TEST_F(LoadDumpTest, ADumpedFileKeepsItsModeAndANewOneIsForItsOwner) {
  using std::filesystem::perms;
  Run({"put", "k", "v"});
  const std::string old = WriteFile("old", "");
  std::filesystem::permissions(old, perms(0640));
  EXPECT_THAT(Run({"dump", old}), Prints(""));
  EXPECT_EQ(std::filesystem::status(old).permissions(), perms(0640));
  EXPECT_THAT(Run({"dump", Path("new")}), Prints(""));
  EXPECT_EQ(std::filesystem::status(Path("new")).permissions(), perms(0600));
}

TEST_F(LoadDumpTest, AnExpiredRecordDeletesItsKey) {
  Run({"put", "k", "old"});
  EXPECT_THAT(Run({"load"}, "k\tnew\texpire_at_ms=1000\n"), Prints(""));
  EXPECT_THAT(Run({"get", "k"}), Fails(1, "no key"));
  EXPECT_EQ(Count(), "0\n");
}

TEST_F(LoadDumpTest, TheFormatFollowsTheNameUnlessTold) {
  const std::string json = "{\"key\":\"a\",\"value\":\"1\"}\n";
  EXPECT_THAT(Run({"load", WriteFile("a.jsonl", json)}), Prints(""));
  EXPECT_THAT(Run({"load", "-", "--format", "jsonl"}, json), Prints(""));
  EXPECT_THAT(Run({"load", WriteFile("b.jsonl", "a\t1\n"), "--format", "tsv"}),
              Prints(""));
  EXPECT_THAT(Run({"dump", "--json"}), Prints(json));
  EXPECT_THAT(Run({"dump", "-", "--format", "jsonl"}), Prints(json));
  EXPECT_THAT(Run({"dump"}), Prints("a\t1\n"));
  EXPECT_THAT(Run({"load"}, json), Fails(2, "line 1: no tab"));
}

TEST_F(LoadDumpTest, ABadLineIsNamedAndWhatIsBeforeItIsLoaded) {
  const std::string path =
      WriteFile("a.tsv", Lines(1, 56) + "no tab here\n" + Lines(58, 99));
  for (const char* batch : {"1", "10", "56", "57", "1000"}) {
    Set("STAVE_STORE", Path(batch));
    EXPECT_THAT(Run({"load", path, "--batch", batch}),
                Fails(2, path + ": line 57: no tab"));
    EXPECT_EQ(Count(), "56\n") << batch;
  }
  EXPECT_THAT(Run({"load", path}), Fails(2, "records loaded before that: 56"));
}

TEST_F(LoadDumpTest, AnInputThatFailsEndsWithTheLinesThatAreWhole) {
  for (const char* batch : {"1", "10", "56", "57", "1000"}) {
    Set("STAVE_STORE", Path(batch));
    const Ran load =
        RunFromFailing(Lines(1, 56) + "key57\tval", {"load", "--batch", batch});
    EXPECT_THAT(load, Fails(5, "cannot read standard input: Input/output"));
    EXPECT_THAT(load, Fails(5, "records loaded before that: 56"));
    EXPECT_EQ(Count(), "56\n") << batch;
  }
  EXPECT_THAT(RunFromFailing("half a val", {"put", "key"}),
              Fails(5, "cannot read standard input: Input/output"));
  EXPECT_THAT(Run({"get", "key"}), Fails(1, "no key"));
  EXPECT_THAT(RunFromFailing("SET key half", {"shell"}),
              Fails(5, "cannot read standard input: Input/output"));
  EXPECT_EQ(Count(), "56\n");
}

TEST_F(LoadDumpTest, EveryKindOfBadLineIsNamed) {
  EXPECT_THAT(Run({"load"}, "a\t1\n\n"), Fails(2, "line 2: no tab"));
  EXPECT_THAT(Run({"load"}, "\tv\n"), Fails(2, "line 1: the key is empty"));
  EXPECT_THAT(Run({"load"}, std::string(65536, 'k') + "\tv\n"),
              Fails(2, "line 1: the key has 65536 bytes"));
  EXPECT_THAT(Run({"load"}, "a\t\\x4\n"), Fails(2, "line 1: bad escape"));
  EXPECT_THAT(Run({"load", "--format", "jsonl"}, "{\"key\":"),
              Fails(2, "standard input: line 1: not JSON at byte"));
  EXPECT_THAT(Run({"load", "--format", "jsonl"}, "{\"key\":\"a\"}\n"),
              Fails(2, "line 1: no field 'value'"));
}

// A zero byte ends no line.
TEST_F(LoadDumpTest, WhatFollowsAnObjectIsABadLineAlsoBehindAZeroByte) {
  const std::string object = R"({"key":"a","value":"1"})";
  for (const std::string& rest :
       {std::string(1, '\0'), '\0' + object, '\0' + std::string("junk")}) {
    EXPECT_THAT(Run({"load", "--format", "jsonl"}, object + rest + "\n"),
                Fails(2, "line 1: not JSON at byte"));
  }
}

TEST_F(LoadDumpTest, TheLastLineMayLackItsNewline) {
  EXPECT_THAT(Run({"load"}, "a\t1\nb\t2"), Prints(""));
  EXPECT_THAT(Run({"get", "b"}), Prints("2\n"));
}

TEST_F(LoadDumpTest, NothingIsLoadedFromNothing) {
  EXPECT_THAT(Run({"load"}, ""), Prints(""));
  EXPECT_THAT(Run({"dump"}), Prints(""));
  EXPECT_THAT(Run({"load", Path("none")}),
              Fails(5, "cannot open " + Path("none")));
}

TEST_F(LoadDumpTest, NoStoreIsMadeForADirectory) {
  const std::string directory = Path("");
  EXPECT_THAT(Run({"load", directory, "--store", Path("new")}),
              Fails(5, "cannot read " + directory + ": Is a directory"));
  EXPECT_FALSE(std::filesystem::exists(Path("new")));
}

TEST_F(LoadDumpTest, AcknowledgementsCountBatches) {
  EXPECT_THAT(Run({"load", "--batch", "3", "--ack"}, Lines(1, 8)),
              Prints("3\n6\n8\n"));
  EXPECT_THAT(Run({"load", "--batch", "2", "--ack", "--sync"}, Lines(1, 4)),
              Prints("2\n4\n"));
  const Ran bad = Run({"load", "--batch", "2", "--ack"}, Lines(1, 3) + "x\n");
  EXPECT_EQ(bad.out, "2\n3\n");
  EXPECT_THAT(Run({"load", "--json"}, Lines(1, 8)), Prints("{\"loaded\":8}\n"));
}

TEST_F(LoadDumpTest, WhatWasAcknowledgedSurvivesAKill) {
  Running load = Start({"load", "--batch", "10", "--ack"});
  // The input has no end, so the kill finds it at work.
  load.pipes->Send(Lines(1, 1995));
  std::string acknowledged;
  while (acknowledged != "1500\n") {
    acknowledged = load.pipes->ReadUntil("\n");
    ASSERT_NE(acknowledged, "");
  }
  load.process->Kill();
  load.process->Wait();
  const int count = std::stoi(Count());
  EXPECT_GE(count, 1500);
  EXPECT_EQ(count % 10, 0);
  EXPECT_EQ(SortedLines(Run({"dump"}).out), SortedLines(Lines(1, count)));
}

TEST_F(LoadDumpTest, LargeValuesGoThrough) {
  RandomBytes random(21);
  const std::string value = random.Text(3 << 20);
  ASSERT_THAT(Run({"put", "large"}, value), Prints(""));
  ASSERT_THAT(Run({"put", "small", "v"}), Prints(""));
  ASSERT_THAT(Run({"dump", Path("a.tsv")}), Prints(""));
  Set("STAVE_STORE", Path("second"));
  ASSERT_THAT(Run({"load", Path("a.tsv")}), Prints(""));
  EXPECT_THAT(Run({"get", "large", "--raw"}), Prints(value));
  EXPECT_THAT(Run({"get", "small"}), Prints("v\n"));
}

TEST_F(LoadDumpTest, ADumpReplacesItsFileOnlyWhenComplete) {
  Run({"put", "a", "1"});
  const std::string path = WriteFile("a.tsv", "older dump\n");
  EXPECT_THAT(Run({"dump", path, "--store", Path("none")}), Fails(5, ""));
  EXPECT_EQ(BytesOf(path), "older dump\n");
  EXPECT_THAT(Run({"dump", path}), Prints(""));
  EXPECT_EQ(BytesOf(path), "a\t1\n");
  EXPECT_THAT(Run({"dump", "/dev/full"}), Fails(5, "No space left"));
  EXPECT_THAT(Run({"dump", Path("none/a.tsv")}), Fails(5, Path("none/a.tsv")));
  EXPECT_THAT(Run({"dump", Store()}), Fails(5, "Is a directory"));
}

TEST_F(LoadDumpTest, ProgressIsShownOnATerminal) {
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  Running load = StartOnTerminal({"load", Path("fifo")});
  std::ofstream fifo(Path("fifo"));
  fifo << Lines(1, 1024) << std::flush;
  absl::SleepFor(absl::Milliseconds(150));
  fifo << Lines(1025, 2500) << std::flush;
  EXPECT_THAT(load.pipes->ReadUntil("/s"), HasSubstr("loaded 2,048 records"));
  fifo.close();
  EXPECT_THAT(load.pipes->ReadAll(), HasSubstr("loaded 2,500 records"));
  EXPECT_EQ(load.process->Wait(), 0);
}

}  // namespace
}  // namespace stave::tool
