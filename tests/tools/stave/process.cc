#include "tests/tools/stave/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>

#include "gtest/gtest.h"

namespace stave::tool {
namespace {

constexpr int kPatienceMilliseconds = 60'000;

// Where the build puts it, below the directory in which tests are run.
constexpr char kProgram[] = "tools/stave/stave";

std::vector<char*> PointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Only calls that are allowed between fork and exec.
void TakeDescriptor(int from, int as) {
  if (from == StandardDescriptors::kClosed) {
    close(as);
  } else {
    dup2(from, as);
  }
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments,
                 const Variables& variables, StandardDescriptors descriptors) {
  std::vector<std::string> argv = {kProgram};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) {
    environment.push_back(name + "=" + value);
  }
  const std::vector<char*> argv_pointers = PointersTo(argv);
  const std::vector<char*> environment_pointers = PointersTo(environment);
  pid_ = fork();
  if (pid_ != 0) return;
  TakeDescriptor(descriptors.in, STDIN_FILENO);
  TakeDescriptor(descriptors.out, STDOUT_FILENO);
  TakeDescriptor(descriptors.error, STDERR_FILENO);
  execve(kProgram, argv_pointers.data(), environment_pointers.data());
  _exit(127);
}

Process::~Process() {
  if (pid_ < 0) return;
  Kill();
  Wait();
}

int Process::Wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Process::Signal(int signal) { kill(pid_, signal); }

void Process::Kill() { kill(pid_, SIGKILL); }

Conversation::~Conversation() {
  EndInput();
  close(from_process_);
}

void Conversation::Send(std::string_view text) {
  ASSERT_EQ(write(to_process_, text.data(), text.size()),
            static_cast<ssize_t>(text.size()));
}

void Conversation::EndInput() {
  if (to_process_ >= 0 && to_process_ != from_process_) close(to_process_);
  to_process_ = -1;
}

std::string Conversation::ReadUntil(std::string_view text) {
  size_t end;
  while ((end = received_.find(text)) == std::string::npos) {
    if (ReadMore()) continue;
    ADD_FAILURE() << "waited for " << text << " and got " << received_;
    return "";
  }
  std::string taken = received_.substr(0, end + text.size());
  received_.erase(0, taken.size());
  return taken;
}

void Conversation::AwaitReadingByKey() const {
  for (int waited = 0; waited < kPatienceMilliseconds; ++waited) {
    termios terminal = {};
    ASSERT_EQ(tcgetattr(to_process_, &terminal), 0);
    if ((terminal.c_lflag & ICANON) == 0) return;
    poll(nullptr, 0, 1);
  }
  ADD_FAILURE() << "the terminal is still read by the line";
}

std::string Conversation::ReadAll() {
  while (ReadMore()) {
  }
  return std::exchange(received_, {});
}

bool Conversation::ReadMore() {
  pollfd waiting = {from_process_, POLLIN, 0};
  if (poll(&waiting, 1, kPatienceMilliseconds) != 1) return false;
  char block[4096];
  // A terminal whose other side was closed ends with an error.
  const ssize_t size = read(from_process_, block, sizeof(block));
  if (size > 0) received_.append(block, static_cast<size_t>(size));
  return size > 0;
}

}  // namespace stave::tool
