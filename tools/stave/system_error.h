#ifndef STAVE_TOOLS_STAVE_SYSTEM_ERROR_H_
#define STAVE_TOOLS_STAVE_SYSTEM_ERROR_H_

#include <string_view>

#include "absl/status/status.h"

namespace stave::tool {

// What a system call that set `error_number` failed to do, as in
// "cannot read /tmp/a.tsv: No such file or directory". Never one of the codes
// that exit codes other than 5 stand for.
absl::Status SystemError(std::string_view what, std::string_view path,
                         int error_number);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SYSTEM_ERROR_H_
