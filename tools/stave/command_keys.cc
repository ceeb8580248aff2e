#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/json_text.h"
#include "stave/store.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/escape.h"
#include "tools/stave/number.h"
#include "tools/stave/record.h"
#include "tools/stave/selection.h"
#include "tools/stave/session.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "A pattern goes by bytes: * stands for any of them, ? for one, [a-z] for\n"
    "one of these, [^a-z] for one that is none of these, \\x for x itself.\n"
    "\n"
    "One key a line, in no promised order unless --sort, or\n"
    "--keydir ordered, is given. Control characters, the backslash and bytes\n"
    "that are not UTF-8 are written \\n \\t \\r \\\\ \\xHH.\n"
    "\n"
    "  stave keys 'user:*' --sort --limit 10\n"
    "  stave keys --json\n"
    "\n"
    "--json: {\"key\":KEY} a line; a key that is not UTF-8 stands in base64\n"
    "under key_base64.\n";

struct KeysArguments {
  std::optional<std::string> glob;
  std::optional<std::string> limit;
  bool sort = false;
};

absl::Status Keys(const KeysArguments& arguments, Session& session) {
  Selection selection;
  if (arguments.glob.has_value()) selection.glob.emplace(*arguments.glob);
  selection.sort = arguments.sort && !session.ordered();
  absl::StatusOr<uint64_t> limit =
      PositiveNumber("--limit", arguments.limit, selection.limit);
  if (!limit.ok()) return limit.status();
  selection.limit = *limit;
  absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForReading();
  if (!store.ok()) return store.status();
  std::string line;
  return VisitKeys(**store, selection, [&](const Record& record) {
    line.clear();
    if (session.json()) {
      line.push_back('{');
      AppendJsonBytes("key", record.key, &line);
      line.push_back('}');
    } else {
      AppendEscaped(record.key, &line);
    }
    line.push_back('\n');
    return session.out().Write(line);
  });
}

}  // namespace

void AddKeysCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<KeysArguments>();
  command_line
      ->Add({.name = "keys",
             .summary = "Print the keys, or those that fit a pattern",
             .details = kDetails,
             .run = [arguments](Session& s) { return Keys(*arguments, s); }})
      .Optional("GLOB", "Only keys that fit this pattern", &arguments->glob)
      .Option("--limit", "N", "At most this many", &arguments->limit)
      .Flag("--sort", "In byte order; takes memory for the keys",
            &arguments->sort);
}

}  // namespace stave::tool
