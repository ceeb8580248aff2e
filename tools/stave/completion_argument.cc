#include "tools/stave/completion_argument.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace stave::tool {
namespace {

Completes CompletesFor(const CompletionArgument& argument) {
  const std::string& value = argument.value_name;
  if (!argument.choices.empty()) return Completes::kChoices;
  if (value == "FILE") return Completes::kFiles;
  if (value == "DIR" || value == "TO" || value == "FROM") {
    return Completes::kDirectories;
  }
  if (value == "COMMAND") return Completes::kCommands;
  return Completes::kNothing;
}

std::vector<CompletionArgument> ArgumentsOf(
    const std::vector<ParameterHelp>& parameters, bool flags) {
  std::vector<CompletionArgument> arguments;
  for (const ParameterHelp& parameter : parameters) {
    CompletionArgument argument = CompletionArgumentOf(parameter);
    if (argument.flag.empty() != flags) arguments.push_back(argument);
  }
  return arguments;
}

}  // namespace

CompletionArgument CompletionArgumentOf(const ParameterHelp& parameter) {
  CompletionArgument argument;
  argument.help = parameter.help;
  argument.choices = parameter.choices;
  if (parameter.name.starts_with('-')) {
    const size_t space = parameter.name.find(' ');
    argument.flag = parameter.name.substr(0, space);
    if (space != std::string::npos) {
      argument.value_name = parameter.name.substr(space + 1);
    }
  } else {
    argument.value_name = parameter.name;
  }
  argument.completes = CompletesFor(argument);
  return argument;
}

std::vector<CompletionArgument> FlagsOf(
    const std::vector<ParameterHelp>& parameters) {
  return ArgumentsOf(parameters, /*flags=*/true);
}

std::vector<CompletionArgument> PlacesOf(
    const std::vector<ParameterHelp>& parameters) {
  return ArgumentsOf(parameters, /*flags=*/false);
}

std::string CommandNames(const ProgramHelp& program) {
  std::string names;
  for (const CommandHelp& command : program.commands) {
    absl::StrAppend(&names, names.empty() ? "" : " ", command.name);
  }
  return names;
}

std::string InShellQuotes(std::string_view text) {
  const absl::string_view view(text.data(), text.size());
  return absl::StrCat("'", absl::StrReplaceAll(view, {{"'", "'\\''"}}), "'");
}

}  // namespace stave::tool
