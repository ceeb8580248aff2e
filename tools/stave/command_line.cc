#include "tools/stave/command_line.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "stave/limits.h"
#include "tools/stave/arguments.h"
#include "tools/stave/byte_size.h"
#include "tools/stave/escape.h"
#include "tools/stave/number.h"
#include "tools/stave/spelling.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/version.h"

namespace stave::tool {
namespace {

// Hands the texts of an argument on as they were typed. CLI11's own
// conversions are not used, because to them some texts are not just texts.
template <typename Text>
CLI::callback_t Into(Text* text) {
  return [text](const CLI::results_t& results) {
    *text = Unprotected(results.front());
    return true;
  };
}

CLI::callback_t Into(std::vector<std::string>* texts) {
  return [texts](const CLI::results_t& results) {
    std::transform(results.begin(), results.end(), std::back_inserter(*texts),
                   Unprotected);
    return true;
  };
}

std::optional<Compression> CompressionNamed(const std::string& name) {
  if (name == "none") return Compression::kNone;
  if (name == "zstd") return Compression::kZstd;
  if (name == "lz4") return Compression::kLz4;
  return std::nullopt;
}

}  // namespace

Parameters& Parameters::Required(const std::string& name,
                                 const std::string& help, std::string* text) {
  app_->add_option(name, Into(text))->required();
  help_->push_back({name, name, help, {}});
  return *this;
}

Parameters& Parameters::Optional(const std::string& name,
                                 const std::string& help,
                                 std::optional<std::string>* text) {
  app_->add_option(name, Into(text));
  help_->push_back({absl::StrCat("[", name, "]"), name, help, {}});
  return *this;
}

Parameters& Parameters::List(const std::string& name, const std::string& help,
                             std::vector<std::string>* texts) {
  app_->add_option(name, Into(texts))
      ->expected(CLI::detail::expected_max_vector_size)
      ->required();
  help_->push_back({absl::StrCat(name, "..."), name, help, {}});
  return *this;
}

Parameters& Parameters::Flag(const std::string& name, const std::string& help,
                             bool* given) {
  app_->add_flag(name, *given);
  help_->push_back({absl::StrCat("[", name, "]"), name, help, {}});
  return *this;
}

Parameters& Parameters::Option(const std::string& name,
                               const std::string& value_name,
                               const std::string& help,
                               std::optional<std::string>* text) {
  app_->add_option(name, Into(text));
  const std::string shown = absl::StrCat(name, " ", value_name);
  help_->push_back({absl::StrCat("[", shown, "]"), shown, help, {}});
  return *this;
}

Parameters& Parameters::Choices(std::vector<std::string> choices) {
  help_->back().choices = std::move(choices);
  return *this;
}

CommandLine::CommandLine() : app_(std::make_unique<CLI::App>("", "stave")) {
  app_->require_subcommand(0, 1);
  // Flags that a command does not know are looked for here.
  app_->fallthrough();
  Parameters(app_.get(), &flags_help_)
      .Option("--store", "DIR", "The store's directory", &flags_.store)
      .Flag("--json", "JSON instead of text on standard output", &flags_.json)
      .Flag("--read-only", "Refuse to write", &flags_.read_only)
      .Option("--compression", "HOW",
              "Store what is written by zstd, lz4 or none", &compression_)
      .Choices({"zstd", "lz4", "none"})
      .Option("--compression-dictionary", "SIZE",
              "The size of the dictionary for zstd; 0: none",
              &compression_dictionary_)
      .Option("--keydir", "hash|ordered",
              "Keys in byte order; hash: in none, but faster", &flags_.keydir)
      .Choices({"hash", "ordered"})
      .Option("--merge-limit", "N",
              "Bytes a second that merges may read and write", &merge_limit_)
      .Flag("--version", "Print the version", &version_);
}

CommandLine::~CommandLine() = default;

Parameters CommandLine::Add(Command command) {
  CLI::App* app = app_->add_subcommand(command.name);
  Entry& entry = entries_.emplace_back(Entry{std::move(command), {}});
  return Parameters(app, &entry.parameters);
}

absl::Status CommandLine::Run(std::vector<std::string> arguments, Output* out) {
  absl::StatusOr<bool> has_help = Parse(std::move(arguments), out);
  if (!has_help.ok()) return has_help.status();
  if (*has_help) return absl::OkStatus();
  if (!version_) return RunParsed(out);
  return out->Write(absl::StrFormat("stave %s\n", kVersion));
}

absl::StatusOr<bool> CommandLine::Parse(std::vector<std::string> arguments,
                                        Output* out) {
  arguments = ProtectArguments(std::move(arguments));
  // Which is how CLI11 takes them.
  std::reverse(arguments.begin(), arguments.end());
  try {
    app_->parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    absl::StatusOr<std::string> help = Help(Chosen());
    if (!help.ok()) return help.status();
    RETURN_IF_ERROR(out->Write(*help));
    return true;
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string what = error.what();
    return WrongUsage(what.substr(0, what.find(':')) +
                      " takes one value, and may stand there once");
  } catch (const CLI::ParseError& error) {
    const std::vector<std::string> unknown = app_->remaining(/*recurse=*/true);
    return unknown.empty() ? WrongUsage(WithoutMarks(error.what()))
                           : UnexpectedArgument(unknown.front());
  }
  return false;
}

absl::Status CommandLine::RunParsed(Output* out) {
  const std::optional<std::string> name = Chosen();
  if (!name.has_value()) return WrongUsage("a command is missing");
  const Command& command = Find(*name)->command;
  if (flags_.keydir.value_or("hash") != "hash" && flags_.keydir != "ordered") {
    return WrongUsage(absl::StrFormat("--keydir is hash or ordered, not %s",
                                      Quoted(*flags_.keydir)));
  }
  if (flags_.read_only && command.writes) {
    return WrongUsage(
        absl::StrFormat("%s writes, and --read-only forbids it", *name));
  }
  if (compression_.has_value()) {
    const std::optional<Compression> compression =
        CompressionNamed(*compression_);
    if (!compression.has_value()) {
      return WrongUsage(absl::StrFormat(
          "--compression is zstd, lz4 or none, not %s", Quoted(*compression_)));
    }
    flags_.compression = *compression;
  }
  const absl::StatusOr<uint64_t> limit =
      PositiveNumber("--merge-limit", merge_limit_, /*otherwise=*/0);
  if (!limit.ok()) return WrongUsage(std::string(limit.status().message()));
  flags_.merge_bytes_per_second = *limit;
  if (compression_dictionary_.has_value()) {
    const absl::StatusOr<uint64_t> size =
        ParseByteSize(*compression_dictionary_);
    if (!size.ok()) {
      return WrongUsage(
          absl::StrCat("--compression-dictionary: ", size.status().message()));
    }
    if (*size != 0 && (*size < kMinCompressionDictionaryBytes ||
                       *size > kMaxCompressionDictionaryBytes)) {
      return WrongUsage(absl::StrFormat(
          "--compression-dictionary is 0, or from 256 bytes to 1MiB, not %s",
          Quoted(*compression_dictionary_)));
    }
    flags_.compression_dictionary_bytes = static_cast<size_t>(*size);
  }
  Session session(flags_, out);
  return command.run(session);
}

absl::StatusOr<std::string> CommandLine::Help(
    const std::optional<std::string>& command) const {
  if (!command.has_value()) return HelpOfProgram(Description());
  const Entry* entry = Find(*command);
  if (entry == nullptr) return UnknownCommand(*command);
  return HelpOfCommand(HelpOf(*entry));
}

ProgramHelp CommandLine::Description() const {
  ProgramHelp program = {{}, flags_help_};
  std::transform(entries_.begin(), entries_.end(),
                 std::back_inserter(program.commands), HelpOf);
  return program;
}

CommandHelp CommandLine::HelpOf(const Entry& entry) {
  return {entry.command.name, entry.command.summary, entry.command.details,
          entry.parameters};
}

const CommandLine::Entry* CommandLine::Find(const std::string& name) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(),
                   [&](const Entry& e) { return e.command.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

std::optional<std::string> CommandLine::Chosen() const {
  const std::vector<CLI::App*> chosen = app_->get_subcommands();
  if (chosen.empty()) return std::nullopt;
  return chosen.front()->get_name();
}

absl::Status CommandLine::UnknownCommand(const std::string& name) const {
  if (Find(name) != nullptr) {
    return absl::InvalidArgumentError(
        absl::StrFormat("write %s before --, which only keys and values may "
                        "stand behind",
                        name));
  }
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.command.name);
  const std::optional<std::string> closest = ClosestName(name, names);
  return absl::InvalidArgumentError(absl::StrFormat(
      "there is no command %s%s; `stave help` lists them", Quoted(name),
      closest.has_value() ? absl::StrFormat(", did you mean '%s'?", *closest)
                          : ""));
}

absl::Status CommandLine::UnexpectedArgument(
    const std::string& argument) const {
  const std::string typed = Unprotected(argument);
  // One that was typed after "--" is protected, and no flag.
  if (argument.starts_with('-')) {
    return WrongUsage(absl::StrFormat(
        "there is no flag %s; if it is a key, write -- before it",
        Quoted(typed)));
  }
  if (!Chosen().has_value()) return UnknownCommand(typed);
  return WrongUsage(
      absl::StrFormat("%s is one argument too many", Quoted(typed)));
}

absl::Status CommandLine::WrongUsage(const std::string& message) const {
  const std::optional<std::string> command = Chosen();
  return absl::InvalidArgumentError(
      absl::StrFormat("%s; see `stave help%s`", message,
                      command.has_value() ? " " + *command : ""));
}

}  // namespace stave::tool
