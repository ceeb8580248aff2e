#ifndef STAVE_ENGINE_INDEX_PAGE_ARENA_H_
#define STAVE_ENGINE_INDEX_PAGE_ARENA_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/status/statusor.h"
#include "engine/base/spin_lock.h"
#include "engine/index/hash_page.h"
#include "engine/index/page_span.h"
#include "engine/index/span_pool.h"

namespace stave {

// Memory for pages: blocks out of spans.
//
// The free blocks of a span serve pages of one length only, until the whole
// span is free. Two things keep that from adding up: a page that finds no free
// block of its length takes one of the next, which it would grow into anyway,
// before another span is divided; and where free blocks of one length come to
// more than a span and a half, BeginEvacuation names spans to be emptied.
//
// Thread-safe. Blocks belong to whoever allocated them.
class PageArena {
 public:
  struct Block {
    uint32_t offset;  // in lines, from the arena's start
    uint32_t length;  // in lines
  };

  // Says that blocks of about so many lines in all are going to be allocated.
  void Expect(uint64_t lines) { pool_.Expect(lines / kLinesPerSpan); }

  // A block of at least `min_length` lines, which are not cleared.
  // ResourceExhausted when memory has run out.
  absl::StatusOr<Block> Allocate(uint32_t min_length);

  // Frees the block at `offset`.
  void Free(uint32_t offset);

  // Chooses spans that should become free, hands out no more blocks of theirs,
  // and returns their numbers. Each becomes free with the last of its blocks,
  // and may then be divided again.
  std::vector<uint32_t> BeginEvacuation();
  // Whether the block at `offset` is in such a span.
  bool IsEvacuated(uint32_t offset) const;

  static uint32_t SpanOf(uint32_t offset) { return offset / kLinesPerSpan; }

  Line* LinesAt(uint32_t offset) const { return pool_.LineAt(offset); }

  // Spans, whatever they hold, and what describes them.
  uint64_t bytes() const;

 private:
  // Spans of one kind of blocks that have a free one, and are to be used.
  struct OpenSpans {
    absl::btree_set<uint32_t> numbers;
    uint32_t free_blocks = 0;
  };

  size_t KindToTake(uint32_t min_length) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void Open(uint32_t number, size_t kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  Block TakeBlock(size_t kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void CountFreed(uint32_t number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

  SpanPool pool_;
  mutable SpinLock lock_;
  std::deque<PageSpan> spans_ ABSL_GUARDED_BY(lock_);  // by number
  std::array<OpenSpans, kBlockKinds> open_ ABSL_GUARDED_BY(lock_);
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_PAGE_ARENA_H_
