#include "tools/stave/shell_arguments.h"

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "tools/stave/escape.h"
#include "tools/stave/record.h"
#include "tools/stave/shell_parser.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {

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

absl::StatusOr<std::vector<std::string>> KeysOf(std::string_view arguments) {
  absl::StatusOr<std::vector<std::string>> keys =
      Words(arguments, 1, std::string_view::npos);
  if (!keys.ok()) return keys;
  for (const std::string& key : *keys) RETURN_IF_ERROR(CheckKey(key));
  return keys;
}

absl::StatusOr<std::vector<std::string>> KeyAndWords(std::string_view arguments,
                                                     size_t least,
                                                     size_t most) {
  absl::StatusOr<std::vector<std::string>> words =
      Words(arguments, least + 1, most + 1);
  if (!words.ok()) return words;
  RETURN_IF_ERROR(CheckKey(words->front()));
  return words;
}

}  // namespace stave::tool
