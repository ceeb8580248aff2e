#ifndef STAVE_TOOLS_STAVE_COMMAND_LINE_H_
#define STAVE_TOOLS_STAVE_COMMAND_LINE_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/stave/help_text.h"
#include "tools/stave/output.h"
#include "tools/stave/session.h"

namespace CLI {
class App;
}

namespace stave::tool {

struct Command {
  std::string name;
  std::string summary;  // one line for the list of commands
  std::string details;  // what else `stave help NAME` says
  bool writes = false;  // so it is refused with --read-only
  // The status decides on the exit code. Its message goes to standard error;
  // a NotFound without one is quiet, because the output has said it.
  std::function<absl::Status(Session&)> run;
};

// Declares what may stand behind a command's name. The variables are set when
// the command line is parsed, and must be there until the command has run.
// Texts arrive byte for byte as they were typed.
class Parameters {
 public:
  // Borrows both.
  Parameters(CLI::App* app, std::vector<ParameterHelp>* help)
      : app_(app), help_(help) {}

  Parameters& Required(const std::string& name, const std::string& help,
                       std::string* text);
  Parameters& Optional(const std::string& name, const std::string& help,
                       std::optional<std::string>* text);
  // One or more.
  Parameters& List(const std::string& name, const std::string& help,
                   std::vector<std::string>* texts);
  Parameters& Flag(const std::string& name, const std::string& help,
                   bool* given);
  Parameters& Option(const std::string& name, const std::string& value_name,
                     const std::string& help, std::optional<std::string>* text);
  // All that the last one declared may be; for completions, not checked here.
  Parameters& Choices(std::vector<std::string> choices);

 private:
  CLI::App* const app_;
  std::vector<ParameterHelp>* const help_;
};

// The program's commands, and the arguments that choose among them. The one
// place that knows CLI11, whose exceptions end here. Thread-compatible.
class CommandLine {
 public:
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  ~CommandLine();

  Parameters Add(Command command);

  // Runs the command that the arguments (without the program's name) ask for.
  // InvalidArgument if they are wrong.
  absl::Status Run(std::vector<std::string> arguments, Output* out);

  // The help for a command, or without one for the whole program.
  // InvalidArgument: no such command.
  absl::StatusOr<std::string> Help(
      const std::optional<std::string>& command) const;
  // What that is made of.
  ProgramHelp Description() const;

 private:
  struct Entry {
    Command command;
    std::vector<ParameterHelp> parameters;
  };

  // True: the arguments asked for help, and have got it.
  absl::StatusOr<bool> Parse(std::vector<std::string> arguments, Output* out);
  absl::Status RunParsed(Output* out);

  static CommandHelp HelpOf(const Entry& entry);
  const Entry* Find(const std::string& name) const;
  // The name of the command that the arguments chose, if they did.
  std::optional<std::string> Chosen() const;
  absl::Status UnknownCommand(const std::string& name) const;
  absl::Status UnexpectedArgument(const std::string& argument) const;
  absl::Status WrongUsage(const std::string& message) const;

  std::unique_ptr<CLI::App> app_;
  std::deque<Entry> entries_;  // which stay where they are
  std::vector<ParameterHelp> flags_help_;
  GlobalFlags flags_;
  // As they are typed.
  std::optional<std::string> compression_;
  std::optional<std::string> merge_limit_;
  std::optional<std::string> compression_dictionary_;
  bool version_ = false;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_COMMAND_LINE_H_
