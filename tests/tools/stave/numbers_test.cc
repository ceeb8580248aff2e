#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/tools/stave/random_bytes.h"
#include "tools/stave/byte_size.h"
#include "tools/stave/duration.h"
#include "tools/stave/number.h"

namespace stave::tool {
namespace {

TEST(DurationTest, EveryUnitIsRead) {
  EXPECT_EQ(ParseDuration("500ms").value(), absl::Milliseconds(500));
  EXPECT_EQ(ParseDuration("4s").value(), absl::Seconds(4));
  EXPECT_EQ(ParseDuration("10m").value(), absl::Minutes(10));
  EXPECT_EQ(ParseDuration("1h").value(), absl::Hours(1));
  EXPECT_EQ(ParseDuration("2d").value(), absl::Hours(48));
}

TEST(DurationTest, SeveralPartsAddUp) {
  EXPECT_EQ(ParseDuration("1h30m").value(), absl::Minutes(90));
  EXPECT_EQ(ParseDuration("1s500ms").value(), absl::Milliseconds(1500));
}

TEST(DurationTest, AllElseIsAnError) {
  for (const char* text : {"", "5", "m", "5x", "-5s", "+5s", "1.5h", "5 s",
                           "s5", "5S", "0s", "100001d", "99999999999999999999s",
                           "9223372036854775807ms", "60000d60000d", "1h 30m"}) {
    EXPECT_EQ(ParseDuration(text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(DurationTest, AnyTextIsReadOrRefused) {
  RandomBytes random(5);
  for (int i = 0; i < 100000; ++i) {
    const std::string text = random.Damaged("12d34h56m78s901ms");
    const absl::StatusOr<absl::Duration> duration = ParseDuration(text);
    if (!duration.ok()) continue;
    ASSERT_GT(*duration, absl::ZeroDuration()) << text;
    ASSERT_LE(*duration, absl::Hours(24 * 100'000)) << text;
  }
}

TEST(NumberTest, AFlagThatWasNotGivenHasItsDefault) {
  EXPECT_EQ(PositiveNumber("--limit", std::nullopt, 7).value(), 7u);
}

TEST(NumberTest, WholeNumbersFromOneOnAreRead) {
  EXPECT_EQ(PositiveNumber("--limit", "1", 7).value(), 1u);
  EXPECT_EQ(PositiveNumber("--limit", "18446744073709551615", 7).value(),
            UINT64_MAX);
}

TEST(NumberTest, AllElseIsAnError) {
  for (const char* text :
       {"", "0", "-1", "1.5", "ten", "1k", "18446744073709551616"}) {
    EXPECT_EQ(PositiveNumber("--limit", text, 7).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(ByteSizeTest, IsANumberWithAUnitOrWithout) {
  EXPECT_EQ(*ParseByteSize("0"), 0u);
  EXPECT_EQ(*ParseByteSize("4096"), 4096u);
  EXPECT_EQ(*ParseByteSize("16KiB"), 16384u);
  EXPECT_EQ(*ParseByteSize("1MiB"), 1048576u);
  EXPECT_EQ(*ParseByteSize("2GiB"), uint64_t{2} << 30);
  EXPECT_EQ(*ParseByteSize("9223372036854775807"), (uint64_t{1} << 63) - 1);
}

TEST(ByteSizeTest, AnythingElseIsRefused) {
  for (const char* text : {"", "KiB", "-1", "+1", " 1", "1 ", "1 KiB", "1kib",
                           "1K", "1.5MiB", "0x10", "9223372036854775808",
                           "9007199254740992KiB", "18446744073709551616"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseByteSize(text).status())) << text;
  }
}

}  // namespace
}  // namespace stave::tool
