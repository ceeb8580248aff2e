#ifndef STAVE_ENGINE_INDEX_HASH_PARTITION_H_
#define STAVE_ENGINE_INDEX_HASH_PARTITION_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/base/key_hash.h"
#include "engine/index/hash_page.h"
#include "engine/index/hash_stretch.h"

namespace stave {

// The upper bits of the stretched hash choose one of the keydir's partitions.
// Each has a lock, and a directory of its own that is never large.
inline constexpr int kPartitionBits = 10;
inline constexpr size_t kPartitions = size_t{1} << kPartitionBits;

constexpr size_t PartitionOf(uint64_t stretched) {
  return stretched >> (64 - kPartitionBits);
}

// The least stretched hash of a partition, and one past the greatest; that is
// 0 for the last partition.
constexpr uint64_t PartitionBegin(size_t partition) {
  return uint64_t{partition} << (64 - kPartitionBits);
}
constexpr uint64_t PartitionEnd(size_t partition) {
  return PartitionBegin(partition + 1);
}

namespace internal {

constexpr std::array<uint64_t, kPartitions> MakeLeastHashes() {
  std::array<uint64_t, kPartitions> hashes{};
  for (size_t partition = 0; partition < kPartitions; ++partition) {
    hashes[partition] = LeastHashStretchedTo(PartitionBegin(partition));
  }
  return hashes;
}
inline constexpr std::array<uint64_t, kPartitions> kLeastHashes =
    MakeLeastHashes();

}  // namespace internal

// The least hash in a partition. What a page keeps of a hash is the difference.
constexpr uint64_t LeastHash(size_t partition) {
  return internal::kLeastHashes[partition];
}

// Where in a keydir a key is.
struct KeyPosition {
  explicit KeyPosition(const KeyHash& hash)
      : stretched(StretchHash(hash.prefix)),
        partition(PartitionOf(stretched)),
        key{hash.prefix - LeastHash(partition), hash.tag} {}

  uint64_t stretched;
  size_t partition;
  PageKey key;
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_HASH_PARTITION_H_
