#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "stave/store.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/duration.h"
#include "tools/stave/interruption.h"
#include "tools/stave/number.h"
#include "tools/stave/output.h"
#include "tools/stave/session.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/top_view.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "Shows again and again what the store holds, while another process writes\n"
    "to it: keys, bytes, and how fast they change. On a terminal that is a "
    "screen\n"
    "with a bar a segment, as in `stave help stat`, until you type q or "
    "Ctrl-C;\n"
    "elsewhere it is a line each time, and with --json an object. TIME is as\n"
    "500ms or 10s.\n"
    "\n"
    "Records written are those of the log, deletes included; bytes written "
    "are\n"
    "also those that merges copy.\n"
    "\n"
    "  stave top\n"
    "  stave top --interval 10s --count 6\n";

// How long it may take until a signal is noticed.
constexpr absl::Duration kLookPeriod = absl::Milliseconds(100);
constexpr char kCtrlC = '\x03';

struct TopArguments {
  std::optional<std::string> interval;
  std::optional<std::string> count;
};

// A terminal that gives each key as it is typed, and has a screen of ours that
// goes when this does; neither unless that is wanted and there is a terminal.
class Screen {
 public:
  Screen(bool wanted, Output* out)
      : out_(*out),
        is_terminal_(wanted && isatty(STDIN_FILENO) == 1 &&
                     isatty(out->descriptor()) == 1) {
    if (!is_terminal_ || tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios by_key = before_;
    by_key.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
    is_changed_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &by_key) == 0;
    out_.Write("\x1b[?1049h").IgnoreError();
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    if (!is_terminal_) return;
    if (is_changed_) (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    out_.Write("\x1b[?1049l").IgnoreError();
    out_.Flush().IgnoreError();
  }

  bool is_terminal() const { return is_terminal_; }

  size_t rows() const {
    winsize size;
    const bool known = ioctl(out_.descriptor(), TIOCGWINSZ, &size) == 0;
    return known && size.ws_row > 0 ? size.ws_row : 24;
  }

  // In place of what is shown.
  absl::Status Show(const std::string& text) {
    RETURN_IF_ERROR(out_.Write("\x1b[H"));
    RETURN_IF_ERROR(
        out_.Write(absl::StrReplaceAll(text, {{"\n", "\x1b[K\n"}})));
    return out_.Write("\x1b[J");
  }

  // Waits until then, by SystemClock's elapsed time. True: whoever looks on
  // wants to end it.
  bool AwaitEnd(absl::Duration until, const Interruption& interruption) const {
    while (!interruption.came()) {
      const absl::Duration left = until - SystemClock()->Elapsed();
      if (left <= absl::ZeroDuration()) return false;
      const auto wait_ms = static_cast<int>(
          absl::ToInt64Milliseconds(std::min(left, kLookPeriod)));
      pollfd keys = {is_terminal_ ? STDIN_FILENO : -1, POLLIN, 0};
      if (poll(&keys, 1, std::max(1, wait_ms)) == 1 && KeyEndsIt()) return true;
    }
    return true;
  }

 private:
  static bool KeyEndsIt() {
    char key = 0;
    // The terminal has gone.
    if (read(STDIN_FILENO, &key, 1) != 1) return true;
    return key == 'q' || key == 'Q' || key == kCtrlC;
  }

  Output& out_;
  const bool is_terminal_;
  bool is_changed_ = false;
  termios before_ = {};
};

// What the writer has done since. A store that can't be followed any more, as
// after a loss of power, is opened again.
absl::Status Update(const Session& session, std::unique_ptr<Store>* store) {
  if ((*store)->Refresh().ok()) return absl::OkStatus();
  *store = nullptr;
  absl::StatusOr<std::unique_ptr<Store>> again = session.OpenForReading();
  if (!again.ok()) return again.status();
  *store = *std::move(again);
  return absl::OkStatus();
}

absl::Status Top(const TopArguments& arguments, Session& session) {
  absl::Duration interval = absl::Seconds(1);
  if (arguments.interval.has_value()) {
    const absl::StatusOr<absl::Duration> given =
        ParseDuration(*arguments.interval);
    if (!given.ok()) return given.status();
    interval = *given;
  }
  const absl::StatusOr<uint64_t> count = PositiveNumber(
      "--count", arguments.count, std::numeric_limits<uint64_t>::max());
  if (!count.ok()) return count.status();
  const absl::StatusOr<std::string> directory = session.StoreDirectory();
  if (!directory.ok()) return directory.status();
  const Interruption interruption;
  absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForReading();
  if (!store.ok()) return store.status();
  Output& out = session.out();
  Screen screen(/*wanted=*/!session.json(), &out);
  if (!screen.is_terminal() && !session.json()) {
    RETURN_IF_ERROR(out.Write(TopView::Heading()));
  }
  TopView::Look before;
  for (uint64_t i = 0; i < *count; ++i) {
    TopView::Look now = {(*store)->GetStatistics(), absl::Now(),
                         SystemClock()->Elapsed()};
    const TopView view{i == 0 ? now : before, now};
    RETURN_IF_ERROR(screen.is_terminal()
                        ? screen.Show(view.Screen(*directory, screen.rows()))
                    : session.json() ? out.Write(view.Json() + "\n")
                                     : out.Write(view.Line()));
    RETURN_IF_ERROR(out.Flush());
    if (i + 1 == *count) break;
    if (screen.AwaitEnd(now.elapsed + interval, interruption)) break;
    before = std::move(now);
    RETURN_IF_ERROR(Update(session, &*store));
  }
  return absl::OkStatus();
}

}  // namespace

void AddTopCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<TopArguments>();
  command_line
      ->Add({.name = "top",
             .summary = "Watch the store while others write to it",
             .details = kDetails,
             .run = [arguments](Session& s) { return Top(*arguments, s); }})
      .Option("--interval", "TIME", "Look so often; else each second",
              &arguments->interval)
      .Option("--count", "N", "End after N looks", &arguments->count);
}

}  // namespace stave::tool
