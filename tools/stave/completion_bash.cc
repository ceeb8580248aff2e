#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/stave/completion_argument.h"
#include "tools/stave/completion_script.h"

namespace stave::tool {
namespace {

constexpr char kBegin[] =
    R"(# Completions of stave for bash, written by `stave completion bash`.

_stave() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  # bash takes --flag=value apart.
  if [[ $word == = ]]; then
    word=
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi

  # The command, and how many arguments stand between it and the cursor.
  local command='' place=0 i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
)";

constexpr char kAfterFlagsWithValues[] =
    R"(        [[ ${COMP_WORDS[i + 1]} == = ]] && ((++i))
        ((++i)) ;;
      -*) ;;
      *)
        if [[ -z $command ]]; then
          command=${COMP_WORDS[i]}
        else
          ((++place))
        fi ;;
    esac
  done

  local offer=
  case "$command $before" in
)";

constexpr char kEnd[] =
    R"(
  COMPREPLY=()
  case $offer in
    nothing) ;;
    files) compopt -o default ;;
    directories) compopt -o dirnames ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$offer" -- "$word") ;;
  esac
}
complete -F _stave stave
)";

// What the variable `offer` of the script is set to.
std::string OfferFor(const CompletionArgument& argument,
                     const ProgramHelp& program) {
  switch (argument.completes) {
    case Completes::kChoices:
      return absl::StrCat("'", absl::StrJoin(argument.choices, " "), "'");
    case Completes::kFiles:
      return "files";
    case Completes::kDirectories:
      return "directories";
    case Completes::kCommands:
      return absl::StrCat("'", CommandNames(program), "'");
    case Completes::kNothing:
      break;
  }
  return "nothing";
}

std::string NamesOf(const std::vector<CompletionArgument>& flags) {
  return absl::StrJoin(flags, " ",
                       [](std::string* names, const CompletionArgument& flag) {
                         absl::StrAppend(names, flag.flag);
                       });
}

void AppendFlagsWithValues(const ProgramHelp& program, std::string* script) {
  std::vector<std::string> names;
  const auto add = [&names](const std::vector<ParameterHelp>& parameters) {
    for (const CompletionArgument& flag : FlagsOf(parameters)) {
      if (!flag.value_name.empty()) names.push_back(flag.flag);
    }
  };
  add(program.flags);
  for (const CommandHelp& command : program.commands) add(command.parameters);
  absl::StrAppend(script, "      ", absl::StrJoin(names, " | "), ")\n");
}

// The values of the flags among the parameters; an empty command is any.
void AppendValues(const std::string& command,
                  const std::vector<ParameterHelp>& parameters,
                  const ProgramHelp& program, std::string* script) {
  for (const CompletionArgument& flag : FlagsOf(parameters)) {
    if (flag.value_name.empty()) continue;
    absl::StrAppend(script, "    ", command.empty() ? "*" : "",
                    InShellQuotes(absl::StrCat(command, " ", flag.flag)),
                    ") offer=", OfferFor(flag, program), " ;;\n");
  }
}

// For a command: its flags at a '-', else what belongs where the cursor is.
void AppendCommand(const CommandHelp& command, const ProgramHelp& program,
                   std::string* script) {
  absl::StrAppend(script, "      ", command.name,
                  ")\n        case $place in\n");
  const std::vector<CompletionArgument> places = PlacesOf(command.parameters);
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i].completes == Completes::kNothing) continue;
    absl::StrAppend(script, "          ", i,
                    ") offer=", OfferFor(places[i], program), " ;;\n");
  }
  absl::StrAppend(script, "          *) offer=nothing ;;\n        esac\n",
                  "        flags+=' ", NamesOf(FlagsOf(command.parameters)),
                  "' ;;\n");
}

}  // namespace

std::string BashCompletion(const ProgramHelp& program) {
  std::string script = kBegin;
  AppendFlagsWithValues(program, &script);
  script += kAfterFlagsWithValues;
  for (const CommandHelp& command : program.commands) {
    AppendValues(command.name, command.parameters, program, &script);
  }
  AppendValues("", program.flags, program, &script);
  absl::StrAppend(&script, "  esac\n\n  local flags='",
                  NamesOf(FlagsOf(program.flags)), " --help'\n",
                  "  if [[ -z $offer ]]; then\n    case $command in\n",
                  "      '') offer='", CommandNames(program), "' ;;\n");
  for (const CommandHelp& command : program.commands) {
    AppendCommand(command, program, &script);
  }
  absl::StrAppend(&script, "    esac\n",
                  "    [[ $word == -* ]] && offer=$flags\n  fi\n", kEnd);
  return script;
}

}  // namespace stave::tool
