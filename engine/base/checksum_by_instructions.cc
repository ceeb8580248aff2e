#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/checksum_instructions.h"
#include "engine/base/checksum_internal.h"
#include "engine/base/checksum_polynomial.h"
#include "engine/base/coding.h"

namespace stave::internal {

#ifdef STAVE_CRC32C_TARGET

namespace {

// An instruction takes a word a cycle, but gives its result three cycles
// later. So a block of words is cut into three streams that are worked off
// side by side. The third is longer by kLeadWords, the time that it takes to
// bring the results of the other two in.
constexpr size_t kLeadWords = 4;
constexpr size_t kStreamWordsMax = 128;
constexpr size_t kBlockWordsMin = 10;
constexpr size_t kBlockWordsMax = 3 * kStreamWordsMax + kLeadWords;

constexpr size_t StreamWords(size_t block_words) {
  return (block_words - kLeadWords) / 3;
}

// kShifts[n] moves a state over n words: Multiply(state, kShifts[n]), XORed
// into the last of n words, does to the checksum what the state would have
// done before the first one. That product is one power of x too high, and the
// instruction multiplies it by x^32: kShifts[n] is x^(64 * n - 33).
using Shifts = std::array<uint32_t, kBlockWordsMax - kStreamWordsMax + 1>;

constexpr Shifts MakeShifts() {
  constexpr uint32_t kXToThe31 = 1;
  Shifts shifts = {};
  shifts[1] = kXToThe31;
  for (size_t n = 2; n < shifts.size(); ++n) {
    shifts[n] = MultiplyByPowerOfX(shifts[n - 1], 64);
  }
  return shifts;
}

constexpr Shifts kShifts = MakeShifts();

inline uint64_t WordAt(const char* bytes, size_t index) {
  return DecodeFixed<uint64_t>(bytes + index * sizeof(uint64_t));
}

// Requires kBlockWordsMin <= words <= kBlockWordsMax.
STAVE_CRC32C_TARGET inline uint64_t ExtendByBlock(uint64_t state,
                                                  const char* bytes,
                                                  size_t words) {
  const size_t stream = StreamWords(words);
  uint64_t first = state;
  uint64_t second = 0;
  uint64_t third = 0;
  for (size_t i = 0; i < stream; ++i) {
    first = ExtendState(first, WordAt(bytes, i));
    second = ExtendState(second, WordAt(bytes, stream + i));
    third = ExtendState(third, WordAt(bytes, 2 * stream + i));
  }
  const uint64_t shifted = Multiply(first, kShifts[words - stream]) ^
                           Multiply(second, kShifts[words - 2 * stream]);
  for (size_t i = 3 * stream; i < words - 1; ++i) {
    third = ExtendState(third, WordAt(bytes, i));
  }
  return ExtendState(third, WordAt(bytes, words - 1) ^ shifted);
}

// The last `count` bytes of `word`, 1 to 7, in one step: a state of zero stays
// zero under bytes of zero, so that these may stand before the others; what
// the shift pushes out of the state are the bits that no byte has met yet.
STAVE_CRC32C_TARGET inline uint64_t ExtendByBytes(uint64_t state, uint64_t word,
                                                  size_t count) {
  const size_t bits = 8 * count;
  const uint64_t bytes = word >> (64 - bits);
  return ExtendState(0, (state ^ bytes) << (64 - bits)) ^ (state >> bits);
}

// A word that ends with all of `bytes`, fewer than eight.
inline uint64_t LoadShort(std::string_view bytes) {
  uint64_t word = 0;
  for (const char byte : bytes) {
    word = (word >> 8) | (uint64_t{static_cast<uint8_t>(byte)} << 56);
  }
  return word;
}

}  // namespace

STAVE_CRC32C_TARGET
uint32_t ExtendCrc32cByInstructions(uint32_t crc, std::string_view bytes) {
  uint64_t state = ~crc;
  const char* at = bytes.data();
  size_t words = bytes.size() / sizeof(uint64_t);
  while (words >= kBlockWordsMin) {
    const size_t block = std::min(words, kBlockWordsMax);
    state = ExtendByBlock(state, at, block);
    at += block * sizeof(uint64_t);
    words -= block;
  }
  for (; words > 0; --words, at += sizeof(uint64_t)) {
    state = ExtendState(state, WordAt(at, 0));
  }
  if (const size_t rest = bytes.size() % sizeof(uint64_t); rest > 0) {
    const uint64_t last = bytes.size() < sizeof(uint64_t)
                              ? LoadShort(bytes)
                              : WordAt(at + rest - sizeof(uint64_t), 0);
    state = ExtendByBytes(state, last, rest);
  }
  return ~static_cast<uint32_t>(state);
}

bool HasCrc32cInstructions() { return ProcessorHasInstructions(); }

#else

uint32_t ExtendCrc32cByInstructions(uint32_t crc, std::string_view bytes) {
  return ExtendCrc32cByTables(crc, bytes);
}

bool HasCrc32cInstructions() { return false; }

#endif

}  // namespace stave::internal
