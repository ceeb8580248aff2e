#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stave/store.h"
#include "tools/stave/backup_to.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/session.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "Makes directory TO a backup of the store as it is now, beside a running\n"
    "writer, too. TO is made if need be. A backup that is there already gets\n"
    "what is new since, and loses what is no longer needed.\n"
    "\n"
    "On the same file system, files that will not change any more are shared\n"
    "(hard links): that takes no space, and protects from all but the "
    "device's\n"
    "own end. Elsewhere they are copied. What is added is read, and all its\n"
    "checksums are compared: exit code 3, and TO as it was, if the store is\n"
    "damaged. Only a directory that is empty, or holds a backup of this store\n"
    "that nobody has written to, is taken.\n"
    "\n"
    "  stave backup /mnt/backup/store\n"
    "  stave fsck --store /mnt/backup/store    reads all of it again\n"
    "  stave restore /mnt/backup/store /var/lib/store\n"
    "\n"
    "--json: {\"keys\":N,\"live_bytes\":N}\n";

absl::Status Backup(const std::string& to, Session& session) {
  const absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForReading();
  if (!store.ok()) return store.status();
  const absl::StatusOr<std::string> directory = session.StoreDirectory();
  if (!directory.ok()) return directory.status();
  return BackUpTo(to, "Backed up", **store, *directory, session);
}

}  // namespace

void AddBackupCommand(CommandLine* command_line) {
  auto to = std::make_shared<std::string>();
  command_line
      ->Add({.name = "backup",
             .summary = "Make or renew a backup, which is a store itself",
             .details = kDetails,
             .run = [to](Session& session) { return Backup(*to, session); }})
      .Required("TO", "The backup's directory", to.get());
}

}  // namespace stave::tool
