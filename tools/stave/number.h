#ifndef STAVE_TOOLS_STAVE_NUMBER_H_
#define STAVE_TOOLS_STAVE_NUMBER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace stave::tool {

// The number that the flag `name` was given, or `otherwise` if it was not.
// InvalidArgument unless it is a whole number of 1 or more.
absl::StatusOr<uint64_t> PositiveNumber(std::string_view name,
                                        const std::optional<std::string>& text,
                                        uint64_t otherwise);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_NUMBER_H_
