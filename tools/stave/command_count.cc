#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "stave/store.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/record.h"
#include "tools/stave/selection.h"
#include "tools/stave/session.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "Prints a number. Patterns are those of `stave help keys`.\n"
    "\n"
    "  stave count\n"
    "  stave count 'user:*'\n"
    "\n"
    "--json: {\"count\":N}\n";

absl::Status Count(const std::optional<std::string>& glob, Session& session) {
  Selection selection;
  if (glob.has_value()) selection.glob.emplace(*glob);
  absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForReading();
  if (!store.ok()) return store.status();
  // The statistics' number of keys may have expired ones in it.
  uint64_t count = 0;
  RETURN_IF_ERROR(VisitKeys(**store, selection, [&count](const Record&) {
    ++count;
    return absl::OkStatus();
  }));
  return session.out().Write(session.json()
                                 ? absl::StrFormat("{\"count\":%d}\n", count)
                                 : absl::StrFormat("%d\n", count));
}

}  // namespace

void AddCountCommand(CommandLine* command_line) {
  auto glob = std::make_shared<std::optional<std::string>>();
  command_line
      ->Add({.name = "count",
             .summary = "Print how many keys there are",
             .details = kDetails,
             .run = [glob](Session& s) { return Count(*glob, s); }})
      .Optional("GLOB", "Only keys that fit this pattern", glob.get());
}

}  // namespace stave::tool
