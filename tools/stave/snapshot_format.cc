#include "tools/stave/snapshot_format.h"

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "tools/stave/escape.h"

namespace stave::tool {

absl::StatusOr<SnapshotFormat> ChooseSnapshotFormat(
    const std::optional<std::string>& name, std::string_view file) {
  if (!name.has_value()) {
    return file.ends_with(".bin") ? SnapshotFormat::kBinary
                                  : SnapshotFormat::kJson;
  }
  if (*name == "json") return SnapshotFormat::kJson;
  if (*name == "binary") return SnapshotFormat::kBinary;
  if (*name == "binary-v1") return SnapshotFormat::kBinaryV1;
  return absl::InvalidArgumentError(absl::StrFormat(
      "--format is json, binary or binary-v1, not %s", Quoted(*name)));
}

}  // namespace stave::tool
