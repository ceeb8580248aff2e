#ifndef STAVE_TESTS_TOOLS_STAVE_PROCESS_H_
#define STAVE_TESTS_TOOLS_STAVE_PROCESS_H_

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stave::tool {

using Variables = std::map<std::string, std::string>;

// Descriptors that a process gets as its standard ones; kClosed: none.
struct StandardDescriptors {
  static constexpr int kClosed = -1;
  int in = kClosed;
  int out = kClosed;
  int error = kClosed;
};

// A process of the program under test. It is killed if it has not ended when
// this goes out of scope.
class Process {
 public:
  Process(const std::vector<std::string>& arguments, const Variables& variables,
          StandardDescriptors descriptors);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  // The exit code, or 128 and the number of the signal that ended it.
  int Wait();
  void Kill();
  void Signal(int signal);

 private:
  pid_t pid_ = -1;
};

// The end of a conversation with a process: a pipe, or a terminal's other
// side.
class Conversation {
 public:
  // Owns both, which may be the same.
  Conversation(int to_process, int from_process)
      : to_process_(to_process), from_process_(from_process) {}
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  ~Conversation();

  void Send(std::string_view text);
  void EndInput();
  // What came since the last call, up to and with `text`. Fails the test if
  // that doesn't come within a while.
  std::string ReadUntil(std::string_view text);
  // Until the process reads the terminal by the key, no longer by the line:
  // a key that ends the input means nothing to it if it was typed before.
  void AwaitReadingByKey() const;
  // What came until the process closed its side.
  std::string ReadAll();

 private:
  // False at the end, or when there was nothing for too long.
  bool ReadMore();

  int to_process_;
  int from_process_;
  std::string received_;
};

}  // namespace stave::tool

#endif  // STAVE_TESTS_TOOLS_STAVE_PROCESS_H_
