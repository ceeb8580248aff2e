#ifndef STAVE_TOOLS_STAVE_SNAPSHOT_FORMAT_H_
#define STAVE_TOOLS_STAVE_SNAPSHOT_FORMAT_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "stave/options.h"

namespace stave::tool {

// The format that `name` ("json", "binary", "binary-v1") says; without one,
// binary if the file's name ends in ".bin", else JSON.
absl::StatusOr<SnapshotFormat> ChooseSnapshotFormat(
    const std::optional<std::string>& name, std::string_view file);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SNAPSHOT_FORMAT_H_
