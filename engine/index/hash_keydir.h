#ifndef STAVE_ENGINE_INDEX_HASH_KEYDIR_H_
#define STAVE_ENGINE_INDEX_HASH_KEYDIR_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "engine/base/spin_lock.h"
#include "engine/index/keydir.h"
#include "engine/index/page_arena.h"
#include "engine/index/page_directory.h"
#include "engine/index/partition_editor.h"
#include "engine/index/retired_pages.h"

namespace stave {

// A keydir that holds no bytes of keys: 16 bytes a key in hash tables, and
// below 20 with everything that is reserved beside them, from a million keys
// on.
//
// It is an extendible hash table (Fagin et al., 1979) over stretched hashes
// (hash_stretch.h). The first bits of a key's choose one of 1,024 partitions,
// the next ones a page in that partition's directory (page_directory.h), and
// other bits of the hash a cache line of the page (hash_page.h). So a look-up
// is one access to memory that no cache has, and seldom one to a line nearby.
//
// Pages grow, split and merge by being copied (partition_editor.h); what they
// leave is freed when no reader can see it any more (retired_pages.h), and is
// memory for other pages or goes back to the system (page_arena.h).
//
// Changes hold the lock of the key's partition. As Find does, Prefetch wants
// its caller to hold an EpochGuard.
class HashKeydir final : public Keydir, public KeydirCopier {
 public:
  HashKeydir() : retired_(&arena_) {}
  ~HashKeydir() override;

  void Prefetch(const KeyRef& key) const override;
  void PrefetchDirectory(const KeyHash& hash) const override;
  KeydirEntry Find(const KeyRef& key) const override;
  absl::StatusOr<KeydirEntry> Put(const KeyRef& key,
                                  KeydirEntry entry) override;
  KeydirEntry Remove(const KeyRef& key) override;
  bool CompareAndSwap(const KeyRef& key, KeydirEntry expected,
                      KeydirEntry desired) override;
  absl::Status Offer(
      const KeyRef& key, KeydirEntry candidate,
      absl::FunctionRef<bool(KeydirEntry present)> supersedes) override;
  void Sweep(size_t part, size_t parts,
             absl::FunctionRef<bool(KeydirEntry)> keep) override;
  Statistics GetStatistics() const override;
  KeydirCopier* copier() override { return this; }

  uint64_t KeysIn(size_t part) const override;
  void CopyPart(size_t part, std::vector<KeydirPage>* pages,
                std::vector<KeydirSlot>* slots) override;
  void ExpectKeys(uint64_t keys) override {
    arena_.Expect(keys / kSlotsPerLine);
  }
  absl::Status RestorePart(size_t part, absl::Span<const KeydirPage> pages,
                           absl::Span<const KeydirSlot> slots) override;

 private:
  PageRef PageOf(const KeyPosition& position) const;
  HashPage At(PageRef page) const {
    return HashPage(arena_.LinesAt(page.offset()), page.length());
  }

  // Returns change(editor) with an editor of the partition, and
  // change(editor, present) with one that has turned to the key.
  template <typename Change>
  auto Edit(size_t partition, Change change);
  template <typename Change>
  auto EditKey(const KeyHash& hash, Change change);
  void CleanUp();
  void BeginEvacuation() ABSL_EXCLUSIVE_LOCKS_REQUIRED(evacuation_lock_);
  void ContinueEvacuation() ABSL_EXCLUSIVE_LOCKS_REQUIRED(evacuation_lock_);

  PageArena arena_;
  RetiredPages retired_;
  std::array<std::atomic<PageDirectory>, kPartitions> directories_{};
  std::array<Partition, kPartitions> partitions_;

  // The spans that pages are being moved out of, if any, and the partition
  // where to look for such pages next.
  SpinLock evacuation_lock_;
  absl::flat_hash_set<uint32_t> evacuated_spans_
      ABSL_GUARDED_BY(evacuation_lock_);
  size_t evacuated_partition_ ABSL_GUARDED_BY(evacuation_lock_) = 0;
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_HASH_KEYDIR_H_
