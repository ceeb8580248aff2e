#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "stave/limits.h"
#include "stave/store.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/duration.h"
#include "tools/stave/exit_code.h"
#include "tools/stave/line_editor.h"
#include "tools/stave/line_reader.h"
#include "tools/stave/periodic_snapshots.h"
#include "tools/stave/session.h"
#include "tools/stave/shell_completion.h"
#include "tools/stave/shell_interpreter.h"
#include "tools/stave/snapshot_files.h"
#include "tools/stave/snapshot_format.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/user_paths.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "Reads commands, one a line; HELP lists them. On a terminal there are a\n"
    "prompt, editing, history, and completion with the tabulator; Ctrl-C "
    "gives\n"
    "a line up, Ctrl-D ends the shell.\n"
    "\n"
    "From a file or a pipe, a line that is wrong is named by its number on\n"
    "standard error and the next one is run; at the end the exit code is not\n"
    "0 then. When the shell is done, all that it wrote is on the device.\n"
    "\n"
    "MULTI begins a row of SET, MSET and DELETE that wait for EXEC, which "
    "writes\n"
    "all of them at one instant, or nothing, whatever happens; DISCARD "
    "forgets\n"
    "them. In between, HELP and EXIT are all else that is allowed, and if a "
    "line\n"
    "fails there, EXEC writes nothing.\n"
    "\n"
    "Answers are text, with escapes as in `stave help keys`.\n"
    "\n"
    "SNAPSHOT saves all pairs to FILE, data.json without --file. A FILE that\n"
    "is there is loaded first, if the store has no keys yet; of one that has,\n"
    "`stave snapshot load` adds or replaces them.\n"
    "\n"
    "With --snapshot-every the same is done by itself each time that this has\n"
    "passed, and at the end, if anything was written since. TIME is as 90s, "
    "10m\n"
    "or 1h. FILE is always a whole snapshot, the last or the one before.\n"
    "\n"
    "  stave shell --file data.json\n"
    "  stave shell --file data.json --snapshot-every 10m\n";

// Bytes of a word may be escaped, four for one.
constexpr size_t kMaxLineBytes = 4 * (kMaxKeyBytes + kMaxValueBytes) + 1024;

struct ShellArguments {
  std::optional<std::string> file;
  std::optional<std::string> snapshot_every;
};

// InvalidArgument, or whatever was worse, if a line failed.
absl::Status RunLines(ShellInterpreter* interpreter, Output* out) {
  LineReader reader(STDIN_FILENO, "standard input", kMaxLineBytes);
  uint64_t failed = 0;
  absl::Status worst;
  while (!interpreter->ended()) {
    // Who waits for an answer before the next command must get it.
    if (!reader.HasBufferedLine()) RETURN_IF_ERROR(out->Flush());
    if (!reader.Next()) break;
    const absl::Status status = interpreter->Run(reader.line());
    RETURN_IF_ERROR(out->status());
    if (status.ok()) continue;
    absl::FPrintF(stderr, "line %d: %s\n", reader.line_number(),
                  status.message());
    ++failed;
    if (ExitCodeFor(status) > ExitCodeFor(worst)) worst = status;
  }
  RETURN_IF_ERROR(reader.status());
  RETURN_IF_ERROR(interpreter->Finish());
  if (failed == 0) return absl::OkStatus();
  return absl::Status(
      worst.code(),
      absl::StrFormat("%d of %d lines failed", failed, reader.line_number()));
}

absl::Status RunTerminal(Store* store, ShellInterpreter* interpreter,
                         Output* out) {
  LineEditor editor(
      [store](std::string_view before, std::string_view word) {
        return Completions(*store, before, word);
      },
      HistoryPath());
  while (!interpreter->ended()) {
    const std::optional<absl::StatusOr<std::string>> line =
        editor.ReadLine("stave> ");
    if (!line.has_value()) {
      // The prompt is still there.
      RETURN_IF_ERROR(out->Write("\n"));
      break;
    }
    const absl::Status status =
        line->ok() ? interpreter->Run(**line) : line->status();
    RETURN_IF_ERROR(out->Flush());
    if (status.ok()) continue;
    absl::FPrintF(stderr, "error: %s\n", status.message());
  }
  return interpreter->Finish();
}

// Begins with the snapshot in `path`, if there is one and the store is new.
absl::Status BeginWith(const std::string& path, bool read_only,
                       bool show_progress, Store& store) {
  if (access(path.c_str(), F_OK) != 0) return absl::OkStatus();
  const absl::StatusOr<bool> has_keys = HasKeys(store);
  if (!has_keys.ok()) return has_keys.status();
  if (*has_keys || read_only) {
    absl::FPrintF(stderr, "%s is not loaded, since the store %s\n", path,
                  read_only ? "is open for reading only" : "has keys");
    return absl::OkStatus();
  }
  const auto snapshot = SnapshotFile::Open(path, show_progress);
  if (!snapshot.ok()) return snapshot.status();
  return (*snapshot)->LoadInto(store, LoadMode::kEmptyOnly);
}

// Null unless it was asked for.
absl::StatusOr<std::unique_ptr<PeriodicSnapshots>> StartSnapshots(
    const ShellArguments& arguments, const ShellInterpreter::Files& files,
    Store* store) {
  if (!arguments.snapshot_every.has_value()) return nullptr;
  const absl::StatusOr<absl::Duration> interval =
      ParseDuration(*arguments.snapshot_every);
  if (!interval.ok()) return interval.status();
  const absl::StatusOr<SnapshotFormat> format =
      ChooseSnapshotFormat(std::nullopt, files.snapshot);
  if (!format.ok()) return format.status();
  PeriodicSnapshots::Settings settings;
  settings.store = store;
  settings.interval = *interval;
  settings.save = [files, store, format = *format] {
    return SaveSnapshot(*store, files.store_directory, format,
                        UserPath(files.snapshot), /*show_progress=*/false);
  };
  settings.failed = [](const absl::Status& status) {
    absl::FPrintF(stderr, "no snapshot was saved: %s\n", status.message());
  };
  return PeriodicSnapshots::Start(std::move(settings));
}

absl::Status Shell(const ShellArguments& arguments, Session& session) {
  if (session.json()) {
    return absl::InvalidArgumentError("the shell has no --json");
  }
  if (session.read_only() && arguments.snapshot_every.has_value()) {
    return absl::InvalidArgumentError(
        "--snapshot-every saves what is written, and --read-only forbids it");
  }
  absl::StatusOr<std::unique_ptr<Store>> store =
      session.read_only() ? session.OpenForReading() : session.OpenForWriting();
  if (!store.ok()) return store.status();
  Output& out = session.out();
  const bool is_terminal =
      isatty(STDIN_FILENO) == 1 && isatty(out.descriptor()) == 1;
  ShellInterpreter::Files files;
  const absl::StatusOr<std::string> directory = session.StoreDirectory();
  if (!directory.ok()) return directory.status();
  files.store_directory = *directory;
  if (arguments.file.has_value()) {
    files.snapshot = *arguments.file;
    RETURN_IF_ERROR(BeginWith(UserPath(files.snapshot), session.read_only(),
                              is_terminal, **store));
  }
  absl::StatusOr<std::unique_ptr<PeriodicSnapshots>> snapshots =
      StartSnapshots(arguments, files, store->get());
  if (!snapshots.ok()) return snapshots.status();
  ShellInterpreter interpreter(store->get(), std::move(files), &out,
                               /*show_progress=*/is_terminal);
  absl::Status status = is_terminal
                            ? RunTerminal(store->get(), &interpreter, &out)
                            : RunLines(&interpreter, &out);
  if (*snapshots != nullptr) status.Update((*snapshots)->Stop());
  // Said only when all is on the device.
  const absl::Status closed = (*store)->Close();
  if (closed.ok() && (is_terminal || interpreter.ended())) {
    status.Update(out.Write("Goodbye!\n"));
  }
  status.Update(closed);
  return status;
}

}  // namespace

void AddShellCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<ShellArguments>();
  command_line
      ->Add({.name = "shell",
             .summary = "Run commands line by line, or typed by you",
             .details = kDetails,
             .run = [arguments](Session& s) { return Shell(*arguments, s); }})
      .Option("--file", "FILE", "Where SNAPSHOT saves to, and what to load",
              &arguments->file)
      .Option("--snapshot-every", "TIME", "Save to FILE so often, see below",
              &arguments->snapshot_every);
}

}  // namespace stave::tool
