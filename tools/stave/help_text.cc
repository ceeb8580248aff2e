#include "tools/stave/help_text.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace stave::tool {
namespace {

constexpr size_t kColumns = 80;

constexpr char kAboutAllCommands[] =
    "The store is the directory that --store names, else $STAVE_STORE, else\n"
    "$XDG_DATA_HOME/stave, else ~/.local/share/stave. Only put, load and "
    "shell\n"
    "make one that is not there.\n"
    "\n"
    "Exit codes: 0 done, 1 not found, 2 wrong usage, 3 damage found, 4 locked\n"
    "by another process, 5 any other error. Where the reader of the output\n"
    "ends early, as in `stave keys | head -1`, stave ends quietly, with 5.\n"
    "\n"
    "Write -- before keys that begin with '-'. `stave help COMMAND` says "
    "more.\n";

void AppendList(const std::vector<ParameterHelp>& parameters,
                std::string* text) {
  size_t width = 0;
  for (const ParameterHelp& parameter : parameters) {
    width = std::max(width, parameter.name.size());
  }
  for (const ParameterHelp& parameter : parameters) {
    absl::StrAppendFormat(text, "  %-*s  %s\n", static_cast<int>(width),
                          parameter.name, parameter.help);
  }
}

// The line "Usage: ...", or as many as the words need.
std::string UsageLines(std::string text,
                       const std::vector<std::string>& words) {
  size_t line_begin = 0;
  for (const std::string& word : words) {
    if (text.size() + 1 + word.size() - line_begin > kColumns) {
      line_begin = text.size() + 1;
      absl::StrAppend(&text, "\n      ");
    }
    absl::StrAppend(&text, " ", word);
  }
  return text;
}

std::vector<std::string> UsagesOf(
    const std::vector<ParameterHelp>& parameters) {
  std::vector<std::string> usages;
  for (const ParameterHelp& p : parameters) usages.push_back(p.usage);
  return usages;
}

}  // namespace

std::string_view AboutAllCommands() { return kAboutAllCommands; }

std::string HelpOfCommand(const CommandHelp& command) {
  std::string text = UsageLines(absl::StrCat("Usage: stave ", command.name),
                                UsagesOf(command.parameters));
  absl::StrAppend(&text, "\n\n", command.summary, ".\n");
  if (!command.parameters.empty()) text.push_back('\n');
  AppendList(command.parameters, &text);
  if (!command.details.empty()) absl::StrAppend(&text, "\n", command.details);
  absl::StrAppend(&text, "\nFlags of all commands: see `stave help`.\n");
  return text;
}

std::string HelpOfProgram(const ProgramHelp& program) {
  std::vector<std::string> usage = UsagesOf(program.flags);
  usage.push_back("COMMAND ...");
  std::string text = UsageLines("Usage: stave", usage);
  absl::StrAppend(&text,
                  "\n\nA key-value store in a directory.\n\nCommands:\n");
  std::vector<ParameterHelp> list;
  for (const CommandHelp& command : program.commands) {
    list.push_back({"", command.name, command.summary, {}});
  }
  AppendList(list, &text);
  absl::StrAppend(&text, "\nFlags, before or after the command:\n");
  AppendList(program.flags, &text);
  absl::StrAppend(&text, "\n", kAboutAllCommands);
  return text;
}

}  // namespace stave::tool
