#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tools/stave/completion_argument.h"
#include "tools/stave/completion_script.h"

namespace stave::tool {
namespace {

// In front of and behind what the commands take.
constexpr char kBegin[] =
    R"(#compdef stave
# Completions of stave for zsh, written by `stave completion zsh`.

_stave() {
  local context state state_descr line
  typeset -A opt_args
  local -a flags commands
)";

constexpr char kEnd[] =
    R"(  esac
}

_stave "$@"
)";

// _arguments takes these for the ends of its fields.
std::string Field(const std::string& text) {
  return absl::StrReplaceAll(
      text, {{"\\", "\\\\"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
}

// A message and what to offer, as they stand behind a flag or a place.
std::string Value(const CompletionArgument& argument) {
  std::string action = " ";
  switch (argument.completes) {
    case Completes::kChoices:
      action = absl::StrCat("(", absl::StrJoin(argument.choices, " "), ")");
      break;
    case Completes::kFiles:
      action = "_files";
      break;
    case Completes::kDirectories:
      action = "_files -/";
      break;
    case Completes::kCommands:
      action = "{_describe command commands}";
      break;
    case Completes::kNothing:
      break;
  }
  return absl::StrCat(":", Field(argument.value_name), ":", action);
}

std::string Flag(const CompletionArgument& flag) {
  return InShellQuotes(
      absl::StrCat(flag.flag, "[", Field(flag.help), "]",
                   flag.value_name.empty() ? "" : Value(flag)));
}

void AppendCommand(const CommandHelp& command, std::string* script) {
  absl::StrAppend(script, "    ", command.name, ")\n",
                  "      _arguments $flags");
  for (const CompletionArgument& flag : FlagsOf(command.parameters)) {
    absl::StrAppend(script, " \\\n        ", Flag(flag));
  }
  size_t number = 0;
  for (const ParameterHelp& parameter : command.parameters) {
    const CompletionArgument place = CompletionArgumentOf(parameter);
    if (!place.flag.empty()) continue;
    const bool many = parameter.usage.ends_with("...");
    absl::StrAppend(script, " \\\n        ",
                    InShellQuotes(absl::StrCat(
                        many ? "*" : absl::StrCat(++number), Value(place))));
  }
  absl::StrAppend(script, " ;;\n");
}

}  // namespace

std::string ZshCompletion(const ProgramHelp& program) {
  std::string script = kBegin;
  script += "  flags=(\n";
  for (const CompletionArgument& flag : FlagsOf(program.flags)) {
    absl::StrAppend(&script, "    ", Flag(flag), "\n");
  }
  script += "    '--help[Print help]'\n  )\n  commands=(\n";
  for (const CommandHelp& command : program.commands) {
    absl::StrAppend(
        &script, "    ",
        InShellQuotes(absl::StrCat(command.name, ":", Field(command.summary))),
        "\n");
  }
  script +=
      "  )\n"
      "  _arguments -C $flags '1:command:{_describe command commands}' \\\n"
      "    '*:: :->arguments' && return\n"
      "  case $line[1] in\n";
  for (const CommandHelp& command : program.commands) {
    AppendCommand(command, &script);
  }
  return script + kEnd;
}

}  // namespace stave::tool
