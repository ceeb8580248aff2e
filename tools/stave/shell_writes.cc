// The shell's commands that write.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "stave/store.h"
#include "tools/stave/duration.h"
#include "tools/stave/escape.h"
#include "tools/stave/record.h"
#include "tools/stave/shell_arguments.h"
#include "tools/stave/shell_interpreter.h"
#include "tools/stave/shell_parser.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

absl::StatusOr<int64_t> ParseNumber(const std::string& word) {
  int64_t number = 0;
  if (absl::SimpleAtoi(word, &number)) return number;
  return absl::InvalidArgumentError(
      absl::StrFormat("%s is no whole number of 64 bits", Quoted(word)));
}

// Seconds, or a duration with its units.
absl::StatusOr<absl::Duration> ParseTtl(const std::string& word) {
  const bool is_number =
      word.find_first_not_of("0123456789") == std::string::npos;
  return ParseDuration(is_number ? absl::StrCat(word, "s") : word);
}

}  // namespace

absl::Status ShellInterpreter::Set(std::string_view arguments) {
  absl::StatusOr<SetArguments> set = ParseSet(arguments);
  if (!set.ok()) return set.status();
  RETURN_IF_ERROR(CheckKey(set->key));
  if (queue_.has_value()) {
    queue_->Put(set->key, set->value, set->ttl);
    return out_->Write("QUEUED\n");
  }
  WriteOptions options;
  options.ttl = set->ttl;
  RETURN_IF_ERROR(store_->Put(set->key, set->value, options));
  return out_->Write("OK\n");
}

absl::Status ShellInterpreter::MultiSet(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> words =
      Words(arguments, 2, std::string_view::npos);
  if (!words.ok()) return words.status();
  if (words->size() % 2 != 0) {
    return absl::InvalidArgumentError("the last key has no value");
  }
  for (size_t i = 0; i < words->size(); i += 2) {
    RETURN_IF_ERROR(CheckKey((*words)[i]));
  }
  WriteBatch alone;
  WriteBatch& batch = queue_.has_value() ? *queue_ : alone;
  for (size_t i = 0; i < words->size(); i += 2) {
    batch.Put((*words)[i], (*words)[i + 1]);
  }
  if (queue_.has_value()) return out_->Write("QUEUED\n");
  RETURN_IF_ERROR(store_->Write(alone));
  return out_->Write("OK\n");
}

absl::Status ShellInterpreter::Delete(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> keys = KeysOf(arguments);
  if (!keys.ok()) return keys.status();
  if (queue_.has_value()) {
    for (const std::string& key : *keys) queue_->Delete(key);
    return out_->Write("QUEUED\n");
  }
  for (const std::string& key : *keys) {
    absl::StatusOr<bool> was_there = store_->Delete(key);
    if (!was_there.ok()) return was_there.status();
    RETURN_IF_ERROR(out_->Write(*was_there ? "OK\n" : "(nil)\n"));
  }
  return absl::OkStatus();
}

absl::Status ShellInterpreter::Expire(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> words = KeyAndWords(arguments, 1, 1);
  if (!words.ok()) return words.status();
  absl::StatusOr<absl::Duration> ttl = ParseTtl(words->back());
  if (!ttl.ok()) return ttl.status();
  return SayWhether(store_->Expire(words->front(), *ttl));
}

absl::Status ShellInterpreter::Persist(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> words = KeyAndWords(arguments, 0, 0);
  if (!words.ok()) return words.status();
  return SayWhether(store_->Persist(words->front()));
}

absl::Status ShellInterpreter::Increment(std::string_view arguments) {
  return Add(arguments, /*is_negative=*/false);
}

absl::Status ShellInterpreter::Decrement(std::string_view arguments) {
  return Add(arguments, /*is_negative=*/true);
}

absl::Status ShellInterpreter::Add(std::string_view arguments,
                                   bool is_negative) {
  absl::StatusOr<std::vector<std::string>> words = KeyAndWords(arguments, 0, 1);
  if (!words.ok()) return words.status();
  absl::StatusOr<int64_t> number = 1;
  if (words->size() > 1) number = ParseNumber(words->back());
  if (!number.ok()) return number.status();
  if (is_negative) {
    if (*number == std::numeric_limits<int64_t>::min()) {
      return absl::OutOfRangeError("the number is too small to be subtracted");
    }
    number = -*number;
  }
  absl::StatusOr<int64_t> sum = store_->Increment(words->front(), *number);
  if (!sum.ok()) return sum.status();
  return out_->Write(absl::StrCat(*sum, "\n"));
}

absl::Status ShellInterpreter::Multi(std::string_view arguments) {
  RETURN_IF_ERROR(Words(arguments, 0, 0).status());
  queue_.emplace();
  queue_is_spoilt_ = false;
  return out_->Write("OK\n");
}

absl::Status ShellInterpreter::Exec(std::string_view arguments) {
  RETURN_IF_ERROR(Words(arguments, 0, 0).status());
  if (!queue_.has_value()) {
    return absl::InvalidArgumentError("there is no MULTI before this EXEC");
  }
  const WriteBatch batch = *std::exchange(queue_, std::nullopt);
  if (queue_is_spoilt_) {
    return absl::InvalidArgumentError(
        "nothing is written, since a line after MULTI failed");
  }
  RETURN_IF_ERROR(store_->Write(batch));
  return out_->Write("OK\n");
}

absl::Status ShellInterpreter::Discard(std::string_view arguments) {
  RETURN_IF_ERROR(Words(arguments, 0, 0).status());
  if (!queue_.has_value()) {
    return absl::InvalidArgumentError("there is no MULTI before this DISCARD");
  }
  queue_ = std::nullopt;
  return out_->Write("OK\n");
}

absl::Status ShellInterpreter::Finish() {
  if (!queue_.has_value()) return absl::OkStatus();
  queue_ = std::nullopt;
  return absl::InvalidArgumentError(
      "nothing of what stands after the last MULTI is written, since there "
      "was no EXEC");
}

absl::Status ShellInterpreter::SayWhether(const absl::Status& status) {
  if (absl::IsNotFound(status)) return out_->Write("(nil)\n");
  RETURN_IF_ERROR(status);
  return out_->Write("OK\n");
}

}  // namespace stave::tool
