#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stave/store.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/escape.h"
#include "tools/stave/json_lines.h"
#include "tools/stave/number.h"
#include "tools/stave/record.h"
#include "tools/stave/selection.h"
#include "tools/stave/session.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "One KEY<TAB>VALUE a line, in no promised order unless --sort, or\n"
    "--keydir ordered, is given.\n"
    "Patterns and escapes are those of `stave help keys`. All that is given\n"
    "must fit: GLOB, --prefix, --from and --to.\n"
    "\n"
    "  stave scan --prefix user: --limit 10\n"
    "  stave scan --from 2026-01 --to 2026-02 --keydir ordered\n"
    "\n"
    "--json: {\"key\":KEY,\"value\":VALUE} a line, with key_base64, "
    "value_base64\n"
    "for what is not UTF-8, and expire_at_ms where the key expires.\n";

struct ScanArguments {
  std::optional<std::string> glob;
  std::optional<std::string> prefix;
  std::optional<std::string> from;
  std::optional<std::string> to;
  std::optional<std::string> limit;
  bool sort = false;
};

absl::StatusOr<Selection> SelectionOf(const ScanArguments& arguments,
                                      const Session& session) {
  Selection selection;
  if (arguments.glob.has_value()) selection.glob.emplace(*arguments.glob);
  selection.prefix = arguments.prefix.value_or("");
  selection.from = arguments.from.value_or("");
  selection.to = arguments.to.value_or("");
  selection.sort = arguments.sort && !session.ordered();
  if (arguments.to.has_value() && arguments.to->empty()) {
    return absl::InvalidArgumentError("--to is empty; no key is before that");
  }
  absl::StatusOr<uint64_t> limit =
      PositiveNumber("--limit", arguments.limit, selection.limit);
  if (!limit.ok()) return limit.status();
  selection.limit = *limit;
  return selection;
}

absl::Status Scan(const ScanArguments& arguments, Session& session) {
  absl::StatusOr<Selection> selection = SelectionOf(arguments, session);
  if (!selection.ok()) return selection.status();
  absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForReading();
  if (!store.ok()) return store.status();
  std::string line;
  return VisitRecords(**store, *selection, [&](const Record& record) {
    line.clear();
    if (session.json()) {
      AppendJsonLine(record, &line);
    } else {
      AppendEscaped(record.key, &line);
      line.push_back('\t');
      AppendEscaped(record.value, &line);
    }
    line.push_back('\n');
    return session.out().Write(line);
  });
}

}  // namespace

void AddScanCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<ScanArguments>();
  command_line
      ->Add({.name = "scan",
             .summary = "Print keys with their values",
             .details = kDetails,
             .run = [arguments](Session& s) { return Scan(*arguments, s); }})
      .Optional("GLOB", "Only keys that fit this pattern", &arguments->glob)
      .Option("--prefix", "P", "Only keys that begin so", &arguments->prefix)
      .Option("--from", "A", "Only this key and what comes after it",
              &arguments->from)
      .Option("--to", "B", "Only what comes before this key", &arguments->to)
      .Option("--limit", "N", "At most this many", &arguments->limit)
      .Flag("--sort", "In byte order; takes memory for the keys",
            &arguments->sort);
}

}  // namespace stave::tool
