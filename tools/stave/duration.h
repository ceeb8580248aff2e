#ifndef STAVE_TOOLS_STAVE_DURATION_H_
#define STAVE_TOOLS_STAVE_DURATION_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace stave::tool {

// Reads a duration as people write it: 500ms, 4s, 10m, 1h, 2d, or several of
// these after each other, as 1h30m. InvalidArgument unless it is more than
// zero, in whole numbers, and at most 100,000 days.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_DURATION_H_
