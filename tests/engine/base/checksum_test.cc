#include "engine/base/checksum.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/checksum_internal.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

// The definition, a bit at a time.
uint32_t ExtendByDefinition(uint32_t crc, std::string_view bytes) {
  uint32_t state = ~crc;
  for (const char byte : bytes) {
    state ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      state = (state >> 1) ^ ((state & 1) != 0 ? 0x82f63b78 : 0);
    }
  }
  return ~state;
}

struct Implementation {
  std::string name;
  uint32_t (*extend)(uint32_t crc, std::string_view bytes);
};

// Those that this processor can run.
std::vector<Implementation> Implementations() {
  std::vector<Implementation> all = {
      {"Chosen", ExtendCrc32c}, {"Tables", internal::ExtendCrc32cByTables}};
  if (internal::HasCrc32cInstructions()) {
    all.push_back({"Instructions", internal::ExtendCrc32cByInstructions});
  }
  return all;
}

std::string RandomBytes(size_t size) {
  std::mt19937 random(20);  // Any bytes do, the same each time.
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

class ChecksumTest : public testing::TestWithParam<Implementation> {
 protected:
  uint32_t Extend(uint32_t crc, std::string_view bytes) {
    return GetParam().extend(crc, bytes);
  }
};

INSTANTIATE_TEST_SUITE_P(, ChecksumTest, testing::ValuesIn(Implementations()),
                         [](const auto& test) { return test.param.name; });

TEST_P(ChecksumTest, GivesThePublishedCheckValues) {
  EXPECT_EQ(Extend(0, ""), 0u);
  EXPECT_EQ(Extend(0, "123456789"), 0xe3069283);
}

// RFC 3720, appendix B.4.
TEST_P(ChecksumTest, GivesTheValuesOfTheRfc) {
  std::string ascending;
  for (char byte = 0; byte < 32; ++byte) ascending.push_back(byte);
  const std::string descending(ascending.rbegin(), ascending.rend());
  EXPECT_EQ(Extend(0, std::string(32, '\x00')), 0x8a9136aa);
  EXPECT_EQ(Extend(0, std::string(32, '\xff')), 0x62a8ab43);
  EXPECT_EQ(Extend(0, ascending), 0x46dd794e);
  EXPECT_EQ(Extend(0, descending), 0x113fdb5c);
  // An iSCSI read command.
  EXPECT_EQ(Extend(0, std::string_view(
                          "\x01\xc0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
                          "\x00\x00\x00\x00\x14\x00\x00\x00\x00\x00\x04\x00"
                          "\x00\x00\x00\x14\x00\x00\x00\x18\x28\x00\x00\x00"
                          "\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00",
                          48)),
            0xd9963a56);
}

TEST_P(ChecksumTest, AgreesWithTheDefinitionAtEveryLengthAndAlignment) {
  const std::string bytes = RandomBytes(700);
  for (size_t length = 0; length <= 600; ++length) {
    for (size_t begin = 0; begin <= 8; ++begin) {
      const auto part = std::string_view(bytes).substr(begin, length);
      ASSERT_EQ(Extend(0x12345678, part), ExtendByDefinition(0x12345678, part))
          << length << " bytes from " << begin;
    }
  }
}

TEST_P(ChecksumTest, AgreesWithTheDefinitionAroundTheEndsOfBlocks) {
  const std::string bytes = RandomBytes(10'000);
  for (size_t length = 3000; length < bytes.size(); length += 7) {
    const auto part = std::string_view(bytes).substr(0, length);
    ASSERT_EQ(Extend(0, part), ExtendByDefinition(0, part)) << length;
  }
}

TEST_P(ChecksumTest, ExtendingIsConcatenating) {
  const std::string bytes = RandomBytes(4000);
  const uint32_t whole = Extend(0, bytes);
  for (size_t cut = 0; cut <= bytes.size(); cut += cut < 100 ? 1 : 97) {
    const uint32_t front = Extend(0, std::string_view(bytes).substr(0, cut));
    ASSERT_EQ(Extend(front, std::string_view(bytes).substr(cut)), whole) << cut;
  }
}

TEST_P(ChecksumTest, EveryFlippedBitShows) {
  std::string bytes = RandomBytes(200);
  const uint32_t whole = Extend(0, bytes);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    ASSERT_NE(Extend(0, bytes), whole) << bit;
    bytes[bit / 8] ^= static_cast<char>(1 << (bit % 8));
  }
}

}  // namespace
}  // namespace stave
