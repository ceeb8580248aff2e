#ifndef STAVE_TOOLS_STAVE_SHELL_PARSER_H_
#define STAVE_TOOLS_STAVE_SHELL_PARSER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace stave::tool {

// A line of the shell is words with spaces between them. A word in double
// quotes may have spaces and the escapes \n \t \r \\ \" \xHH; in one in single
// quotes all bytes but \' stand for themselves. Without quotes, all do.
// InvalidArgument: a quote that is not closed or not followed by a space, or a
// bad escape.
absl::StatusOr<std::vector<std::string>> SplitWords(std::string_view line);

// Takes the first word of `*line`, and the spaces around it. It is empty where
// there is none.
absl::StatusOr<std::string> TakeWord(std::string_view* line);

struct SetArguments {
  std::string key;
  std::string value;
  absl::Duration ttl = absl::InfiniteDuration();
};

// What stands behind SET: a key, and a value that is either a word in quotes,
// behind which may stand EX SECONDS or PX MILLISECONDS, or all the rest of the
// line as it is. InvalidArgument also for a rest that ends as if it set an
// expiry, since whoever wrote that meant something else.
absl::StatusOr<SetArguments> ParseSet(std::string_view line);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SHELL_PARSER_H_
