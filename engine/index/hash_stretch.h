#ifndef STAVE_ENGINE_INDEX_HASH_STRETCH_H_
#define STAVE_ENGINE_INDEX_HASH_STRETCH_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace stave {

// Hashes are spread evenly, so pages that take equal parts of them would all
// be full at the same moments, and what they leave behind when they grow would
// be of use to nobody. Stretched hashes, log2(1 + h) for h in [0, 1), are not
// spread evenly: pages that take equal parts of these hold up to twice as many
// keys as others, and grow one after another, each into what another left.
// (Spiral storage: Martin, "Spiral storage: incrementally augmentable hash
// addressed storage", 1979.)
//
// The logarithm is a table of 256 values with straight lines in between. It
// increases strictly with the upper 40 bits of the hash; so hashes that differ
// there are told apart by their stretched hashes.
//
// The table is frozen: what is stored in its order must stay readable.

namespace internal {

inline constexpr int kStretchTableBits = 8;
inline constexpr int kStretchTableSize = 1 << kStretchTableBits;

// log2(1 + i / 256) in units of 2^-32, rounded down.
constexpr uint32_t StretchTableValue(uint32_t i) {
  // Squaring x in [1, 2) doubles its logarithm, so that whether the square is
  // past 2 is the logarithm's next bit. With 32 bits after the point, the last
  // bit may come out wrong, but comes out the same everywhere.
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
  size_t i = 0;
  for (size_t step = internal::kStretchTableSize / 2; step != 0; step /= 2) {
    if (internal::kStretchTable[i + step] >> 32 <= stretched >> 32) i += step;
  }
  const uint64_t line = internal::kStretchTable[i];
  const uint64_t rest = stretched - (line & ~uint64_t{0xffffffff});
  const uint64_t slope = line & 0xffffffff;
  const uint64_t along = (rest + slope - 1) / slope;
  return (uint64_t{i} << (64 - internal::kStretchTableBits)) + (along << 24);
}

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_HASH_STRETCH_H_
