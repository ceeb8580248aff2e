#ifndef STAVE_ENGINE_INDEX_SPAN_POOL_H_
#define STAVE_ENGINE_INDEX_SPAN_POOL_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/memory_range.h"
#include "engine/base/spin_lock.h"
#include "engine/index/page_span.h"

namespace stave {

// Owns the memory of spans: one reserved range, used from its start. The
// memory of free spans goes back to the system, except for a few that are
// kept for whoever needs one next. Thread-safe.
class SpanPool {
 public:
  // Takes the free span with the lowest number, and memory with it.
  // ResourceExhausted when the process can have no more of it.
  absl::StatusOr<uint32_t> Take();
  // Says that about `spans` are going to be taken.
  void Expect(size_t spans);
  // Gives back a span that nobody looks at.
  void Return(uint32_t number);

  // A line by its number in the range. A span has been taken.
  Line* LineAt(uint32_t line) const { return lines_ + line; }

  // Memory of taken spans and of those that are kept.
  uint64_t bytes() const;

 private:
  absl::Status Reserve() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  absl::StatusOr<uint32_t> Extend() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void PreferHugePages() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  std::optional<uint32_t> TakeExcess();

  mutable SpinLock lock_;
  // Both are set before the first Take returns, and constant then.
  MemoryRange range_;
  Line* lines_ = nullptr;
  // The first so many spans of the range have been taken at some time. Of
  // those that are free now, some still have their memory.
  uint32_t size_ ABSL_GUARDED_BY(lock_) = 0;
  absl::btree_set<uint32_t> kept_ ABSL_GUARDED_BY(lock_);
  absl::btree_set<uint32_t> released_ ABSL_GUARDED_BY(lock_);
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_SPAN_POOL_H_
