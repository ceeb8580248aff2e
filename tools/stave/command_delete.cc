#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "stave/store.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/record.h"
#include "tools/stave/session.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "Prints how many of the keys there were. Exits with 1 if there was none.\n"
    "When the command is done, their absence is on the device.\n"
    "\n"
    "  stave delete user:1 user:2\n"
    "  stave delete -- -1\n"
    "\n"
    "--json: {\"deleted\":N}\n";

absl::StatusOr<uint64_t> DeleteAll(const std::vector<std::string>& keys,
                                   Store& store) {
  uint64_t deleted = 0;
  for (const std::string& key : keys) {
    absl::StatusOr<bool> was_there = store.Delete(key);
    if (!was_there.ok()) {
      return absl::Status(
          was_there.status().code(),
          absl::StrFormat("%s; keys deleted before that: %d",
                          was_there.status().message(), deleted));
    }
    if (*was_there) ++deleted;
  }
  return deleted;
}

absl::Status Report(uint64_t deleted, Session& session) {
  return session.out().Write(
      session.json() ? absl::StrFormat("{\"deleted\":%d}\n", deleted)
                     : absl::StrFormat("%d\n", deleted));
}

absl::Status Delete(const std::vector<std::string>& keys, Session& session) {
  // All of them first, so that wrong usage deletes nothing.
  for (const std::string& key : keys) RETURN_IF_ERROR(CheckKey(key));
  absl::StatusOr<std::unique_ptr<Store>> store = session.OpenExisting();
  if (absl::IsNotFound(store.status())) RETURN_IF_ERROR(Report(0, session));
  if (!store.ok()) return store.status();
  absl::StatusOr<uint64_t> deleted = DeleteAll(keys, **store);
  absl::Status status = deleted.status();
  status.Update((*store)->Close());
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(Report(*deleted, session));
  return *deleted > 0 ? absl::OkStatus() : absl::NotFoundError("");
}

}  // namespace

void AddDeleteCommand(CommandLine* command_line) {
  auto keys = std::make_shared<std::vector<std::string>>();
  command_line
      ->Add({.name = "delete",
             .summary = "Delete keys and print how many there were",
             .details = kDetails,
             .writes = true,
             .run = [keys](Session& s) { return Delete(*keys, s); }})
      .List("KEY", "The keys to delete", keys.get());
}

}  // namespace stave::tool
