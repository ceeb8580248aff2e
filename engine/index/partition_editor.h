#ifndef STAVE_ENGINE_INDEX_PARTITION_EDITOR_H_
#define STAVE_ENGINE_INDEX_PARTITION_EDITOR_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/spin_lock.h"
#include "engine/index/hash_page.h"
#include "engine/index/hash_partition.h"
#include "engine/index/keydir.h"
#include "engine/index/page_arena.h"
#include "engine/index/page_directory.h"
#include "engine/index/retired_pages.h"

namespace stave {

// What belongs to those who change a partition. Readers know nothing of it but
// the directory, which is elsewhere, in lines that are seldom written.
struct alignas(32) Partition {
  SpinLock lock;
  std::atomic<uint64_t> keys{0};  // written under the lock
};

// Changes one partition, whose lock it holds for the length of a scope. Only
// here do pages grow, split, shrink, merge and move: each time a new page is
// complete before the directory leads to it, and the old one is retired then.
//
// A full page is copied into the next longer one; the longest one splits. A
// page of which more than an eighth is dead is copied without its dead slots,
// into a shorter one if that will do. If it could share half of the longest
// page with its buddy, the other half of what they were split from, they are
// merged.
class ABSL_SCOPED_LOCKABLE PartitionEditor {
 public:
  PartitionEditor(size_t number, Partition* partition,
                  std::atomic<PageDirectory>* directory, PageArena* arena,
                  RetiredPages* retired)
      ABSL_EXCLUSIVE_LOCK_FUNCTION(partition->lock);
  ~PartitionEditor() ABSL_UNLOCK_FUNCTION();
  PartitionEditor(const PartitionEditor&) = delete;
  PartitionEditor& operator=(const PartitionEditor&) = delete;

  // Turns to a key, whose position is borrowed until the editor turns to
  // another. Returns its entry, absent when there is none.
  KeydirEntry Seek(const KeyPosition& position);
  // Changes the entry of the key sought last, or adds it. ResourceExhausted,
  // and nothing changed, when memory has run out.
  absl::Status Set(KeydirEntry entry);
  // The same of a key that is there.
  void Replace(KeydirEntry entry);
  // Removes the key sought last, which is there.
  void Remove();

  // Removes those keys for which `keep` is false from the page that `begin`, a
  // stretched hash, is in; keys below `begin` are left alone. Returns where the
  // next page begins: 0 after the last page of all.
  uint64_t SweepPage(uint64_t begin, absl::FunctionRef<bool(KeydirEntry)> keep);

  // Moves a page whose offset is unwanted; returns whether there was one.
  bool MovePage(absl::FunctionRef<bool(uint32_t offset)> unwanted);

  // What Keydir::CopyPart and RestorePart do.
  void Copy(std::vector<KeydirPage>* pages,
            std::vector<KeydirSlot>* slots) const;
  absl::Status Restore(absl::Span<const KeydirPage> pages,
                       absl::Span<const KeydirSlot> slots);

  // Whether something was retired.
  bool retired_any() const { return retired_any_; }

 private:
  PageDirectory directory() const {
    return directory_.load(std::memory_order_relaxed);
  }
  HashPage At(PageRef page) const {
    return HashPage(arena_.LinesAt(page.offset()), page.length());
  }
  HashPageBuilder Fill(PageRef page) const {
    return HashPageBuilder(arena_.LinesAt(page.offset()), page.length());
  }

  bool HasRoom() const;
  absl::Status MakeRoom();
  absl::Status Split(size_t index);
  void Tidy(size_t index);
  bool MergeWithBuddy(size_t index);
  absl::Status Rebuild(size_t index, uint32_t min_length);

  void SetEmpty(size_t begin, size_t end);
  absl::Status RestorePage(size_t index, const KeydirPage& page,
                           absl::Span<const KeydirSlot> slots);

  absl::StatusOr<PageRef> NewPage(uint32_t min_length, int depth);
  void Retire(PageRef page);
  void Publish(PageDirectory directory);
  void CountKeys(int64_t change);

  // The stretched hash of a key in this partition.
  uint64_t StretchedHashOf(const Slot& slot) const {
    return StretchHash(least_hash_ + HashPage::HashOf(slot));
  }

  const size_t number_;
  const uint64_t least_hash_;
  Partition& partition_;
  std::atomic<PageDirectory>& directory_;
  PageArena& arena_;
  RetiredPages& retired_;
  bool retired_any_ = false;

  // The key sought last, and its place in the page at `index_`.
  const KeyPosition* position_ = nullptr;
  size_t index_ = 0;
  HashPage::Place place_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_PARTITION_EDITOR_H_
