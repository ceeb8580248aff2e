#ifndef STAVE_TOOLS_STAVE_COMPLETION_SCRIPT_H_
#define STAVE_TOOLS_STAVE_COMPLETION_SCRIPT_H_

#include <string>

#include "tools/stave/help_text.h"

namespace stave::tool {

// Scripts that make a shell complete the program's commands, flags and their
// values: choices, and names of files where the help says FILE, DIR, TO or
// FROM. Keys are not completed: that would open the store at a touch of Tab.
std::string BashCompletion(const ProgramHelp& program);
std::string ZshCompletion(const ProgramHelp& program);
std::string FishCompletion(const ProgramHelp& program);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_COMPLETION_SCRIPT_H_
