#include "tools/stave/number.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "tools/stave/escape.h"

namespace stave::tool {

absl::StatusOr<uint64_t> PositiveNumber(std::string_view name,
                                        const std::optional<std::string>& text,
                                        uint64_t otherwise) {
  if (!text.has_value()) return otherwise;
  uint64_t number = 0;
  if (absl::SimpleAtoi(*text, &number) && number > 0) return number;
  return absl::InvalidArgumentError(absl::StrFormat(
      "%s needs a whole number of 1 or more, and not %s", name, Quoted(*text)));
}

}  // namespace stave::tool
