#include "engine/index/page_span.h"

#include <bit>

namespace stave {

size_t BlockKindFor(uint32_t min_length) {
  size_t kind = 0;
  while (BlockLength(kind) < min_length) ++kind;
  return kind;
}

uint32_t PageSpan::Take() {
  uint32_t word = 0;
  while (used_blocks_[word] == ~uint64_t{0}) ++word;
  const uint32_t bit =
      static_cast<uint32_t>(std::countr_one(used_blocks_[word]));
  used_blocks_[word] |= uint64_t{1} << bit;
  ++used_;
  return (word * 64 + bit) * BlockLength(kind_);
}

void PageSpan::Free(uint32_t line) {
  const uint32_t block = line / BlockLength(kind_);
  used_blocks_[block / 64] &= ~(uint64_t{1} << block % 64);
  --used_;
}

}  // namespace stave
