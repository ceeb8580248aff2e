#include "tools/stave/shell_interpreter.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/stave/escape.h"
#include "tools/stave/record.h"
#include "tools/stave/selection.h"
#include "tools/stave/shell_parser.h"
#include "tools/stave/spelling.h"
#include "tools/stave/statistics_text.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

// The words of `arguments`. InvalidArgument unless there are at least `least`
// and at most `most`.
absl::StatusOr<std::vector<std::string>> Words(std::string_view arguments,
                                               size_t least, size_t most) {
  absl::StatusOr<std::vector<std::string>> words = SplitWords(arguments);
  if (!words.ok()) return words;
  if (words->size() < least) {
    return absl::InvalidArgumentError("an argument is missing");
  }
  if (words->size() > most) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s is one argument too many; write spaces within quotes",
        Quoted((*words)[most])));
  }
  return words;
}

// Sorted, since a person reads it.
absl::StatusOr<Selection> SelectionOf(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> words = Words(arguments, 0, 1);
  if (!words.ok()) return words.status();
  Selection selection;
  selection.sort = true;
  if (!words->empty()) selection.glob.emplace(words->front());
  return selection;
}

absl::StatusOr<std::vector<std::string>> KeysOf(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> keys =
      Words(arguments, 1, std::string_view::npos);
  if (!keys.ok()) return keys;
  for (const std::string& key : *keys) RETURN_IF_ERROR(CheckKey(key));
  return keys;
}

}  // namespace

struct ShellInterpreter::Command {
  const char* name;
  const char* other_name;  // for those who are used to it
  const char* arguments;
  const char* summary;
  absl::Status (ShellInterpreter::*run)(std::string_view arguments);
};

const ShellInterpreter::Command ShellInterpreter::kCommands[] = {
    {"SET", "PUT", "key value", "Add a key or replace its value",
     &ShellInterpreter::Set},
    {"GET", "", "key", "Print the value; (nil): there is no such key",
     &ShellInterpreter::Get},
    {"DELETE", "DEL", "key...", "Delete; OK, or (nil): there was no such key",
     &ShellInterpreter::Delete},
    {"EXISTS", "", "key...", "Print 1 or 0", &ShellInterpreter::Exists},
    {"KEYS", "", "[pattern]", "Print the keys, or those like user:*",
     &ShellInterpreter::Keys},
    {"SCAN", "", "[pattern]", "Print keys with their values",
     &ShellInterpreter::Scan},
    {"COUNT", "", "[pattern]", "Print how many keys there are",
     &ShellInterpreter::Count},
    {"STAT", "", "", "Print how large the store is", &ShellInterpreter::Stat},
    {"HELP", "", "", "Print this list", &ShellInterpreter::Help},
    {"EXIT", "QUIT", "", "Leave; Ctrl-D does it too", &ShellInterpreter::Exit},
};

absl::Status ShellInterpreter::Run(std::string_view line) {
  absl::StatusOr<std::string> name = TakeWord(&line);
  if (!name.ok()) return name.status();
  if (name->empty() && line.empty()) return absl::OkStatus();
  const Command* command = Find(absl::AsciiStrToUpper(*name));
  if (command != nullptr) return (this->*command->run)(line);
  const std::optional<std::string> closest =
      ClosestName(absl::AsciiStrToUpper(*name), CommandNames());
  return absl::InvalidArgumentError(absl::StrFormat(
      "there is no command %s%s; HELP lists them", Quoted(*name),
      closest.has_value() ? absl::StrCat(", did you mean ", *closest, "?")
                          : ""));
}

std::vector<std::string> ShellInterpreter::CommandNames() {
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  return names;
}

const ShellInterpreter::Command* ShellInterpreter::Find(
    const std::string& name) {
  if (name.empty()) return nullptr;
  for (const Command& command : kCommands) {
    if (name == command.name || name == command.other_name) return &command;
  }
  return nullptr;
}

absl::Status ShellInterpreter::Set(std::string_view arguments) {
  absl::StatusOr<SetArguments> set = ParseSet(arguments);
  if (!set.ok()) return set.status();
  RETURN_IF_ERROR(CheckKey(set->key));
  WriteOptions options;
  options.ttl = set->ttl;
  RETURN_IF_ERROR(store_->Put(set->key, set->value, options));
  return out_->Write("OK\n");
}

absl::Status ShellInterpreter::Get(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> words = Words(arguments, 1, 1);
  if (!words.ok()) return words.status();
  RETURN_IF_ERROR(CheckKey(words->front()));
  absl::StatusOr<PinnedValue> value = store_->GetPinned(words->front());
  if (absl::IsNotFound(value.status())) return out_->Write("(nil)\n");
  if (!value.ok()) return value.status();
  return Answer(value->view());
}

absl::Status ShellInterpreter::Keys(std::string_view arguments) {
  absl::StatusOr<Selection> selection = SelectionOf(arguments);
  if (!selection.ok()) return selection.status();
  return VisitKeys(*store_, *selection,
                   [this](const Record& record) { return Answer(record.key); });
}

absl::Status ShellInterpreter::Scan(std::string_view arguments) {
  absl::StatusOr<Selection> selection = SelectionOf(arguments);
  if (!selection.ok()) return selection.status();
  std::string line;
  return VisitRecords(*store_, *selection, [&](const Record& record) {
    line.clear();
    AppendEscaped(record.key, &line);
    line.push_back('\t');
    AppendEscaped(record.value, &line);
    line.push_back('\n');
    return out_->Write(line);
  });
}

absl::Status ShellInterpreter::Count(std::string_view arguments) {
  absl::StatusOr<Selection> selection = SelectionOf(arguments);
  if (!selection.ok()) return selection.status();
  selection->sort = false;
  uint64_t count = 0;
  RETURN_IF_ERROR(VisitKeys(*store_, *selection, [&count](const Record&) {
    ++count;
    return absl::OkStatus();
  }));
  return out_->Write(absl::StrCat(count, "\n"));
}

absl::Status ShellInterpreter::Delete(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> keys = KeysOf(arguments);
  if (!keys.ok()) return keys.status();
  for (const std::string& key : *keys) {
    absl::StatusOr<bool> was_there = store_->Delete(key);
    if (!was_there.ok()) return was_there.status();
    RETURN_IF_ERROR(out_->Write(*was_there ? "OK\n" : "(nil)\n"));
  }
  return absl::OkStatus();
}

absl::Status ShellInterpreter::Exists(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> keys = KeysOf(arguments);
  if (!keys.ok()) return keys.status();
  for (const std::string& key : *keys) {
    absl::StatusOr<bool> exists = store_->Exists(key);
    if (!exists.ok()) return exists.status();
    RETURN_IF_ERROR(out_->Write(*exists ? "1\n" : "0\n"));
  }
  return absl::OkStatus();
}

absl::Status ShellInterpreter::Stat(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> words = Words(arguments, 0, 0);
  if (!words.ok()) return words.status();
  return out_->Write(StatisticsText(store_->GetStatistics()));
}

absl::Status ShellInterpreter::Help(std::string_view) {
  for (const Command& command : kCommands) {
    RETURN_IF_ERROR(out_->Write(absl::StrFormat(
        "%-6s %-10s %s\n", command.name, command.arguments, command.summary)));
  }
  return out_->Write(
      "A value is the rest of the line. With spaces at its ends, or with\n"
      "\\n \\t \\r \\\\ \\\" \\xHH in it: \"in double quotes\", then perhaps\n"
      "EX SECONDS or PX MILLISECONDS. Keys may be in quotes too.\n");
}

absl::Status ShellInterpreter::Exit(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> words = Words(arguments, 0, 0);
  if (!words.ok()) return words.status();
  ended_ = true;
  return absl::OkStatus();
}

absl::Status ShellInterpreter::Answer(std::string_view bytes) {
  std::string line;
  AppendEscaped(bytes, &line);
  line.push_back('\n');
  return out_->Write(line);
}

}  // namespace stave::tool
