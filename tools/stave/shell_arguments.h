#ifndef STAVE_TOOLS_STAVE_SHELL_ARGUMENTS_H_
#define STAVE_TOOLS_STAVE_SHELL_ARGUMENTS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace stave::tool {

// The words of `arguments`. InvalidArgument unless there are at least `least`
// and at most `most`.
absl::StatusOr<std::vector<std::string>> Words(std::string_view arguments,
                                               size_t least, size_t most);

// One key or more. InvalidArgument if one can't be a key.
absl::StatusOr<std::vector<std::string>> KeysOf(std::string_view arguments);

// A key, and `least` to `most` words behind it.
absl::StatusOr<std::vector<std::string>> KeyAndWords(std::string_view arguments,
                                                     size_t least, size_t most);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SHELL_ARGUMENTS_H_
