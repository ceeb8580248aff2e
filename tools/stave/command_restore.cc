#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stave/store.h"
#include "tools/stave/backup_to.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/session.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/user_paths.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "Makes directory TO a store that holds what the backup in FROM holds. TO\n"
    "is made if need be, and must be empty. The backup stays as it is, "
    "whatever\n"
    "happens to the store; on the same file system the two share files that\n"
    "never change. All that is restored is read, and its checksums are\n"
    "compared: exit code 3, and TO empty, if the backup is damaged.\n"
    "\n"
    "  stave restore /mnt/backup/store /var/lib/store\n"
    "\n"
    "--json: {\"keys\":N,\"live_bytes\":N}\n";

struct RestoreArguments {
  std::string from;
  std::string to;
};

absl::Status Restore(const RestoreArguments& arguments, Session& session) {
  if (arguments.from.empty()) {
    return absl::InvalidArgumentError("FROM is empty");
  }
  const std::string from = UserPath(arguments.from);
  const absl::StatusOr<std::unique_ptr<Store>> backup = session.OpenFrom(from);
  if (!backup.ok()) return backup.status();
  return BackUpTo(arguments.to, "Restored", **backup, from, session);
}

}  // namespace

void AddRestoreCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<RestoreArguments>();
  command_line
      ->Add({.name = "restore",
             .summary = "Make a store of what a backup holds",
             .details = kDetails,
             .writes = true,
             .run = [arguments](Session& s) { return Restore(*arguments, s); }})
      .Required("FROM", "The backup's directory", &arguments->from)
      .Required("TO", "The new store's directory", &arguments->to);
}

}  // namespace stave::tool
