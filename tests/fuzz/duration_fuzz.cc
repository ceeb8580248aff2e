#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/fuzz/fuzz_target.h"
#include "tools/stave/duration.h"

// A duration.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  using namespace stave::tool;
  const absl::StatusOr<absl::Duration> duration =
      ParseDuration(FuzzInput(data, size));
  if (!duration.ok()) {
    FUZZ_CHECK(!duration.status().message().empty());
    return 0;
  }
  FUZZ_CHECK(*duration > absl::ZeroDuration());
  FUZZ_CHECK(*duration <= absl::Hours(24 * 100'000));
  const int64_t milliseconds = absl::ToInt64Milliseconds(*duration);
  FUZZ_CHECK(ParseDuration(absl::StrCat(milliseconds, "ms")) == duration);
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  return {"500ms",       "4s",      "10m", "1h30m",
          "2d",          "100000d", "0s",  "18446744073709551616s",
          "1d1h1m1s1ms", "-5s",     "1.5h"};
}
