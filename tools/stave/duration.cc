#include "tools/stave/duration.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "tools/stave/escape.h"

namespace stave::tool {
namespace {

constexpr int64_t kSecond = 1000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kLongest = 100'000 * kDay;

struct Unit {
  std::string_view name;
  int64_t milliseconds;
};
// "ms" before "m", whose name it begins with.
constexpr Unit kUnits[] = {
    {"ms", 1}, {"s", kSecond}, {"m", kMinute}, {"h", kHour}, {"d", kDay}};

// Takes a number and its unit from the front of `*text`; nullopt if there is
// none, or if it is more than kLongest.
std::optional<int64_t> TakePart(std::string_view* text) {
  int64_t number = 0;
  size_t digits = 0;
  for (; digits < text->size(); ++digits) {
    const char digit = (*text)[digits];
    if (digit < '0' || digit > '9') break;
    number = number * 10 + (digit - '0');
    if (number > kLongest) return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  text->remove_prefix(digits);
  for (const Unit& unit : kUnits) {
    if (!text->starts_with(unit.name)) continue;
    text->remove_prefix(unit.name.size());
    if (number > kLongest / unit.milliseconds) return std::nullopt;
    return number * unit.milliseconds;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  std::string_view rest = text;
  int64_t milliseconds = 0;
  while (!rest.empty()) {
    const std::optional<int64_t> part = TakePart(&rest);
    milliseconds = part.has_value() ? milliseconds + *part : 0;
    if (milliseconds == 0 || milliseconds > kLongest) break;
  }
  if (milliseconds == 0 || milliseconds > kLongest) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s is not a duration; write it as 500ms, 4s, 10m, 1h, 2d or 1h30m, "
        "of more than 0 and at most 100000d",
        Quoted(text)));
  }
  return absl::Milliseconds(milliseconds);
}

}  // namespace stave::tool
