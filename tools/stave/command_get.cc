#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "stave/store.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/escape.h"
#include "tools/stave/json_lines.h"
#include "tools/stave/record.h"
#include "tools/stave/session.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "Prints the value's bytes as they are, and a newline. Exits with 1 if\n"
    "there is no such key.\n"
    "\n"
    "  stave get user:1\n"
    "  stave get picture --raw > picture.png\n"
    "\n"
    "--json: {\"key\":KEY,\"value\":VALUE}; what is not UTF-8 stands in "
    "base64\n"
    "under key_base64, value_base64.\n";

struct GetArguments {
  std::string key;
  bool raw = false;
};

absl::Status Get(const GetArguments& arguments, Session& session) {
  RETURN_IF_ERROR(CheckKey(arguments.key));
  absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForReading();
  if (!store.ok()) return store.status();
  absl::StatusOr<PinnedValue> value = (*store)->GetPinned(arguments.key);
  if (absl::IsNotFound(value.status())) {
    return absl::NotFoundError(
        absl::StrFormat("there is no key %s", Quoted(arguments.key)));
  }
  if (!value.ok()) return value.status();
  if (session.json()) {
    std::string line;
    AppendJsonLine({arguments.key, value->view()}, &line);
    return session.out().Write(line + "\n");
  }
  RETURN_IF_ERROR(session.out().Write(value->view()));
  return session.out().Write(arguments.raw ? "" : "\n");
}

}  // namespace

void AddGetCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<GetArguments>();
  command_line
      ->Add({.name = "get",
             .summary = "Print a key's value",
             .details = kDetails,
             .run = [arguments](Session& s) { return Get(*arguments, s); }})
      .Required("KEY", "Whose value", &arguments->key)
      .Flag("--raw", "No newline after the value", &arguments->raw);
}

}  // namespace stave::tool
