#ifndef STAVE_TOOLS_STAVE_COMPLETION_ARGUMENT_H_
#define STAVE_TOOLS_STAVE_COMPLETION_ARGUMENT_H_

#include <string>
#include <string_view>
#include <vector>

#include "tools/stave/help_text.h"

namespace stave::tool {

// What a shell can offer for an argument.
enum class Completes { kNothing, kChoices, kFiles, kDirectories, kCommands };

// A flag, or an argument that stands at a place of its own, as completions
// look at it.
struct CompletionArgument {
  std::string flag;        // with its dashes; empty: a place
  std::string value_name;  // empty: a flag that takes none
  std::string help;
  Completes completes = Completes::kNothing;
  std::vector<std::string> choices;
};

CompletionArgument CompletionArgumentOf(const ParameterHelp& parameter);

// In the order of the parameters.
std::vector<CompletionArgument> FlagsOf(
    const std::vector<ParameterHelp>& parameters);
std::vector<CompletionArgument> PlacesOf(
    const std::vector<ParameterHelp>& parameters);

// The names of the commands, with a space between them.
std::string CommandNames(const ProgramHelp& program);

// In single quotes, as all POSIX shells read it.
std::string InShellQuotes(std::string_view text);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_COMPLETION_ARGUMENT_H_
