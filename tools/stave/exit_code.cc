#include "tools/stave/exit_code.h"

namespace stave::tool {

ExitCode ExitCodeFor(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kDone;
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kInvalidArgument:
      return ExitCode::kUsage;
    case absl::StatusCode::kDataLoss:
      return ExitCode::kDamage;
    case absl::StatusCode::kUnavailable:
      return ExitCode::kLocked;
    default:
      return ExitCode::kOther;
  }
}

}  // namespace stave::tool
