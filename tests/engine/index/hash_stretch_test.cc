#include "engine/index/hash_stretch.h"

#include <cmath>
#include <cstdint>

#include "gtest/gtest.h"
#include "tests/engine/index/keydir_vocabulary.h"

namespace stave {
namespace {

// The least difference of hashes that the stretched ones show.
constexpr uint64_t kStep = uint64_t{1} << 24;

TEST(HashStretchTest, TheTableIsTheFrozenOne) {
  uint64_t checksum = 0;
  for (uint32_t i = 0; i < 256; ++i) {
    checksum = Scramble(checksum + internal::StretchTableValue(i));
  }
  EXPECT_EQ(checksum, 7713663941332543284u);
}

TEST(HashStretchTest, TheTableIsTheLogarithm) {
  for (uint32_t i = 0; i < 256; ++i) {
    const double exact = std::log2(1 + i / 256.0) * std::exp2(32);
    EXPECT_NEAR(internal::StretchTableValue(i), exact, 2.0);
  }
}

TEST(HashStretchTest, HashesThatDifferInTheUpperFortyBitsKeepTheirOrder) {
  for (uint64_t i = 0; i < 100'000; ++i) {
    const uint64_t hash = Scramble(i) - Scramble(i) % kStep;
    if (hash == 0) continue;
    EXPECT_LT(StretchHash(hash - 1), StretchHash(hash));
  }
}

TEST(HashStretchTest, TheWholeRangeIsInUse) {
  EXPECT_EQ(StretchHash(0), 0);
  EXPECT_GT(StretchHash(~uint64_t{0}), uint64_t{0xffffffff} << 32);
}

TEST(HashStretchTest, LeastHashIsWhereItsStretchedHashIsReached) {
  for (uint64_t i = 0; i < 100'000; ++i) {
    const uint64_t stretched = Scramble(i) >> 1;
    const uint64_t least = LeastHashStretchedTo(stretched);
    EXPECT_GE(StretchHash(least), stretched);
    EXPECT_LT(StretchHash(least - 1), stretched);
  }
  EXPECT_EQ(LeastHashStretchedTo(0), 0);
}

}  // namespace
}  // namespace stave
