#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tools/stave/human_units.h"
#include "tools/stave/spelling.h"

namespace stave::tool {
namespace {

const std::vector<std::string>& Names() {
  static const auto* const kNames = new std::vector<std::string>{
      "put", "get", "delete", "exists", "keys", "scan", "count"};
  return *kNames;
}

TEST(SpellingTest, ANameWithATypingErrorIsFound) {
  EXPECT_EQ(ClosestName("gte", Names()), "get");
  EXPECT_EQ(ClosestName("delte", Names()), "delete");
  EXPECT_EQ(ClosestName("key", Names()), "keys");
  EXPECT_EQ(ClosestName("exsits", Names()), "exists");
}

TEST(SpellingTest, AnotherWordIsNot) {
  EXPECT_EQ(ClosestName("frobnicate", Names()), std::nullopt);
  EXPECT_EQ(ClosestName("", Names()), std::nullopt);
  EXPECT_EQ(ClosestName(std::string(1 << 20, 'x'), Names()), std::nullopt);
}

TEST(HumanUnitsTest, ThousandsAreSet) {
  EXPECT_EQ(HumanCount(0), "0");
  EXPECT_EQ(HumanCount(999), "999");
  EXPECT_EQ(HumanCount(1000), "1,000");
  EXPECT_EQ(HumanCount(1234567), "1,234,567");
}

TEST(HumanUnitsTest, BytesHaveAUnitThatKeepsThemShort) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1024), "1.0 KiB");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(1048575), "1.0 MiB");
  EXPECT_EQ(HumanBytes(5e15), "4547.5 TiB");
}

TEST(HumanUnitsTest, DurationsHaveUnits) {
  EXPECT_EQ(HumanNanoseconds(0), "0 ns");
  EXPECT_EQ(HumanNanoseconds(999), "999 ns");
  EXPECT_EQ(HumanNanoseconds(1500), "1.5 us");
  EXPECT_EQ(HumanNanoseconds(999'960), "1.0 ms");
  EXPECT_EQ(HumanNanoseconds(90'000'000'000), "90.0 s");
}

}  // namespace
}  // namespace stave::tool
