#include "tools/stave/byte_size.h"

#include <charconv>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "tools/stave/escape.h"

namespace stave::tool {
namespace {

struct Unit {
  std::string_view name;
  int shift;
};
constexpr Unit kUnits[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};

}  // namespace

absl::StatusOr<uint64_t> ParseByteSize(std::string_view text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc()) {
    const std::string_view name(stop, static_cast<size_t>(end - stop));
    for (const Unit& unit : kUnits) {
      if (unit.name != name || number >= uint64_t{1} << (63 - unit.shift)) {
        continue;
      }
      return number << unit.shift;
    }
  }
  return absl::InvalidArgumentError(absl::StrFormat(
      "%s is not a size; write it as 4096, 16KiB or 1MiB", Quoted(text)));
}

}  // namespace stave::tool
