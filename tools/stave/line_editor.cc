#include "tools/stave/line_editor.h"

// readline.h needs it, and does not say so.
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <clocale>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "readline/history.h"
#include "readline/readline.h"
#include "tools/stave/file_descriptor.h"
#include "tools/stave/user_paths.h"

namespace stave::tool {
namespace {

constexpr int kHistoryLines = 1000;

// The library frees the words it is given.
char* CopyForLibrary(const std::string& text) { return strdup(text.c_str()); }

// The library drops what is not a character of the locale, and in the "C"
// locale that is all but ASCII: a UTF-8 one takes its place.
void ChooseCharacters() {
  const char* const kAscii = "ANSI_X3.4-1968";
  if (std::setlocale(LC_CTYPE, "") != nullptr &&
      std::strcmp(nl_langinfo(CODESET), kAscii) != 0) {
    return;
  }
  std::setlocale(LC_CTYPE, "C.UTF-8");
}

// What bytes are in the locale: a character, none, or the beginning of one.
struct Decoded {
  std::optional<int> character;
  bool is_bad = false;
};

Decoded Decode(const char* bytes, size_t size) {
  wchar_t character = 0;
  std::mbstate_t state = {};
  const size_t used = std::mbrtowc(&character, bytes, size, &state);
  if (used <= size) return {static_cast<int>(character), false};
  return {std::nullopt, used == static_cast<size_t>(-1)};
}

// The signal that came while a line was awaited; 0: none.
volatile std::sig_atomic_t received_signal = 0;

void Receive(int signal) { received_signal = signal; }

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

// While it lives, signals that would end the program wait for their turn, which
// is while a byte is awaited: so none comes just before that and is missed.
class SignalsWait {
 public:
  SignalsWait() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : kSignals) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
    allowed_ = before_;
    for (const int signal : kSignals) sigdelset(&allowed_, signal);
  }
  ~SignalsWait() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsWait(const SignalsWait&) = delete;
  SignalsWait& operator=(const SignalsWait&) = delete;

  // Waits until there is input or one of the signals has come.
  static void ForInput() {
    pollfd input = {STDIN_FILENO, POLLIN, 0};
    ppoll(&input, 1, nullptr, &allowed_);
  }

 private:
  static sigset_t allowed_;
  sigset_t before_;
};

sigset_t SignalsWait::allowed_;

// While it lives, signals that would end the program end the wait for a byte.
// The library has handlers of its own while it reads a line, which pass a
// signal on to all processes of the group, the caller's script among them.
class SignalsEndTheWait {
 public:
  SignalsEndTheWait() {
    struct sigaction action = {};
    action.sa_handler = Receive;  // without SA_RESTART
    for (size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], &action, &before_[i]);
    }
  }
  ~SignalsEndTheWait() {
    for (size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], &before_[i], nullptr);
    }
  }
  SignalsEndTheWait(const SignalsEndTheWait&) = delete;
  SignalsEndTheWait& operator=(const SignalsEndTheWait&) = delete;

 private:
  std::array<struct sigaction, kSignals.size()> before_;
};

}  // namespace

LineEditor* LineEditor::active_ = nullptr;

LineEditor::LineEditor(Completer completer,
                       std::optional<std::string> history_path)
    : completer_(std::move(completer)), history_path_(std::move(history_path)) {
  active_ = this;
  ChooseCharacters();
  rl_readline_name = "stave";
  rl_getc_function = NextCharacter;
  rl_catch_signals = 0;  // its handlers signal the whole process group
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

std::optional<absl::StatusOr<std::string>> LineEditor::ReadLine(
    const char* prompt) {
  const SignalsWait signals;
  while (true) {
    has_strange_bytes_ = false;
    received_signal = 0;
    const std::unique_ptr<char, decltype(&std::free)> line(readline(prompt),
                                                           &std::free);
    if (received_signal == SIGINT) {
      std::fputc('\n', stdout);
      continue;
    }
    if (line == nullptr || received_signal != 0) return std::nullopt;
    if (has_strange_bytes_) {
      return absl::InvalidArgumentError(
          "the line has bytes that are no characters here; write them as \\xHH "
          "in double quotes");
    }
    Remember(line.get());
    return std::string(line.get());
  }
}

// As the library's own, which drops bytes that are no character.
int LineEditor::NextCharacter(FILE*) {
  std::array<char, MB_LEN_MAX> bytes;
  size_t size = 0;
  const SignalsEndTheWait signals;
  while (size < bytes.size()) {
    SignalsWait::ForInput();
    if (received_signal != 0) return EOF;
    const ssize_t count = read(STDIN_FILENO, &bytes[size], 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return EOF;
    ++size;
    Decoded decoded = Decode(bytes.data(), size);
    if (decoded.is_bad && size > 1) {
      // Nothing but its last byte can begin another one.
      active_->has_strange_bytes_ = true;
      bytes[0] = bytes[size - 1];
      size = 1;
      decoded = Decode(bytes.data(), size);
    }
    if (decoded.character.has_value()) return *decoded.character;
    if (!decoded.is_bad) continue;
    active_->has_strange_bytes_ = true;
    size = 0;
  }
  return EOF;
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
