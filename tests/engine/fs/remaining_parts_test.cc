#include "engine/fs/remaining_parts.h"

#include <array>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

constexpr std::string_view kParts[] = {"", "abc", "", "d", "efghi", ""};
constexpr std::string_view kWhole = "abcdefghi";

// What vectors for `reach` parts at a time describe.
std::string Next(const RemainingParts& parts, size_t reach) {
  std::array<iovec, 8> vectors;
  const size_t count =
      parts.Describe(absl::MakeSpan(vectors).subspan(0, reach));
  std::string next;
  for (size_t i = 0; i < count; ++i) {
    next.append(static_cast<char*>(vectors[i].iov_base), vectors[i].iov_len);
  }
  return next;
}

TEST(RemainingPartsTest, NothingRemainsOfNothing) {
  EXPECT_TRUE(RemainingParts({}).empty());
  constexpr std::string_view kEmptyParts[] = {"", ""};
  EXPECT_TRUE(RemainingParts(kEmptyParts).empty());
}

TEST(RemainingPartsTest, AfterAnyAdvanceTheRestRemains) {
  for (size_t done = 0; done <= kWhole.size(); ++done) {
    RemainingParts parts(kParts);
    parts.Advance(done);
    EXPECT_EQ(Next(parts, 8), kWhole.substr(done));
    EXPECT_EQ(parts.empty(), done == kWhole.size());
  }
}

TEST(RemainingPartsTest, ShortWritesOfEverySizeAddUp) {
  for (size_t step = 1; step <= kWhole.size(); ++step) {
    std::string written;
    RemainingParts parts(kParts);
    while (!parts.empty()) {
      const std::string some = Next(parts, 2).substr(0, step);
      ASSERT_FALSE(some.empty());
      written += some;
      parts.Advance(some.size());
    }
    EXPECT_EQ(written, kWhole) << step;
  }
}

}  // namespace
}  // namespace stave
