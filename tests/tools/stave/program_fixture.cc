#include "tests/tools/stave/program_fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <utility>

namespace stave::tool {
namespace {

FileDescriptor Opened(const std::string& path, int flags) {
  FileDescriptor file(open(path.c_str(), flags | O_CLOEXEC, 0600));
  EXPECT_GE(file.number(), 0) << path;
  return file;
}

struct Pipe {
  FileDescriptor out;
  FileDescriptor in;
};

Pipe NewPipe() {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

// Both sides of a new terminal: what is written to one is read from the other.
struct Terminal {
  FileDescriptor ours;
  FileDescriptor theirs;
};

Terminal NewTerminal() {
  FileDescriptor ours(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  EXPECT_EQ(grantpt(ours.number()), 0);
  EXPECT_EQ(unlockpt(ours.number()), 0);
  FileDescriptor theirs = Opened(ptsname(ours.number()), O_RDWR | O_NOCTTY);
  return {std::move(ours), std::move(theirs)};
}

// A descriptor of its own for the same file.
int Copied(const FileDescriptor& file) {
  return fcntl(file.number(), F_DUPFD_CLOEXEC, 0);
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Ran& ran) {
  return stream << "exit code " << ran.exit_code << "\n--- output\n"
                << ran.out << "--- error\n"
                << ran.error << "---";
}

ProgramTest::ProgramTest() {
  Set("STAVE_STORE", Store());
  Set("HOME", Path("home"));
  // Where sanitizers and the loader look for what they need.
  for (const char* name :
       {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LD_LIBRARY_PATH"}) {
    if (const char* value = getenv(name)) Set(name, value);
  }
}

std::string ProgramTest::WriteFile(const std::string& name,
                                   std::string_view bytes) const {
  std::ofstream(Path(name), std::ios::binary) << bytes;
  return Path(name);
}

std::string ProgramTest::BytesOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Ran ProgramTest::Run(const Arguments& arguments, std::string_view input) const {
  return RunFrom(WriteFile("standard input", input), arguments);
}

Ran ProgramTest::RunFrom(const std::string& in,
                         const Arguments& arguments) const {
  const FileDescriptor opened = Opened(in, O_RDONLY);
  Ran ran = RunWith(opened, WriteFile("standard output", ""), arguments);
  ran.out = BytesOf(Path("standard output"));
  return ran;
}

// Who reads our side of a terminal gets an error once the other one is closed
// and all that was written there has been read.
Ran ProgramTest::RunFromFailing(std::string_view input,
                                const Arguments& arguments) const {
  Terminal terminal = NewTerminal();
  termios as_it_is = {};
  EXPECT_EQ(tcgetattr(terminal.theirs.number(), &as_it_is), 0);
  cfmakeraw(&as_it_is);
  EXPECT_EQ(tcsetattr(terminal.theirs.number(), TCSANOW, &as_it_is), 0);
  EXPECT_EQ(write(terminal.theirs.number(), input.data(), input.size()),
            static_cast<ssize_t>(input.size()));
  terminal.theirs = FileDescriptor();
  Ran ran = RunWith(terminal.ours, WriteFile("standard output", ""), arguments);
  ran.out = BytesOf(Path("standard output"));
  return ran;
}

Ran ProgramTest::RunInto(const std::string& out, const Arguments& arguments,
                         std::string_view input) const {
  const FileDescriptor opened =
      Opened(WriteFile("standard input", input), O_RDONLY);
  return RunWith(opened, out, arguments);
}

Ran ProgramTest::RunWith(const FileDescriptor& in, const std::string& out,
                         const Arguments& arguments) const {
  const FileDescriptor error =
      Opened(WriteFile("standard error", ""), O_WRONLY);
  const FileDescriptor opened_out =
      out.empty() ? FileDescriptor() : Opened(out, O_WRONLY);
  Process process(arguments, variables_,
                  {in.number(), opened_out.number(), error.number()});
  const int exit_code = process.Wait();
  return {exit_code, "", BytesOf(Path("standard error"))};
}

ProgramTest::Running ProgramTest::Start(const Arguments& arguments) const {
  const Pipe to = NewPipe();
  const Pipe from = NewPipe();
  const FileDescriptor error =
      Opened(WriteFile("standard error", ""), O_WRONLY);
  return {std::make_unique<Conversation>(Copied(to.in), Copied(from.out)),
          std::make_unique<Process>(
              arguments, variables_,
              StandardDescriptors{to.out.number(), from.in.number(),
                                  error.number()})};
}

ProgramTest::Running ProgramTest::StartOnTerminal(
    const Arguments& arguments) const {
  const Terminal terminal = NewTerminal();
  const int theirs = terminal.theirs.number();
  const int side = Copied(terminal.ours);
  // It does not become the process's controlling terminal: that would be hung
  // up when the process ends, and what was printed last might get lost.
  return {
      std::make_unique<Conversation>(side, side),
      std::make_unique<Process>(arguments, variables_,
                                StandardDescriptors{theirs, theirs, theirs})};
}

}  // namespace stave::tool
