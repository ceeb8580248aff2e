#include "tools/stave/record.h"

#include "absl/strings/str_format.h"
#include "stave/limits.h"

namespace stave::tool {

absl::Status CheckKey(std::string_view key) {
  if (key.empty()) {
    return absl::InvalidArgumentError(
        "the key is empty; a key has at least 1 byte");
  }
  if (key.size() > kMaxKeyBytes) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the key has %d bytes; a key has at most %d",
                        key.size(), kMaxKeyBytes));
  }
  return absl::OkStatus();
}

absl::Status CheckValue(std::string_view value) {
  if (value.size() <= kMaxValueBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("the value has %d bytes; a value has at most %d",
                      value.size(), kMaxValueBytes));
}

absl::StatusOr<absl::Time> ExpiryFromMilliseconds(int64_t milliseconds) {
  if (milliseconds <= 0) {
    return absl::InvalidArgumentError("expire_at_ms is not more than 0");
  }
  return absl::FromUnixMillis(milliseconds);
}

}  // namespace stave::tool
