#ifndef STAVE_TOOLS_STAVE_ARGUMENTS_H_
#define STAVE_TOOLS_STAVE_ARGUMENTS_H_

#include <string>
#include <string_view>
#include <vector>

namespace stave::tool {

// CLI11 gives a meaning to some arguments that to us are keys as any other:
// "[a,b]" is split, "{}" is an empty list, "++" ends a sub-command, and after
// "--" a '-' at the front still makes a flag in some releases. These two take
// keys, values and patterns through it unchanged.

// Marks those arguments that must not be interpreted: all that follow "--"
// (which is taken out), and those that do not begin like a command's or a
// flag's name.
std::vector<std::string> ProtectArguments(std::vector<std::string> arguments);

// The argument as it was typed.
std::string Unprotected(std::string_view argument);

// A message in which CLI11 may have cited arguments.
std::string WithoutMarks(std::string_view message);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_ARGUMENTS_H_
