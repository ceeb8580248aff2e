#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/session.h"

namespace stave::tool {

void AddHelpCommand(CommandLine* command_line) {
  auto command = std::make_shared<std::optional<std::string>>();
  const auto help = [command, command_line](Session& session) -> absl::Status {
    absl::StatusOr<std::string> text = command_line->Help(*command);
    if (!text.ok()) return text.status();
    return session.out().Write(*text);
  };
  command_line
      ->Add({.name = "help",
             .summary = "Say more about a command",
             .details = "",
             .run = help})
      .Optional("COMMAND", "Which; without it: a list", command.get());
}

}  // namespace stave::tool
