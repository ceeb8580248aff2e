#include "engine/base/coding.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace stave {
namespace {

TEST(CodingTest, TheLeastByteComesFirst) {
  std::string bytes;
  AppendFixed<uint32_t>(0x01020304, &bytes);
  AppendFixed<uint8_t>(0xff, &bytes);
  AppendFixed<uint16_t>(0x0506, &bytes);
  EXPECT_EQ(bytes, "\x04\x03\x02\x01\xff\x06\x05");
}

TEST(CodingTest, IntegersOfAllSizesComeBackFromAnyAddress) {
  char bytes[32];
  for (int at = 0; at < 8; ++at) {
    EncodeFixed<uint64_t>(0x0102030405060708, bytes + at);
    EXPECT_EQ(DecodeFixed<uint64_t>(bytes + at), 0x0102030405060708);
    EncodeFixed<int32_t>(-2, bytes + at);
    EXPECT_EQ(DecodeFixed<int32_t>(bytes + at), -2);
  }
}

TEST(CodingTest, ConsumeTakesIntegersFromTheFront) {
  std::string_view bytes("\x01\x00\x02rest", 7);
  uint16_t first = 0;
  uint8_t second = 0;
  ASSERT_TRUE(ConsumeFixed(&bytes, &first));
  ASSERT_TRUE(ConsumeFixed(&bytes, &second));
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
  EXPECT_EQ(bytes, "rest");
}

TEST(CodingTest, ConsumeTakesNothingFromTooFewBytes) {
  std::string_view bytes = "1234567";
  uint64_t value = 42;
  EXPECT_FALSE(ConsumeFixed(&bytes, &value));
  EXPECT_EQ(value, 42u);
  EXPECT_EQ(bytes, "1234567");
}

TEST(CodingTest, ZerosAtTheEndAreFoundWhereverTheyBegin) {
  for (const size_t zeros : {0, 1, 4095, 4096, 4097, 100'000}) {
    for (const size_t others : {0, 1, 7, 4096, 5000}) {
      const std::string bytes =
          std::string(others, 'x') + std::string(zeros, '\0');
      EXPECT_EQ(AllZero(bytes), others == 0) << others << " and " << zeros;
      EXPECT_EQ(SizeWithoutZerosAtEnd(bytes), others) << zeros;
    }
  }
  EXPECT_FALSE(AllZero(std::string("\0\0x\0", 4)));
  EXPECT_EQ(SizeWithoutZerosAtEnd(std::string("\0\0x\0", 4)), 3u);
}

}  // namespace
}  // namespace stave
