#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "stave/limits.h"
#include "tests/tools/stave/program_fixture.h"

namespace stave::tool {
namespace {

// While this lives, no file may grow beyond a size.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit limit = {bytes, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() { EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before_), 0); }

 private:
  rlimit before_;
};

// Programs that this process starts from now on may do no more than the modes
// of files say, also if it is root's.
bool TakeRightsFromPrograms() {
  return geteuid() != 0 || (prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) == 0 &&
                            prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH) == 0);
}

// What is wrong is said, with the documented exit code, and what was there
// stays there.
class BadInputTest : public ProgramTest {
 protected:
  BadInputTest() { EXPECT_THAT(Run({"put", "kept", "value"}), Prints("")); }
  ~BadInputTest() override {
    EXPECT_THAT(Run({"dump", "--store", Store()}), Prints("kept\tvalue\n"));
  }
};

TEST_F(BadInputTest, AnEmptyKey) {
  for (const char* command : {"put", "get", "delete", "exists"}) {
    EXPECT_THAT(Run({command, ""}), Fails(2, "the key is empty")) << command;
  }
  EXPECT_THAT(Run({"delete", "kept", ""}), Fails(2, "the key is empty"));
}

TEST_F(BadInputTest, AKeyThatIsTooLong) {
  const std::string key(kMaxKeyBytes + 1, 'k');
  for (const char* command : {"put", "get", "delete", "exists"}) {
    EXPECT_THAT(Run({command, key}), Fails(2, "a key has at most 65535"));
  }
  const std::string longest(kMaxKeyBytes, 'k');
  EXPECT_THAT(Run({"put", longest, "v"}), Prints(""));
  EXPECT_THAT(Run({"delete", longest}), Prints("1\n"));
}

TEST_F(BadInputTest, AValueThatIsTooLong) {
  EXPECT_THAT(RunFrom("/dev/zero", {"put", "kept"}),
              Fails(2, "standard input has more than 1073741824 bytes"));
}

TEST_F(BadInputTest, ArgumentsThatAreMissingOrTooMany) {
  EXPECT_THAT(Run({"get"}), Fails(2, "KEY is required; see `stave help get`"));
  EXPECT_THAT(Run({"delete"}), Fails(2, "KEY is required"));
  EXPECT_THAT(Run({"get", "a", "b"}), Fails(2, "'b' is one argument too many"));
  EXPECT_THAT(Run({"get", "-k"}), Fails(2, "there is no flag '-k'"));
  EXPECT_THAT(Run({"get", "a", "--ra"}), Fails(2, "there is no flag '--ra'"));
  EXPECT_THAT(Run({"keys", "--limit"}), Fails(2, "--limit takes one value"));
  EXPECT_THAT(Run({"put", "a", "b", "--ttl", "1s", "--ttl", "2s"}),
              Fails(2, "--ttl takes one value"));
}

TEST_F(BadInputTest, NumbersAndDurationsThatAreNone) {
  for (const char* number : {"0", "-1", "x", ""}) {
    EXPECT_THAT(Run({"keys", "--limit", number}), Fails(2, "--limit needs"));
    EXPECT_THAT(Run({"scan", "--limit", number}), Fails(2, "--limit needs"));
    EXPECT_THAT(Run({"load", "--batch", number}), Fails(2, "--batch needs"));
  }
  for (const char* duration : {"0s", "5", "soon", "-5s", ""}) {
    EXPECT_THAT(Run({"put", "k", "v", "--ttl", duration}),
                Fails(2, "is not a duration"));
  }
  EXPECT_THAT(Run({"dump", "--format", "xml"}), Fails(2, "tsv and jsonl"));
  EXPECT_THAT(Run({"scan", "--to", ""}), Fails(2, "--to is empty"));
}

TEST_F(BadInputTest, AStoreThatIsNotThere) {
  Set("STAVE_STORE", Path("none"));
  for (const char* command : {"keys", "scan", "count", "dump", "stat"}) {
    EXPECT_THAT(Run({command}), Fails(5, "no store in " + Path("none")));
  }
  EXPECT_THAT(Run({"get", "k"}), Fails(5, "no store in " + Path("none")));
  EXPECT_THAT(Run({"exists", "k"}), Fails(5, "no store in " + Path("none")));
  EXPECT_THAT(Run({"shell", "--read-only"}), Fails(5, "no store in"));
  EXPECT_FALSE(std::filesystem::exists(Path("none")));
}

TEST_F(BadInputTest, AnEmptyDirectoryIsNoStore) {
  std::filesystem::create_directory(Path("empty"));
  EXPECT_THAT(Run({"keys", "--store", Path("empty")}), Fails(5, "no store in"));
  EXPECT_TRUE(std::filesystem::is_empty(Path("empty")));
}

TEST_F(BadInputTest, AStoreThatIsAFile) {
  const std::string file = WriteFile("file", "precious");
  EXPECT_THAT(Run({"get", "k", "--store", file}), Fails(5, file));
  EXPECT_THAT(Run({"put", "k", "v", "--store", file}), Fails(5, file));
  EXPECT_EQ(BytesOf(file), "precious");
}

TEST_F(BadInputTest, AStoreWithoutAName) {
  EXPECT_THAT(Run({"get", "k", "--store", ""}), Fails(2, "--store"));
  Unset("STAVE_STORE");
  Unset("HOME");
  EXPECT_THAT(Run({"get", "k"}), Fails(2, "--store DIR"));
}

TEST_F(BadInputTest, AParentThatIsNotThere) {
  EXPECT_THAT(Run({"put", "k", "v", "--store", Path("no/such")}),
              Fails(5, Path("no/such")));
  EXPECT_FALSE(std::filesystem::exists(Path("no")));
  EXPECT_THAT(Run({"put", "k", "v", "--store", "/proc/stave"}),
              Fails(5, "/proc/stave"));
}

TEST_F(BadInputTest, ADirectoryThatMayNotBeWritten) {
  // One where nobody may, not even root.
  EXPECT_THAT(Run({"put", "k", "v", "--store", "/proc/self/task"}),
              Fails(5, "/proc/self/task"));
  std::filesystem::create_directory(Path("closed"));
  chmod(Path("closed").c_str(), 0500);
  // Root that may not give up its rights is left with the one above.
  if (!TakeRightsFromPrograms()) return;
  EXPECT_THAT(Run({"put", "k", "v", "--store", Path("closed")}),
              Fails(5, Path("closed")));
}

TEST_F(BadInputTest, AStoreThatAnotherProcessHasOpen) {
  Running shell = Start({"shell"});
  shell.pipes->Send("GET kept\n");
  EXPECT_EQ(shell.pipes->ReadUntil("\n"), "value\n");
  EXPECT_THAT(Run({"put", "k", "v"}), Fails(4, Store()));
  EXPECT_THAT(Run({"delete", "kept"}), Fails(4, "try again when"));
  EXPECT_THAT(Run({"shell"}, "GET kept\n"), Fails(4, Store()));
  EXPECT_THAT(Run({"get", "kept"}), Prints("value\n"));
  EXPECT_THAT(Run({"shell", "--read-only"}, "GET kept\n"), Prints("value\n"));
  shell.pipes->EndInput();
  EXPECT_EQ(shell.process->Wait(), 0);
}

TEST_F(BadInputTest, AStoreOfAnotherFormat) {
  std::filesystem::copy(Store(), Path("other"));
  for (const auto& entry : std::filesystem::directory_iterator(Path("other"))) {
    if (entry.path().filename().string().starts_with("MANIFEST")) {
      std::ofstream(entry.path(), std::ios::binary) << "not a manifest";
    }
  }
  const Ran put = Run({"put", "k", "v", "--store", Path("other")});
  EXPECT_TRUE(put.exit_code == 3 || put.exit_code == 5) << put;
  EXPECT_THAT(put.error, testing::HasSubstr(Path("other")));
  EXPECT_THAT(Run({"get", "kept", "--store", Path("other")}),
              Fails(put.exit_code, Path("other")));
}

TEST_F(BadInputTest, DamagedBytes) {
  std::filesystem::copy(Store(), Path("damaged"));
  for (const auto& entry :
       std::filesystem::directory_iterator(Path("damaged"))) {
    if (entry.path().extension() != ".seg") continue;
    std::string bytes = BytesOf(entry.path().string());
    bytes.at(bytes.find("value")) ^= 1;
    std::ofstream(entry.path(), std::ios::binary) << bytes;
  }
  EXPECT_THAT(Run({"get", "kept", "--store", Path("damaged")}),
              Fails(3, ".seg"));
  EXPECT_THAT(Run({"dump", "--store", Path("damaged")}), Fails(3, ".seg"));
}

TEST_F(BadInputTest, ADictionaryThatIsMissing) {
  std::string lines;
  for (int i = 0; i < 20'000; ++i) {
    const std::string number = std::to_string(i * 7919 % 10'007);
    lines += number + "\tName: lib" + number + "-dev, Section: libdevel, " +
             "Maintainer: Debian Games Team, Architecture: any, Essential: " +
             "no, Description: development files of number " + number + "\n";
  }
  Set("STAVE_STORE", Path("text"));
  std::string dictionary;
  // It is learnt beside the load, and may not be in time.
  for (int loads = 0; dictionary.empty(); ++loads) {
    ASSERT_LT(loads, 50);
    ASSERT_THAT(Run({"load", "--compression", "zstd"}, lines), Prints(""));
    for (const auto& entry :
         std::filesystem::directory_iterator(Path("text"))) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("DICTIONARY-")) dictionary = name;
    }
  }
  // What needs it.
  ASSERT_THAT(Run({"load", "--compression", "zstd"}, lines), Prints(""));
  std::filesystem::rename(Path("text/" + dictionary), Path("aside"));
  const std::string missing = Path("text/" + dictionary) + ": the dictionary";
  EXPECT_THAT(Run({"get", "1"}), Fails(3, missing));
  EXPECT_THAT(Run({"put", "1", "new"}), Fails(3, missing));
  EXPECT_THAT(Run({"snapshot", "save", Path("s")}), Fails(3, missing));
  EXPECT_FALSE(std::filesystem::exists(Path("s")));
  EXPECT_THAT(Run({"backup", Path("b")}), Fails(3, missing));
  const Ran fsck = Run({"fsck"});
  EXPECT_EQ(fsck.exit_code, 3);
  EXPECT_THAT(fsck.out, testing::HasSubstr(dictionary + ", offset 0"));
  std::filesystem::rename(Path("aside"), Path("text/" + dictionary));
  EXPECT_THAT(Run({"count"}), Prints("10007\n"));
  EXPECT_EQ(Run({"fsck"}).exit_code, 0);
}

TEST_F(BadInputTest, AFullDiskForTheOutput) {
  for (const char* command :
       {"keys", "scan", "count", "dump", "stat", "help"}) {
    EXPECT_THAT(RunInto("/dev/full", {command}),
                Fails(5, "standard output: No space left"))
        << command;
  }
  EXPECT_THAT(RunInto("/dev/full", {"get", "kept"}), Fails(5, "No space left"));
  EXPECT_THAT(RunInto("/dev/full", {"get", "kept"}), Fails(5, "; free some"));
  EXPECT_THAT(RunInto("/dev/full", {"--version"}), Fails(5, "No space left"));
  EXPECT_THAT(RunInto("/dev/full", {"exists", "none"}), Fails(5, "No space"));
  EXPECT_THAT(RunInto("/dev/full", {"shell"}, "GET kept\n"),
              Fails(5, "No space left"));
}

TEST_F(BadInputTest, AFullDiskForTheStore) {
  std::string lines;
  for (int i = 0; i < 200; ++i) {
    lines += std::to_string(i) + "\t" + std::string(100'000, 'v') + "\n";
  }
  Set("STAVE_STORE", Path("limited"));
  WriteFile("lines", lines);
  {
    // Segments grow with the store, and with one of 12 MiB beyond this.
    const FileSizeLimit limit(size_t{3} << 19);
    EXPECT_THAT(RunFrom(Path("lines"), {"load", "--batch", "1"}),
                Fails(5, "File too large; records loaded before that: "));
  }
  const int count = std::stoi(Run({"count"}).out);
  EXPECT_GT(count, 0);
  EXPECT_LT(count, 200);
  EXPECT_THAT(Run({"put", "more", "value"}), Prints(""));
}

TEST_F(BadInputTest, AStandardOutputThatIsClosed) {
  for (const char* command : {"keys", "scan", "count", "dump", "stat"}) {
    EXPECT_THAT(RunInto("", {command}),
                Fails(5, "standard output: Bad file descriptor"))
        << command;
  }
  EXPECT_THAT(RunInto("", {"load", "--ack"}, "kept\tvalue\n"),
              Fails(5, "records loaded before that: 1"));
  EXPECT_EQ(RunInto("", {"put", "kept", "value"}).exit_code, 0);
}

TEST_F(BadInputTest, AReaderThatHasGoneEndsTheCommandQuietly) {
  std::string lines;
  for (int i = 0; i < 50'000; ++i) lines += std::to_string(i) + "\t\n";
  Set("STAVE_STORE", Path("large"));
  ASSERT_THAT(Run({"load"}, lines), Prints(""));
  // More than a pipe takes, so it can't have ended before.
  Running keys = Start({"keys"});
  keys.pipes->ReadUntil("\n");
  keys.pipes.reset();
  EXPECT_EQ(keys.process->Wait(), 5);
  EXPECT_EQ(BytesOf(Path("standard error")), "");
}

}  // namespace
}  // namespace stave::tool
