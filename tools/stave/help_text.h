#ifndef STAVE_TOOLS_STAVE_HELP_TEXT_H_
#define STAVE_TOOLS_STAVE_HELP_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace stave::tool {

// What help says about one thing that may stand behind a command's name.
struct ParameterHelp {
  std::string usage;  // in the first line, as "[--ttl DURATION]"
  std::string name;   // in the list, as "--ttl DURATION"
  std::string help;
  std::vector<std::string> choices;  // all that it may be, if they are few
};

struct CommandHelp {
  std::string name;
  std::string summary;
  std::string details;  // lines of text, or empty
  std::vector<ParameterHelp> parameters;
};

// All there is to say: help, the manual page and the shells' completions are
// made of it.
struct ProgramHelp {
  std::vector<CommandHelp> commands;
  std::vector<ParameterHelp> flags;  // which every command has
};

// What holds for all commands: where the store is, the exit codes. Paragraphs,
// with an empty line between them.
std::string_view AboutAllCommands();

// The help of one command.
std::string HelpOfCommand(const CommandHelp& command);

// The help of the program.
std::string HelpOfProgram(const ProgramHelp& program);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_HELP_TEXT_H_
