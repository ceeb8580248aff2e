#ifndef STAVE_TOOLS_STAVE_HELP_TEXT_H_
#define STAVE_TOOLS_STAVE_HELP_TEXT_H_

#include <string>
#include <vector>

namespace stave::tool {

// What help says about one thing that may stand behind a command's name.
struct ParameterHelp {
  std::string usage;  // in the first line, as "[--ttl DURATION]"
  std::string name;   // in the list, as "--ttl DURATION"
  std::string help;
};

struct CommandHelp {
  std::string name;
  std::string summary;
  std::string details;  // lines of text, or empty
  std::vector<ParameterHelp> parameters;
};

// The help of one command.
std::string HelpOfCommand(const CommandHelp& command);

// The help of the program, with the flags that every command has.
std::string HelpOfProgram(const std::vector<CommandHelp>& commands,
                          const std::vector<ParameterHelp>& flags);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_HELP_TEXT_H_
