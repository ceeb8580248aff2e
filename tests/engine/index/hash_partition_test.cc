#include "engine/index/hash_partition.h"

#include <cstddef>
#include <cstdint>

#include "engine/base/key_hash.h"
#include "gtest/gtest.h"
#include "tests/engine/index/keydir_vocabulary.h"

namespace stave {
namespace {

TEST(HashPartitionTest, PartitionsBeginWithTheirLeastHash) {
  for (size_t partition = 1; partition < kPartitions; ++partition) {
    const uint64_t least = LeastHash(partition);
    EXPECT_EQ(PartitionOf(StretchHash(least)), partition);
    EXPECT_EQ(PartitionOf(StretchHash(least - 1)), partition - 1);
  }
  EXPECT_EQ(LeastHash(0), 0);
}

TEST(HashPartitionTest, WhatAPageKeepsOfAHashFitsItsBits) {
  for (size_t partition = 0; partition < kPartitions; ++partition) {
    const uint64_t end =
        partition + 1 < kPartitions ? LeastHash(partition + 1) : 0;
    EXPECT_EQ((end - 1 - LeastHash(partition)) >> PageKey::kHashBits, 0);
  }
}

TEST(HashPartitionTest, APositionTellsTheHash) {
  for (uint64_t i = 0; i < 10'000; ++i) {
    const KeyHash hash = Key(i).hash;
    const KeyPosition position(hash);
    EXPECT_EQ(LeastHash(position.partition) + position.key.hash, hash.prefix);
    EXPECT_EQ(position.key.tag, hash.tag);
    EXPECT_GE(position.stretched, PartitionBegin(position.partition));
    EXPECT_LE(position.stretched, PartitionEnd(position.partition) - 1);
  }
}

}  // namespace
}  // namespace stave
