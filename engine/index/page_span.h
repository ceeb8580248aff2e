#ifndef STAVE_ENGINE_INDEX_PAGE_SPAN_H_
#define STAVE_ENGINE_INDEX_PAGE_SPAN_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/index/hash_page.h"

namespace stave {

// A span is 1,024 lines of memory, divided into equal blocks, a page each.
inline constexpr uint32_t kLinesPerSpan = 1024;
inline constexpr size_t kSpanBytes = kLinesPerSpan * sizeof(Line);

// Blocks are as long as fits so many of them into a span; what is left over is
// a hundredth of it at most. Below 64 lines, which is for small keydirs, one
// length is up to half above the one before; from there on, where pages spend
// their lives, a sixth to a quarter: closer lengths would be less empty on
// average, but pages would be copied more often.
inline constexpr std::array<uint16_t, 17> kBlocksPerSpan = {
    1024, 512, 341, 256, 170, 128, 85, 64, 42, 32, 24, 20, 16, 14, 12, 10, 8};
inline constexpr size_t kBlockKinds = kBlocksPerSpan.size();

// In lines.
constexpr uint32_t BlockLength(size_t kind) {
  return kLinesPerSpan / kBlocksPerSpan[kind];
}
static_assert(BlockLength(0) == 1);
static_assert(BlockLength(kBlockKinds - 1) == kMaxPageLength);

// The kind of the shortest blocks of at least `min_length` lines.
size_t BlockKindFor(uint32_t min_length);

// Which blocks of a span are used. Thread-compatible.
class PageSpan {
 public:
  // A span that is in nobody's use.
  PageSpan() = default;
  // A span of free blocks.
  explicit PageSpan(size_t kind) : kind_(static_cast<uint8_t>(kind)) {}

  size_t kind() const { return kind_; }
  uint32_t used() const { return used_; }
  uint32_t free() const { return kBlocksPerSpan[kind_] - used_; }

  // Marks the span as one whose blocks are not to be taken any more.
  void Evacuate() { evacuating_ = true; }
  bool evacuating() const { return evacuating_; }

  // Takes a free block, of which there is one; returns its first line.
  uint32_t Take();
  // Frees the block that starts with `line`.
  void Free(uint32_t line);

 private:
  std::array<uint64_t, kLinesPerSpan / 64> used_blocks_{};  // a bit each
  uint16_t used_ = 0;
  uint8_t kind_ = 0;
  bool evacuating_ = false;
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_PAGE_SPAN_H_
