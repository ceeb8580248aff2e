#ifndef STAVE_TOOLS_STAVE_SHELL_INTERPRETER_H_
#define STAVE_TOOLS_STAVE_SHELL_INTERPRETER_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "stave/store.h"
#include "tools/stave/output.h"

namespace stave::tool {

// Runs the shell's commands, one a line, on a store. Thread-compatible.
class ShellInterpreter {
 public:
  // Where SNAPSHOT writes to, unless it is told.
  struct Files {
    std::string snapshot = "data.json";
    std::string store_directory;
  };

  // Borrows `store` and `out`. `show_progress`: of long commands, to a person
  // who waits for them.
  ShellInterpreter(Store* store, Files files, Output* out, bool show_progress)
      : store_(store),
        files_(std::move(files)),
        out_(out),
        show_progress_(show_progress) {}

  // Writes the answer to the output. A line without words has none. An error
  // is for the user to read; the next line may well succeed.
  absl::Status Run(std::string_view line);

  // Whether EXIT has been run.
  bool ended() const { return ended_; }

  // To be called after the last line. InvalidArgument: writes that wait for an
  // EXEC are given up.
  absl::Status Finish();

  // The commands' names, in capitals, without the names that are only there
  // for those who are used to them.
  static std::vector<std::string> CommandNames();

 private:
  struct Command;
  static const Command kCommands[];
  static const Command* Find(const std::string& name);

  absl::Status RunCommand(std::string_view line);

  // shell_writes.cc
  absl::Status Set(std::string_view arguments);
  absl::Status MultiSet(std::string_view arguments);
  absl::Status Delete(std::string_view arguments);
  absl::Status Increment(std::string_view arguments);
  absl::Status Decrement(std::string_view arguments);
  absl::Status Add(std::string_view arguments, bool is_negative);
  absl::Status Expire(std::string_view arguments);
  absl::Status Persist(std::string_view arguments);
  absl::Status Multi(std::string_view arguments);
  absl::Status Exec(std::string_view arguments);
  absl::Status Discard(std::string_view arguments);
  // OK, (nil), or the error.
  absl::Status SayWhether(const absl::Status& status);

  absl::Status Get(std::string_view arguments);
  absl::Status MultiGet(std::string_view arguments);
  absl::Status Ttl(std::string_view arguments);
  absl::Status Keys(std::string_view arguments);
  absl::Status Scan(std::string_view arguments);
  absl::Status Count(std::string_view arguments);
  absl::Status Exists(std::string_view arguments);
  absl::Status Stat(std::string_view arguments);
  absl::Status Snapshot(std::string_view arguments);
  absl::Status Help(std::string_view arguments);
  absl::Status Exit(std::string_view arguments);

  // Writes one line of bytes that may be any.
  absl::Status Answer(std::string_view bytes);

  Store* const store_;
  const Files files_;
  Output* const out_;
  const bool show_progress_;
  bool ended_ = false;
  // What was written since MULTI, and waits for EXEC. A line that fails there
  // spoils it.
  std::optional<WriteBatch> queue_;
  bool queue_is_spoilt_ = false;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SHELL_INTERPRETER_H_
