#include "tools/stave/system_error.h"

#include <cerrno>
#include <string>
#include <system_error>

#include "absl/strings/str_format.h"

namespace stave::tool {

absl::Status SystemError(std::string_view what, std::string_view path,
                         int error_number) {
  const std::string message =
      absl::StrFormat("cannot %s %s: %s", what, path,
                      std::generic_category().message(error_number));
  if (error_number == ENOSPC || error_number == EDQUOT) {
    return absl::ResourceExhaustedError(message);
  }
  return absl::InternalError(message);
}

}  // namespace stave::tool
