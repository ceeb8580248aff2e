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
    "Prints how many of the keys there are. Exits with 1 unless all are.\n"
    "\n"
    "  stave exists user:1 && echo there\n"
    "\n"
    "--json: {\"exists\":N}\n";

absl::Status Exists(const std::vector<std::string>& keys, Session& session) {
  for (const std::string& key : keys) RETURN_IF_ERROR(CheckKey(key));
  absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForReading();
  if (!store.ok()) return store.status();
  uint64_t found = 0;
  for (const std::string& key : keys) {
    absl::StatusOr<bool> exists = (*store)->Exists(key);
    if (!exists.ok()) return exists.status();
    if (*exists) ++found;
  }
  RETURN_IF_ERROR(session.out().Write(
      session.json() ? absl::StrFormat("{\"exists\":%d}\n", found)
                     : absl::StrFormat("%d\n", found)));
  return found == keys.size() ? absl::OkStatus() : absl::NotFoundError("");
}

}  // namespace

void AddExistsCommand(CommandLine* command_line) {
  auto keys = std::make_shared<std::vector<std::string>>();
  command_line
      ->Add({.name = "exists",
             .summary = "Print how many of some keys there are",
             .details = kDetails,
             .run = [keys](Session& s) { return Exists(*keys, s); }})
      .List("KEY", "The keys to look for", keys.get());
}

}  // namespace stave::tool
