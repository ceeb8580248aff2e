#ifndef STAVE_ENGINE_INDEX_RETIRED_PAGES_H_
#define STAVE_ENGINE_INDEX_RETIRED_PAGES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "engine/base/spin_lock.h"
#include "engine/index/page_arena.h"
#include "engine/index/page_directory.h"

namespace stave {

// Pages and directories that nothing leads to any more, but that readers may
// still look at. They are freed in batches, because finding out that all
// readers have left costs an interruption of every processor.
//
// Thread-safe.
class RetiredPages {
 public:
  // `arena` outlives this object.
  explicit RetiredPages(PageArena* arena) : arena_(*arena) {}
  // No reader is left.
  ~RetiredPages();
  RetiredPages(const RetiredPages&) = delete;
  RetiredPages& operator=(const RetiredPages&) = delete;

  void Add(PageRef page);
  void Add(PageDirectory directory);

  // Frees what no reader sees any more, once enough has come together. To be
  // called after Add, with no lock held.
  void Reclaim();

  // Memory of directories. That of pages counts as the arena's.
  uint64_t directory_bytes() const;

 private:
  struct Batch {
    uint64_t epoch = 0;  // that readers of it are in, at most
    size_t bytes = 0;
    std::vector<uint32_t> pages;  // their offsets
    std::vector<PageDirectory> directories;
  };

  // Returns whether there was enough to close a batch.
  bool CloseBatch();
  std::optional<Batch> TakePassedBatch();
  void Free(const Batch& batch);
  void LetReadersRun();

  PageArena& arena_;
  mutable SpinLock lock_;
  Batch open_ ABSL_GUARDED_BY(lock_);
  std::deque<Batch> closed_ ABSL_GUARDED_BY(lock_);  // oldest first
  size_t closed_bytes_ ABSL_GUARDED_BY(lock_) = 0;
  size_t batch_bytes_ ABSL_GUARDED_BY(lock_) = 0;  // enough to close a batch
  uint64_t directory_bytes_ ABSL_GUARDED_BY(lock_) = 0;
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_RETIRED_PAGES_H_
