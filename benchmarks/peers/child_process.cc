#include "benchmarks/peers/child_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_format.h"

namespace stave::bench {
namespace {

absl::Status SystemError(const char* call) {
  return absl::InternalError(absl::StrFormat("%s: %s", call, strerror(errno)));
}

// A line is shorter than what a pipe takes at once.
void WriteLine(int pipe, std::string_view text) {
  const std::string line = absl::StrFormat("%s\n", text);
  if (write(pipe, line.data(), line.size()) < 0) _exit(1);
}

absl::Status StatusOfEnd(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
    return absl::OkStatus();
  }
  return absl::InternalError(
      absl::StrFormat("a trial's process ended with wait status %d", status));
}

}  // namespace

absl::Status RunInChild(
    const std::function<
        absl::Status(const std::function<void(std::string_view)>& say)>& body,
    const std::function<void(const std::string&)>& heard) {
  int ends[2];
  if (pipe(ends) != 0) return SystemError("pipe");
  const pid_t child = fork();
  if (child < 0) return SystemError("fork");
  if (child == 0) {
    close(ends[0]);
    const absl::Status status =
        body([&](std::string_view line) { WriteLine(ends[1], line); });
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", status.ToString().c_str());
    }
    _exit(status.ok() ? 0 : 1);
  }
  close(ends[1]);
  std::FILE* const said = fdopen(ends[0], "r");
  std::string line;
  for (int c; (c = std::getc(said)) != EOF;) {
    if (c != '\n') {
      line.push_back(static_cast<char>(c));
    } else {
      heard(line);
      line.clear();
    }
  }
  std::fclose(said);
  int status = 0;
  if (waitpid(child, &status, 0) != child) return SystemError("waitpid");
  return StatusOfEnd(status);
}

}  // namespace stave::bench
