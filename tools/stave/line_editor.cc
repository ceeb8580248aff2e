#include "tools/stave/line_editor.h"

// readline.h needs it, and does not say so.
#include <fcntl.h>
#include <stdio.h>

#include <clocale>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "readline/history.h"
#include "readline/readline.h"
#include "tools/stave/file_descriptor.h"
#include "tools/stave/user_paths.h"

namespace stave::tool {
namespace {

constexpr int kHistoryLines = 1000;

// The library frees the words it is given.
char* CopyForLibrary(const std::string& text) { return strdup(text.c_str()); }

}  // namespace

LineEditor* LineEditor::active_ = nullptr;

LineEditor::LineEditor(Completer completer,
                       std::optional<std::string> history_path)
    : completer_(std::move(completer)), history_path_(std::move(history_path)) {
  active_ = this;
  // Without the user's character set, what is not ASCII can't be edited.
  std::setlocale(LC_CTYPE, "");
  rl_readline_name = "stave";
  rl_attempted_completion_function = Attempt;
  // Keys have all sorts of characters in them; only spaces end one.
  rl_basic_word_break_characters = " \t";
  using_history();
  stifle_history(kHistoryLines);
  OpenHistory();
}

LineEditor::~LineEditor() {
  rl_attempted_completion_function = nullptr;
  active_ = nullptr;
}

std::optional<std::string> LineEditor::ReadLine(const char* prompt) {
  const std::unique_ptr<char, decltype(&std::free)> line(readline(prompt),
                                                         &std::free);
  if (line == nullptr) return std::nullopt;
  Remember(line.get());
  return std::string(line.get());
}

char** LineEditor::Attempt(const char* word, int begin, int) {
  // No file names where there is nothing to offer.
  rl_attempted_completion_over = 1;
  const std::string_view before(rl_line_buffer, static_cast<size_t>(begin));
  active_->matches_ = active_->completer_(before, word);
  return rl_completion_matches(word, NextMatch);
}

// Called with state 0, 1, 2, ... until there is no match any more.
char* LineEditor::NextMatch(const char*, int state) {
  const std::vector<std::string>& matches = active_->matches_;
  const auto index = static_cast<size_t>(state);
  return index < matches.size() ? CopyForLibrary(matches[index]) : nullptr;
}

void LineEditor::OpenHistory() {
  if (!history_path_.has_value()) return;
  // Made here, since values that were typed may be secrets.
  if (MakeParents(*history_path_).ok()) {
    const FileDescriptor made(
        open(history_path_->c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (made.number() >= 0) {
      (void)read_history(history_path_->c_str());
      return;
    }
  }
  history_path_.reset();
}

// Written at once: who ends the shell by closing the terminal keeps it too.
void LineEditor::Remember(const std::string& line) {
  if (line.empty() || line == last_line_) return;
  last_line_ = line;
  add_history(line.c_str());
  if (history_path_.has_value()) (void)write_history(history_path_->c_str());
}

}  // namespace stave::tool
