#ifndef STAVE_TOOLS_STAVE_LINE_EDITOR_H_
#define STAVE_TOOLS_STAVE_LINE_EDITOR_H_

#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace stave::tool {

// Reads lines from a terminal, with editing, history and completion. The
// library beneath has one state for the whole process, so there may be one of
// these at a time, and it is for one thread.
class LineEditor {
 public:
  // What `word` may become behind `before`, which is the line up to it.
  using Completer = std::function<std::vector<std::string>(
      std::string_view before, std::string_view word)>;

  // The history is kept in the file `history_path`, readable by its owner
  // alone; without one it lives as long as this.
  LineEditor(Completer completer, std::optional<std::string> history_path);
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;
  ~LineEditor();

  // nullopt: the user has ended the input, or somebody the program (SIGTERM,
  // SIGHUP). Ctrl-C gives the line up and begins another one. InvalidArgument:
  // the line has bytes that are no characters here; it counts as not typed.
  std::optional<absl::StatusOr<std::string>> ReadLine(const char* prompt);

 private:
  // The library's callbacks, which can be given no argument.
  static char** Attempt(const char* word, int begin, int end);
  static char* NextMatch(const char* word, int state);
  static int NextCharacter(FILE* stream);
  static LineEditor* active_;

  // What is kept is worth less than the command that comes next, so errors
  // with the history are not told.
  void OpenHistory();
  void Remember(const std::string& line);

  const Completer completer_;
  std::optional<std::string> history_path_;
  std::string last_line_;
  std::vector<std::string> matches_;
  // The present line had bytes that the library can't take.
  bool has_strange_bytes_ = false;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_LINE_EDITOR_H_
