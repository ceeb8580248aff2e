#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/manual_page.h"
#include "tools/stave/session.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "  stave help get\n"
    "  stave help --man | man -l -\n";

struct HelpArguments {
  std::optional<std::string> command;
  bool man = false;
};

absl::Status Help(const HelpArguments& arguments,
                  const CommandLine& command_line, Session& session) {
  if (arguments.man && arguments.command.has_value()) {
    return absl::InvalidArgumentError(
        "the manual page tells of all commands: --man takes no COMMAND");
  }
  if (arguments.man) {
    return session.out().Write(ManualPage(command_line.Description()));
  }
  const absl::StatusOr<std::string> text = command_line.Help(arguments.command);
  if (!text.ok()) return text.status();
  return session.out().Write(*text);
}

}  // namespace

void AddHelpCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<HelpArguments>();
  command_line
      ->Add({.name = "help",
             .summary = "Say more about a command",
             .details = kDetails,
             .run =
                 [arguments, command_line](Session& session) {
                   return Help(*arguments, *command_line, session);
                 }})
      .Optional("COMMAND", "Which; without it: a list", &arguments->command)
      .Flag("--man", "Print the manual page, stave(1), for man to show",
            &arguments->man);
}

}  // namespace stave::tool
