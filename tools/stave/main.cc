#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/exit_code.h"
#include "tools/stave/output.h"

namespace stave::tool {
namespace {

// A file of the store must never get the number of a standard descriptor that
// was closed: what is printed would be written into it. In its place comes one
// on which every read or write fails, as it would on the closed one.
void OccupyStandardDescriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) >= 0) continue;
    const int flags = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    // open takes the lowest number that is free, and that is this one.
    if (open("/dev/null", flags) != descriptor) std::abort();
  }
}

void AddCommands(CommandLine* command_line) {
  AddPutCommand(command_line);
  AddGetCommand(command_line);
  AddDeleteCommand(command_line);
  AddExistsCommand(command_line);
  AddKeysCommand(command_line);
  AddScanCommand(command_line);
  AddCountCommand(command_line);
  AddLoadCommand(command_line);
  AddDumpCommand(command_line);
  AddSnapshotCommand(command_line);
  AddStatCommand(command_line);
  AddTopCommand(command_line);
  AddMergeCommand(command_line);
  AddFsckCommand(command_line);
  AddBackupCommand(command_line);
  AddRestoreCommand(command_line);
  AddBenchCommand(command_line);
  AddShellCommand(command_line);
  AddCompletionCommand(command_line);
  AddHelpCommand(command_line);
}

// The first thing that went wrong decides, but for a key that was not found:
// nobody learns of that where the output did not arrive.
absl::Status Combine(absl::Status status, const absl::Status& flushed) {
  if (absl::IsNotFound(status) && !flushed.ok()) return flushed;
  status.Update(flushed);
  return status;
}

// Other things run out as well, such as descriptors and memory.
bool IsFullDisk(const absl::Status& status) {
  const auto says = [&status](int error) {
    return absl::StrContains(status.message(),
                             std::generic_category().message(error));
  };
  return absl::IsResourceExhausted(status) && (says(ENOSPC) || says(EDQUOT));
}

void Report(const absl::Status& status) {
  // What `stave keys | head -1` ends with is no news to anybody.
  if (status.ok() || absl::IsCancelled(status)) return;
  if (status.message().empty()) return;
  absl::FPrintF(
      stderr, "stave: %s%s\n", status.message(),
      IsFullDisk(status) ? "; free some space there and try again" : "");
}

ExitCode RunProgram(const std::vector<std::string>& arguments) {
  OccupyStandardDescriptors();
  // Writing to a pipe that nobody reads, or beyond the size that files may
  // have, is an error to be handled.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  CommandLine command_line;
  AddCommands(&command_line);
  Output out(STDOUT_FILENO, "standard output");
  absl::Status status = command_line.Run(arguments, &out);
  status = Combine(status, out.Flush());
  Report(status);
  return ExitCodeFor(status);
}

}  // namespace
}  // namespace stave::tool

int main(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) arguments.emplace_back(argv[i]);
  return static_cast<int>(stave::tool::RunProgram(arguments));
}
