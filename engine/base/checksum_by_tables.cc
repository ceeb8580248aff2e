#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/checksum_internal.h"
#include "engine/base/checksum_polynomial.h"
#include "engine/base/coding.h"

namespace stave::internal {
namespace {

// kTables[n][b]: what byte b does to the checksum when n bytes follow it.
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables MakeTables() {
  Tables tables = {};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = MultiplyByPowerOfX(byte, 8);
    for (auto& table : tables) {
      table[byte] = crc;
      crc = MultiplyByPowerOfX(crc, 8);
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

uint32_t ExtendByWord(uint32_t state, uint64_t word) {
  word ^= state;
  uint32_t result = 0;
  for (size_t i = 0; i < sizeof(word); ++i) {
    result ^= kTables[7 - i][(word >> (8 * i)) & 0xff];
  }
  return result;
}

uint32_t ExtendByByte(uint32_t state, char byte) {
  return (state >> 8) ^ kTables[0][(state ^ static_cast<uint8_t>(byte)) & 0xff];
}

}  // namespace

uint32_t ExtendCrc32cByTables(uint32_t crc, std::string_view bytes) {
  uint32_t state = ~crc;
  uint64_t word;
  while (ConsumeFixed(&bytes, &word)) state = ExtendByWord(state, word);
  for (const char byte : bytes) state = ExtendByByte(state, byte);
  return ~state;
}

}  // namespace stave::internal
