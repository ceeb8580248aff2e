#ifndef STAVE_TOOLS_STAVE_EXIT_CODE_H_
#define STAVE_TOOLS_STAVE_EXIT_CODE_H_

#include "absl/status/status.h"

namespace stave::tool {

// What the program tells the one that started it. Scripts rely on the numbers.
enum class ExitCode {
  kDone = 0,
  kNotFound = 1,
  kUsage = 2,
  kDamage = 3,
  kLocked = 4,
  kOther = 5,
};

// NotFound: no such key. InvalidArgument: wrong usage. DataLoss: damage.
// Unavailable: locked by another process. All the rest: any other error.
ExitCode ExitCodeFor(const absl::Status& status);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_EXIT_CODE_H_
