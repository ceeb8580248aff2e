#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/tools/stave/program_fixture.h"

namespace stave::tool {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr absl::Duration kLongerThanALook = absl::Milliseconds(150);

// What long commands show on a terminal. Each test has one that takes long
// enough to be seen.
class ProgressTest : public ProgramTest {
 protected:
  ProgressTest() { Set("TERM", "vt100"); }

  // All that the command prints, having succeeded.
  std::string Shown(const Arguments& arguments) const {
    const Running running = StartOnTerminal(arguments);
    std::string shown = running.pipes->ReadAll();
    EXPECT_EQ(running.process->Wait(), 0) << shown;
    return shown;
  }
  void Load(int records, size_t value_bytes) const {
    std::string lines;
    for (int i = 0; i < records; ++i) {
      absl::StrAppend(&lines, "key", i, "\t", std::string(value_bytes, 'v'),
                      "\n");
    }
    EXPECT_THAT(Run({"load"}, lines), Prints(""));
  }
  // What a writer to this pipe writes, of which it waits a while.
  static void ReadSlowly(const std::string& path) {
    std::ifstream pipe(path);
    pipe.get();
    absl::SleepFor(kLongerThanALook);
    const std::string rest(std::istreambuf_iterator<char>(pipe), {});
  }
};

TEST_F(ProgressTest, OfAMerge) {
  Load(100, 12'000);
  Load(100, 12'000);
  const std::string shown =
      Shown({"merge", "--all", "--merge-limit", "5000000"});
  EXPECT_THAT(shown, AllOf(ContainsRegex("\rmerged [1-9].*, [1-9][0-9]?%"),
                           HasSubstr("\nMerged: the segments took ")));
}

// Of values that take long to be restored, and little space; each has a segment
// of its own.
TEST_F(ProgressTest, OfABackupAndOfWhatIsRestoredFromIt) {
  {
    Options options;
    options.compression = Compression::kLz4;
    options.segment_size_bytes = size_t{256} << 10;
    const auto store = stave::Store::Open(Store(), options);
    ASSERT_TRUE(store.ok()) << store.status();
    const std::string value(size_t{64} << 20, 'v');
    for (int i = 0; i < 14; ++i) {
      ASSERT_EQ((*store)->Put(absl::StrCat("key", i), value), absl::OkStatus());
    }
    ASSERT_EQ((*store)->Close(), absl::OkStatus());
  }
  EXPECT_THAT(Shown({"backup", Path("backup")}),
              AllOf(ContainsRegex("\rbacked up .*/s, [0-9]+%"),
                    HasSubstr("\nBacked up 14 keys")));
  EXPECT_THAT(Shown({"restore", Path("backup"), Path("new")}),
              AllOf(ContainsRegex("\rrestored .*/s, [0-9]+%"),
                    HasSubstr("\nRestored 14 keys")));
}

TEST_F(ProgressTest, OfASnapshotThatIsSaved) {
  Load(5000, 200);
  EXPECT_THAT(Run({"load"}, "short\tv\texpire_at_ms=4102444800000\n\\xff\tv\n"),
              Prints(""));
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  for (const char* format : {"json", "binary"}) {
    const Running save =
        StartOnTerminal({"snapshot", "save", Path("pipe"), "--format", format});
    ReadSlowly(Path("pipe"));
    EXPECT_THAT(save.pipes->ReadAll(),
                AllOf(ContainsRegex("\rsaved [1-4],[0-9]+ records"),
                      HasSubstr("\rsaved 5,002 records, 1"),
                      HasSubstr("\nSaved snapshot to ")));
    EXPECT_EQ(save.process->Wait(), 0);
  }
}

TEST_F(ProgressTest, OfASnapshotThatIsLoaded) {
  std::string data;
  for (int i = 0; i < 300'000; ++i) {
    absl::StrAppend(&data, i == 0 ? "" : ",", "\"key", i, "\":\"",
                    std::string(80, 'v'), "\"");
  }
  const std::string file = WriteFile(
      "data.json",
      absl::StrCat(R"({"version":1,"timestamp":"2026-01-15T10:30:00Z",)"
                   R"("data":{)",
                   data, "}}\n"));
  EXPECT_THAT(Shown({"snapshot", "load", file}),
              AllOf(ContainsRegex("\rchecked .*/s, [1-9][0-9]?%"),
                    ContainsRegex("\rloaded [1-9].* records, .*, [1-9][0-9]?%"),
                    HasSubstr("\rloaded 300,000 records, "),
                    HasSubstr("\nLoaded 300000 pairs")));
}

TEST_F(ProgressTest, OfASnapshotThatIsAskedForInTheShell) {
  Load(5000, 200);
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  const Running shell = StartOnTerminal({"shell", "--file", Path("pipe")});
  shell.pipes->ReadUntil("stave> ");
  shell.pipes->Send("SNAPSHOT\n");
  ReadSlowly(Path("pipe"));
  EXPECT_THAT(shell.pipes->ReadUntil("Saved snapshot to "),
              HasSubstr("\rsaved 5,000 records, "));
  shell.pipes->Send("EXIT\n");
  shell.pipes->ReadUntil("Goodbye!");
  EXPECT_EQ(shell.process->Wait(), 0);
}

}  // namespace
}  // namespace stave::tool
