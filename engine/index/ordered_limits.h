#ifndef STAVE_ENGINE_INDEX_ORDERED_LIMITS_H_
#define STAVE_ENGINE_INDEX_ORDERED_LIMITS_H_

#include <cstddef>

#include "engine/index/ordered_items.h"
#include "engine/index/ordered_page.h"

namespace stave {

// How large pages of the ordered keydir are.

// More keys make a page longer to copy, fewer make more pages.
inline constexpr size_t kMostKeysInLeaf = 64;
inline constexpr size_t kMostKeysAbove = 128;
// Of long keys there are fewer, but a page above never has less than two.
inline constexpr size_t kMostPageBytes = 4096;
inline constexpr size_t kKeysOfAnySize = 3;
// Pages of at most a quarter of that are joined with such neighbours.
inline constexpr size_t kSmallShare = 4;

inline size_t MostKeys(int level) {
  return level == 0 ? kMostKeysInLeaf : kMostKeysAbove;
}

inline bool IsTooLarge(int level, size_t keys,
                       const OrderedItems::Extent& extent) {
  return keys > MostKeys(level) ||
         extent.last_offset > OrderedPage::kMaxOffset ||
         (keys > kKeysOfAnySize && extent.bytes > kMostPageBytes);
}

inline bool IsSmall(int level, size_t keys, size_t bytes) {
  return keys <= MostKeys(level) / kSmallShare &&
         bytes <= kMostPageBytes / kSmallShare;
}

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_ORDERED_LIMITS_H_
