#ifndef STAVE_ENGINE_CORE_OPTIONS_CHECK_H_
#define STAVE_ENGINE_CORE_OPTIONS_CHECK_H_

#include <string_view>

#include "absl/status/status.h"
#include "stave/options.h"

namespace stave {

// What Open, Backup and SaveSnapshot are given, before anything is looked at:
// InvalidArgument that names what makes no sense.
absl::Status CheckPath(std::string_view path);
absl::Status CheckSnapshotFormat(SnapshotFormat format);
absl::Status CheckOptions(const Options& options);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_OPTIONS_CHECK_H_
