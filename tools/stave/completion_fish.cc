#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tools/stave/completion_argument.h"
#include "tools/stave/completion_script.h"

namespace stave::tool {
namespace {

// fish, unlike other shells, has escapes between single quotes.
std::string Quoted(const std::string& text) {
  return absl::StrCat(
      "'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

// -x: a value, and none of the files that fish offers otherwise; -r: a value;
// -F: files after all.
std::string Offer(const CompletionArgument& argument,
                  const ProgramHelp& program) {
  switch (argument.completes) {
    case Completes::kChoices:
      return absl::StrCat(" -x -a ",
                          Quoted(absl::StrJoin(argument.choices, " ")));
    case Completes::kFiles:
      return " -r -F";
    case Completes::kDirectories:
      return " -x -a '(__fish_complete_directories)'";
    case Completes::kCommands:
      return absl::StrCat(" -x -a ", Quoted(CommandNames(program)));
    case Completes::kNothing:
      break;
  }
  return " -x";
}

// One line; an empty condition is always met.
void AppendFlag(const std::string& condition, const CompletionArgument& flag,
                const ProgramHelp& program, std::string* script) {
  absl::StrAppend(script, "complete -c stave", condition, " -l ",
                  flag.flag.substr(2),
                  flag.value_name.empty() ? "" : Offer(flag, program), " -d ",
                  Quoted(flag.help), "\n");
}

void AppendCommand(const CommandHelp& command, const ProgramHelp& program,
                   std::string* script) {
  const std::string seen =
      absl::StrCat("__fish_seen_subcommand_from ", command.name);
  absl::StrAppend(script, "\ncomplete -c stave -n __fish_use_subcommand -a ",
                  command.name, " -d ", Quoted(command.summary), "\n");
  for (const CompletionArgument& flag : FlagsOf(command.parameters)) {
    AppendFlag(absl::StrCat(" -n ", Quoted(seen)), flag, program, script);
  }
  std::string condition = seen;
  for (const CompletionArgument& place : PlacesOf(command.parameters)) {
    if (place.completes == Completes::kNothing) continue;
    const std::string chosen = absl::StrCat("__fish_seen_subcommand_from ",
                                            absl::StrJoin(place.choices, " "));
    const bool is_choice = place.completes == Completes::kChoices;
    absl::StrAppend(script, "complete -c stave -n ",
                    Quoted(is_choice ? absl::StrCat(seen, "; and not ", chosen)
                                     : condition),
                    Offer(place, program), "\n");
    // What stands behind a choice is offered when that was made.
    if (is_choice) absl::StrAppend(&condition, "; and ", chosen);
  }
}

}  // namespace

std::string FishCompletion(const ProgramHelp& program) {
  std::string script =
      "# Completions of stave for fish, written by `stave completion fish`.\n"
      "\ncomplete -c stave -f\n";
  for (const CompletionArgument& flag : FlagsOf(program.flags)) {
    AppendFlag("", flag, program, &script);
  }
  script += "complete -c stave -s h -l help -d 'Print help'\n";
  for (const CommandHelp& command : program.commands) {
    AppendCommand(command, program, &script);
  }
  return script;
}

}  // namespace stave::tool
