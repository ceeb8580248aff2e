#include "tools/stave/shell_interpreter.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "tools/stave/advice.h"
#include "tools/stave/escape.h"
#include "tools/stave/record.h"
#include "tools/stave/selection.h"
#include "tools/stave/shell_arguments.h"
#include "tools/stave/shell_parser.h"
#include "tools/stave/snapshot_files.h"
#include "tools/stave/snapshot_format.h"
#include "tools/stave/spelling.h"
#include "tools/stave/statistics_text.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/user_paths.h"

namespace stave::tool {
namespace {

// Sorted, since a person reads it.
absl::StatusOr<Selection> SelectionOf(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> words = Words(arguments, 0, 1);
  if (!words.ok()) return words.status();
  Selection selection;
  selection.sort = true;
  if (!words->empty()) selection.glob.emplace(words->front());
  return selection;
}

}  // namespace

struct ShellInterpreter::Command {
  const char* name;
  const char* other_name;  // for those who are used to it
  const char* arguments;
  const char* summary;
  absl::Status (ShellInterpreter::*run)(std::string_view arguments);
  bool after_multi = false;  // may be run there
};

constexpr bool kAfterMulti = true;

const ShellInterpreter::Command ShellInterpreter::kCommands[] = {
    {"SET", "PUT", "key value", "Add a key or replace its value",
     &ShellInterpreter::Set, kAfterMulti},
    {"GET", "", "key", "Print the value; (nil): there is no such key",
     &ShellInterpreter::Get},
    {"DELETE", "DEL", "key...", "Delete; OK, or (nil): there was no such key",
     &ShellInterpreter::Delete, kAfterMulti},
    {"MSET", "", "key value...", "Set all of them at one instant",
     &ShellInterpreter::MultiSet, kAfterMulti},
    {"MGET", "", "key...", "Print the values, as of one instant",
     &ShellInterpreter::MultiGet},
    {"INCR", "INCRBY", "key [number]", "Add to a number; print the sum",
     &ShellInterpreter::Increment},
    {"DECR", "DECRBY", "key [number]", "Subtract from a number",
     &ShellInterpreter::Decrement},
    {"EXPIRE", "", "key seconds", "Delete the key by then; or 10m, 2h, 500ms",
     &ShellInterpreter::Expire},
    {"TTL", "", "key", "Print the seconds it has left; -1: no expiry",
     &ShellInterpreter::Ttl},
    {"PERSIST", "", "key", "Take its expiry away", &ShellInterpreter::Persist},
    {"EXISTS", "", "key...", "Print 1 or 0", &ShellInterpreter::Exists},
    {"KEYS", "", "[pattern]", "Print the keys, or those like user:*",
     &ShellInterpreter::Keys},
    {"SCAN", "", "[pattern]", "Print keys with their values",
     &ShellInterpreter::Scan},
    {"COUNT", "", "[pattern]", "Print how many keys there are",
     &ShellInterpreter::Count},
    {"STAT", "", "", "Print how large the store is", &ShellInterpreter::Stat},
    {"SNAPSHOT", "", "[file]", "Save all pairs to a file",
     &ShellInterpreter::Snapshot},
    {"MULTI", "", "", "Let what follows wait: SET, MSET, DELETE",
     &ShellInterpreter::Multi},
    {"EXEC", "", "", "Write what waits, at one instant, or nothing of it",
     &ShellInterpreter::Exec, kAfterMulti},
    {"DISCARD", "", "", "Forget what waits", &ShellInterpreter::Discard,
     kAfterMulti},
    {"HELP", "", "", "Print this list", &ShellInterpreter::Help, kAfterMulti},
    {"EXIT", "QUIT", "", "Leave; Ctrl-D does it too", &ShellInterpreter::Exit,
     kAfterMulti},
};

absl::Status ShellInterpreter::Run(std::string_view line) {
  absl::Status status = RunCommand(line);
  if (!status.ok()) queue_is_spoilt_ = true;
  return status;
}

absl::Status ShellInterpreter::RunCommand(std::string_view line) {
  absl::StatusOr<std::string> name = TakeWord(&line);
  if (!name.ok()) return name.status();
  if (name->empty() && line.empty()) return absl::OkStatus();
  const Command* command = Find(absl::AsciiStrToUpper(*name));
  if (command != nullptr) {
    if (!queue_.has_value() || command->after_multi) {
      return (this->*command->run)(line);
    }
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s can't stand between MULTI and EXEC, only SET, MSET and DELETE can",
        command->name));
  }
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

absl::Status ShellInterpreter::Get(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> words = KeyAndWords(arguments, 0, 0);
  if (!words.ok()) return words.status();
  absl::StatusOr<PinnedValue> value = store_->GetPinned(words->front());
  if (absl::IsNotFound(value.status())) return out_->Write("(nil)\n");
  if (!value.ok()) return value.status();
  return Answer(value->view());
}

absl::Status ShellInterpreter::MultiGet(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> keys = KeysOf(arguments);
  if (!keys.ok()) return keys.status();
  const std::vector<std::string_view> views(keys->begin(), keys->end());
  std::vector<std::string> lines(keys->size());
  absl::Status failed;
  store_->MultiGet(views,
                   [&](size_t i, absl::StatusOr<std::string_view> value) {
                     if (value.ok()) {
                       AppendEscaped(*value, &lines[i]);
                     } else if (absl::IsNotFound(value.status())) {
                       lines[i] = "(nil)";
                     } else {
                       failed.Update(value.status());
                     }
                   });
  RETURN_IF_ERROR(failed);
  for (const std::string& line : lines) {
    RETURN_IF_ERROR(out_->Write(line + "\n"));
  }
  return absl::OkStatus();
}

absl::Status ShellInterpreter::Ttl(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> words = KeyAndWords(arguments, 0, 0);
  if (!words.ok()) return words.status();
  absl::StatusOr<absl::Duration> ttl = store_->Ttl(words->front());
  if (absl::IsNotFound(ttl.status())) return out_->Write("(nil)\n");
  if (!ttl.ok()) return ttl.status();
  if (*ttl == absl::InfiniteDuration()) return out_->Write("-1\n");
  // Never 0 for a key that is there.
  const int64_t seconds =
      absl::ToInt64Seconds(absl::Ceil(*ttl, absl::Seconds(1)));
  return out_->Write(absl::StrCat(seconds, "\n"));
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
  const Statistics statistics = store_->GetStatistics();
  return out_->Write(StatisticsText(
      statistics, store_->SampleValues(),
      AdviceFor(LookAround(files_.store_directory), statistics)));
}

absl::Status ShellInterpreter::Snapshot(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> words = Words(arguments, 0, 1);
  if (!words.ok()) return words.status();
  const std::string& file = words->empty() ? files_.snapshot : words->front();
  if (file.empty()) return absl::InvalidArgumentError("the file has no name");
  const absl::StatusOr<SnapshotFormat> format =
      ChooseSnapshotFormat(std::nullopt, file);
  if (!format.ok()) return format.status();
  RETURN_IF_ERROR(SaveSnapshot(*store_, files_.store_directory, *format,
                               UserPath(file), show_progress_));
  return out_->Write(absl::StrCat("Saved snapshot to ", file, "\n"));
}

absl::Status ShellInterpreter::Help(std::string_view) {
  for (const Command& command : kCommands) {
    RETURN_IF_ERROR(out_->Write(absl::StrFormat(
        "%-8s %-12s %s\n", command.name, command.arguments, command.summary)));
  }
  return out_->Write(
      "A value is the rest of the line. With spaces at its ends, or with\n"
      "\\n \\t \\r \\\\ \\\" \\xHH in it: \"in double quotes\", then perhaps\n"
      "EX SECONDS or PX MILLISECONDS. Keys may be in quotes too; so are the\n"
      "values of MSET where they have spaces.\n"
      "After MULTI, EXEC writes nothing if a line failed in between.\n");
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
