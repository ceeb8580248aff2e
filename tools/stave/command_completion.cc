#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/completion_script.h"
#include "tools/stave/escape.h"
#include "tools/stave/help_text.h"
#include "tools/stave/session.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "Prints a script that makes SHELL complete commands, flags, their values\n"
    "and names of files. `//:install` puts it where the shell finds it; for\n"
    "one shell, or where the program is not installed:\n"
    "\n"
    "  source <(stave completion bash)\n"
    "  stave completion zsh > ~/.zfunc/_stave\n"
    "  stave completion fish > ~/.config/fish/completions/stave.fish\n"
    "\n"
    "~/.zfunc stands for any directory of zsh's $fpath.\n";

absl::Status PrintCompletion(const std::string& shell,
                             const CommandLine& command_line,
                             Session& session) {
  const ProgramHelp program = command_line.Description();
  if (shell == "bash") return session.out().Write(BashCompletion(program));
  if (shell == "zsh") return session.out().Write(ZshCompletion(program));
  if (shell == "fish") return session.out().Write(FishCompletion(program));
  return absl::InvalidArgumentError(absl::StrFormat(
      "there are completions for bash, zsh and fish, not for %s",
      Quoted(shell)));
}

}  // namespace

void AddCompletionCommand(CommandLine* command_line) {
  auto shell = std::make_shared<std::string>();
  command_line
      ->Add({.name = "completion",
             .summary = "Print completions for bash, zsh or fish",
             .details = kDetails,
             .run =
                 [shell, command_line](Session& session) {
                   return PrintCompletion(*shell, *command_line, session);
                 }})
      .Required("SHELL", "bash, zsh or fish", shell.get())
      .Choices({"bash", "zsh", "fish"});
}

}  // namespace stave::tool
