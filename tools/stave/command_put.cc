#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "stave/store.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/duration.h"
#include "tools/stave/file_descriptor.h"
#include "tools/stave/record.h"
#include "tools/stave/session.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/terminal_note.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "VALUE is taken byte for byte. Without it, or for '-', the value is all\n"
    "of standard input, a newline at its end too.\n"
    "\n"
    "When the command is done, the value is on the device. With --ttl the key\n"
    "is gone that long after; a duration is written 500ms, 4s, 10m, 1h, 2d.\n"
    "The store's time never goes back: where its clock was once ahead, the "
    "key\n"
    "lives longer by as much.\n"
    "\n"
    "  stave put user:1 Alice\n"
    "  stave put session:9 Alice --ttl 30m\n"
    "  stave put picture < picture.png\n";

struct PutArguments {
  std::string key;
  std::optional<std::string> value;
  std::optional<std::string> ttl;
  bool sync = false;
};

absl::StatusOr<std::string> ValueOf(const PutArguments& arguments) {
  if (arguments.value.has_value() && arguments.value != "-") {
    return *arguments.value;
  }
  NoteIfTerminal("the value");
  return ReadAll(STDIN_FILENO, "standard input", kMaxValueBytes);
}

absl::Status Put(const PutArguments& arguments, Session& session) {
  RETURN_IF_ERROR(CheckKey(arguments.key));
  WriteOptions options;
  options.sync = arguments.sync;
  if (arguments.ttl.has_value()) {
    absl::StatusOr<absl::Duration> ttl = ParseDuration(*arguments.ttl);
    if (!ttl.ok()) return ttl.status();
    options.ttl = *ttl;
  }
  // Read before the store is opened, which nobody else can while it is.
  absl::StatusOr<std::string> value = ValueOf(arguments);
  if (!value.ok()) return value.status();
  absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForWriting();
  if (!store.ok()) return store.status();
  absl::Status status = (*store)->Put(arguments.key, *value, options);
  status.Update((*store)->Close());
  return status;
}

}  // namespace

void AddPutCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<PutArguments>();
  command_line
      ->Add({.name = "put",
             .summary = "Add a key or replace its value",
             .details = kDetails,
             .writes = true,
             .run = [arguments](Session& s) { return Put(*arguments, s); }})
      .Required("KEY", "1 to 65,535 bytes", &arguments->key)
      .Optional("VALUE", "At most 1 GiB; '-': standard input",
                &arguments->value)
      .Option("--ttl", "DURATION", "The key expires after this long",
              &arguments->ttl)
      .Flag("--sync", "Wait for the device at once, not only at the end",
            &arguments->sync);
}

}  // namespace stave::tool
