#ifndef STAVE_ENGINE_INDEX_HASH_STRETCH_H_
#define STAVE_ENGINE_INDEX_HASH_STRETCH_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace stave {

// Stretches evenly spread hashes so that pages which take equal parts of the
// result grow one after another instead of all at once: it is log2(1 + h) on
// [0, 1), where the fullest page holds twice the keys of the emptiest. By the
// time that the keys have doubled, each size of page has been everybody's in
// turn, and memory freed by one page fits the next.
//
// The function is a table of 256 values with straight lines in between. It is
// strictly increasing in the upper 40 bits of the hash, so that hashes which
// differ there can be told apart by splitting often enough.
//
// The table is frozen: what is ordered by it must be readable for ever.

namespace internal {

inline constexpr int kStretchTableBits = 8;
inline constexpr int kStretchTableSize = 1 << kStretchTableBits;

// The fraction of log2(1 + i / 256) in units of 2^-32, rounded down.
constexpr uint32_t StretchTableValue(uint32_t i) {
  // Squaring x in [1, 2) doubles its logarithm; whether the square is past 2
  // is the next bit of it. Fixed point with 32 bits after the point does not
  // always get the last bits right, but always gets the same.
  uint64_t x = (uint64_t{1} << 32) + (uint64_t{i} << (32 - kStretchTableBits));
  uint32_t fraction = 0;
  for (int bit = 0; bit < 32; ++bit) {
    x = ((x >> 1) * (x >> 1)) >> 30;
    const bool past_two = (x >> 33) != 0;
    if (past_two) x >>= 1;
    fraction = fraction << 1 | uint32_t{past_two};
  }
  return fraction;
}

// A value in the upper half, and in the lower half how far the next one is.
constexpr std::array<uint64_t, kStretchTableSize> MakeStretchTable() {
  std::array<uint64_t, kStretchTableSize> table{};
  uint64_t next = uint64_t{1} << 32;
  for (uint32_t i = kStretchTableSize; i-- > 0;) {
    const uint64_t value = StretchTableValue(i);
    table[i] = value << 32 | (next - value);
    next = value;
  }
  return table;
}

inline constexpr std::array<uint64_t, kStretchTableSize> kStretchTable =
    MakeStretchTable();

}  // namespace internal

// The stretched hash, in units of 2^-64.
constexpr uint64_t StretchHash(uint64_t hash) {
  const uint64_t line =
      internal::kStretchTable[hash >> (64 - internal::kStretchTableBits)];
  const uint64_t value = line & ~uint64_t{0xffffffff};
  const uint64_t slope = line & 0xffffffff;
  const uint64_t along = (hash << internal::kStretchTableBits) >> 32;
  return value + slope * along;
}

// The least hash whose stretched hash is not below `stretched`, which is at
// most that of the greatest hash.
constexpr uint64_t LeastHashStretchedTo(uint64_t stretched) {
  size_t i = internal::kStretchTableSize - 1;
  while (internal::kStretchTable[i] >> 32 > stretched >> 32) --i;
  const uint64_t line = internal::kStretchTable[i];
  const uint64_t rest = stretched - (line & ~uint64_t{0xffffffff});
  const uint64_t slope = line & 0xffffffff;
  const uint64_t along = (rest + slope - 1) / slope;
  return (uint64_t{i} << (64 - internal::kStretchTableBits)) + (along << 24);
}

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_HASH_STRETCH_H_
