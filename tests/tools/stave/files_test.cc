#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/tools/stave/random_bytes.h"
#include "tools/stave/file_descriptor.h"
#include "tools/stave/file_replacement.h"
#include "tools/stave/line_reader.h"
#include "tools/stave/output.h"

namespace stave::tool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr size_t kNoLimit = size_t{1} << 40;

class FilesTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) {
    return directory_.path() + "/" + name;
  }
  std::string File(std::string_view bytes) {
    std::ofstream(Path("file"), std::ios::binary) << bytes;
    return Path("file");
  }
  static std::string BytesOf(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static FileDescriptor Opened(const std::string& path) {
    absl::StatusOr<FileDescriptor> file = OpenForReading(path);
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }
  std::vector<std::string> LinesOf(std::string_view bytes) {
    const FileDescriptor file = Opened(File(bytes));
    LineReader reader(file.number(), "file", kNoLimit);
    std::vector<std::string> lines;
    while (reader.Next()) lines.emplace_back(reader.line());
    EXPECT_TRUE(reader.status().ok()) << reader.status();
    EXPECT_EQ(reader.line_number(), lines.size());
    EXPECT_EQ(reader.bytes(), bytes.size());
    return lines;
  }
  size_t FilesInDirectory() {
    return static_cast<size_t>(
        std::distance(std::filesystem::directory_iterator(directory_.path()),
                      std::filesystem::directory_iterator()));
  }

  TemporaryDirectory directory_;
};

TEST_F(FilesTest, LinesEndWithNewlines) {
  EXPECT_THAT(LinesOf("a\nbc\n\nd\n"), ElementsAre("a", "bc", "", "d"));
  EXPECT_THAT(LinesOf(""), IsEmpty());
  EXPECT_THAT(LinesOf("\n"), ElementsAre(""));
}

TEST_F(FilesTest, TheLastLineMayLackItsNewline) {
  EXPECT_THAT(LinesOf("a\nb"), ElementsAre("a", "b"));
}

TEST_F(FilesTest, LinesHoldAnyOtherBytes) {
  const std::string line("\0\r\x80", 3);
  EXPECT_THAT(LinesOf(line + "\n" + line), ElementsAre(line, line));
}

TEST_F(FilesTest, LinesMayBeLongerThanABlock) {
  RandomBytes random(10);
  std::vector<std::string> expected;
  std::string bytes;
  for (const size_t size : {0, 262143, 1, 262144, 262145, 1 << 21, 5}) {
    expected.push_back(random.Text(size, "abc"));
    bytes += expected.back() + "\n";
  }
  EXPECT_EQ(LinesOf(bytes), expected);
}

TEST_F(FilesTest, ALineThatIsTooLongIsNamed) {
  const FileDescriptor file = Opened(File("a\n" + std::string(1 << 20, 'b')));
  LineReader reader(file.number(), "x.tsv", 1000);
  EXPECT_TRUE(reader.Next());
  EXPECT_FALSE(reader.Next());
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(reader.status().message()),
              HasSubstr("x.tsv: line 2"));
}

TEST_F(FilesTest, WhatCanNotBeReadIsNamed) {
  const FileDescriptor file = Opened(directory_.path());
  LineReader reader(file.number(), "here", kNoLimit);
  EXPECT_FALSE(reader.Next());
  EXPECT_THAT(std::string(reader.status().message()),
              HasSubstr("cannot read here: Is a directory"));
}

TEST_F(FilesTest, AllOfAFileIsReadUpToTheLimit) {
  const std::string bytes = RandomBytes(11).Text(700'000);
  const FileDescriptor file = Opened(File(bytes));
  EXPECT_EQ(ReadAll(file.number(), "file", bytes.size()).value(), bytes);
  const FileDescriptor again = Opened(Path("file"));
  EXPECT_EQ(ReadAll(again.number(), "file", bytes.size() - 1).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(FilesTest, AnEndlessFileIsNotReadForEver) {
  const FileDescriptor file = Opened("/dev/zero");
  EXPECT_FALSE(ReadAll(file.number(), "zero", 1 << 20).ok());
}

TEST_F(FilesTest, OutputArrivesWhenFlushed) {
  const FileDescriptor file(
      open(Path("out").c_str(), O_WRONLY | O_CREAT, 0600));
  Output out(file.number(), "out");
  EXPECT_TRUE(out.Write("small ").ok());
  EXPECT_EQ(BytesOf(Path("out")), "");
  const std::string large(1 << 20, 'x');
  EXPECT_TRUE(out.Write(large).ok());
  EXPECT_TRUE(out.Write("end").ok());
  EXPECT_TRUE(out.Flush().ok());
  EXPECT_EQ(BytesOf(Path("out")), "small " + large + "end");
}

TEST_F(FilesTest, TheFirstErrorOfOutputStays) {
  const FileDescriptor file(open("/dev/full", O_WRONLY));
  Output out(file.number(), "the list");
  EXPECT_TRUE(out.Write("a").ok());
  const absl::Status error = out.Flush();
  EXPECT_EQ(error.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(error.message()), HasSubstr("the list"));
  EXPECT_EQ(out.Write("b"), error);
  EXPECT_EQ(out.Flush(), error);
}

TEST_F(FilesTest, AFileIsReplacedWhenCommitted) {
  File("old");
  absl::StatusOr<FileReplacement> file = FileReplacement::Create(Path("file"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(WriteSome(file->descriptor(), "new", 3), 3);
  EXPECT_EQ(BytesOf(Path("file")), "old");
  EXPECT_TRUE(file->Commit().ok());
  EXPECT_EQ(BytesOf(Path("file")), "new");
  EXPECT_EQ(FilesInDirectory(), 1u);
}

TEST_F(FilesTest, AFileThatWasNotCommittedIsAsBefore) {
  File("old");
  {
    absl::StatusOr<FileReplacement> file =
        FileReplacement::Create(Path("file"));
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(WriteSome(file->descriptor(), "new", 3), 3);
  }
  EXPECT_EQ(BytesOf(Path("file")), "old");
  EXPECT_EQ(FilesInDirectory(), 1u);
}

TEST_F(FilesTest, ASignalThatEndsTheProcessLeavesNothingOfIt) {
  File("old");
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const pid_t child = fork();
    if (child == 0) {
      const auto file = FileReplacement::Create(Path("file"));
      if (!file.ok() || FilesInDirectory() != 2) _exit(1);
      raise(signal);
      _exit(2);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << status;
    EXPECT_EQ(FilesInDirectory(), 1u);
    EXPECT_EQ(BytesOf(Path("file")), "old");
  }
}

TEST_F(FilesTest, ALinkStaysAndItsTargetIsReplaced) {
  std::filesystem::create_symlink(File("old"), Path("link"));
  absl::StatusOr<FileReplacement> file = FileReplacement::Create(Path("link"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->Commit().ok());
  EXPECT_TRUE(std::filesystem::is_symlink(Path("link")));
  EXPECT_EQ(BytesOf(Path("file")), "");
}

TEST_F(FilesTest, ADeviceIsWrittenToAndStays) {
  absl::StatusOr<FileReplacement> file = FileReplacement::Create("/dev/null");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->Commit().ok());
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(FilesTest, ADirectoryIsNotReplaced) {
  EXPECT_FALSE(FileReplacement::Create(directory_.path()).ok());
  EXPECT_FALSE(FileReplacement::Create(Path("none/file")).ok());
  EXPECT_EQ(FilesInDirectory(), 0u);
}

}  // namespace
}  // namespace stave::tool
