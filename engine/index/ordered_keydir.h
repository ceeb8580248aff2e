#ifndef STAVE_ENGINE_INDEX_ORDERED_KEYDIR_H_
#define STAVE_ENGINE_INDEX_ORDERED_KEYDIR_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/mutex.h"
#include "engine/index/keydir.h"
#include "engine/index/ordered_items.h"
#include "engine/index/ordered_page.h"
#include "engine/index/retired_tree_pages.h"

namespace stave {

// A keydir that knows its keys' bytes, and so their order: a B+tree. Takes 14
// bytes a key, those bytes that the key does not share with the one before it,
// and about 3 for the pages above and what pages have beside keys.
//
// Keys of a page never change (ordered_page.h). A key that comes or goes means
// a new page, of just the size that is needed, which takes the old one's place
// by one store to the page above; where that has to change as well, a new one
// of it is made first, up to the root if need be. So all that a change makes is
// seen at once. What it replaces is freed when the readers of that time have
// left (retired_tree_pages.h). The entry of a key that is there already is
// stored to its page.
//
// Readers go down from the root. They may come to a page that has been
// replaced, if they have begun before that, and find what was true then.
//
// All changes hold one mutex, for a new page or two: writers come one at a time
// anyway, and merges move an entry by one store.
class OrderedKeydir final : public Keydir, public KeyOrder {
 public:
  OrderedKeydir() = default;
  ~OrderedKeydir() override;

  void Prefetch(const KeyRef& key) const override;
  void PrefetchDirectory(const KeyHash&) const override {}
  KeydirEntry Find(const KeyRef& key) const override;
  absl::StatusOr<KeydirEntry> Put(const KeyRef& key,
                                  KeydirEntry entry) override;
  KeydirEntry Remove(const KeyRef& key) override;
  bool CompareAndSwap(const KeyRef& key, KeydirEntry expected,
                      KeydirEntry desired) override;
  absl::Status Offer(
      const KeyRef& key, KeydirEntry candidate,
      absl::FunctionRef<bool(KeydirEntry present)> supersedes) override;
  // Page by page under the mutex, all of it as part 0.
  void Sweep(size_t part, size_t parts,
             absl::FunctionRef<bool(KeydirEntry)> keep) override;
  Statistics GetStatistics() const override;

  KeyOrder* order() override { return this; }
  void CopyFrom(std::string_view from, size_t most, KeyRun* run) const override;
  void CopyBefore(std::optional<std::string_view> before, size_t most,
                  KeyRun* run) const override;
  absl::Status OfferInOrder(
      absl::Span<const Offered> offers,
      absl::FunctionRef<bool(KeydirEntry, KeydirEntry)> supersedes) override;
  // Those between pages of the level above the leaves.
  std::vector<std::string> Partings() const override;
  absl::Status Restore(absl::Span<OrderedLeaves> stretches) override;

 private:
  // A page above the leaves, and which way the path goes on.
  struct Step {
    OrderedPage* page = nullptr;
    size_t child = 0;
  };
  using Path = absl::InlinedVector<Step, 8>;

  // A key's place, and what is there.
  struct Position {
    Path path;
    OrderedPage* leaf = nullptr;  // null: there are no keys
    OrderedPage::Place place;
    KeydirEntry present;
  };
  Position Seek(std::string_view key) const;
  // The leaf that the key is in, if it is anywhere; null if there are none.
  const OrderedPage* LeafOf(std::string_view key) const;

  // A page that has been made, and what parts it from the one before it.
  struct Made {
    std::string_view separator;
    OrderedPage* page = nullptr;
  };
  // Where items_ are to go: they take the place of children `first` to `last`
  // of the last page of a path.
  struct Target {
    int level = 0;
    OrderedPage* before = nullptr;  // of items that are pages
    size_t first = 0;
    size_t last = 0;
    bool grows_at_end = false;  // the last item is the one that has come
  };

  absl::Status Set(const Position& position, std::string_view key,
                   KeydirEntry entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Erase(const Position& position) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes items_ the content of the leaf at the end of the path.
  enum class Change { kAppended, kInserted, kErased };
  absl::Status Install(Path path, OrderedPage* leaf, Change change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeInNeighbour(const Step& parent, Target* target)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes pages of items_; false when memory has run out.
  bool MakePages(const Target& target) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes items_ those of `parent`, with what was made in place of its
  // children `first` to `last`; returns its first child, null if it has none.
  OrderedPage* PutIntoParent(const OrderedPage& parent, const Target& target)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes items_ what was made, but the first page, which it returns.
  OrderedPage* PutAboveAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Retire() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The least key that may be in the leaf behind the one at the end of a path;
  // none if there is no such leaf.
  static std::optional<std::string> EndOfLeaf(const Path& path);
  // Offers those at the beginning that belong to one leaf, but not too many;
  // returns how many that were.
  absl::StatusOr<size_t> OfferToLeaf(
      absl::Span<const Offered> offers,
      absl::FunctionRef<bool(KeydirEntry, KeydirEntry)> supersedes);
  // Sweeps the leaf of `*from`, and goes on to the next one; false if that was
  // the last.
  bool SweepLeaf(std::string* from, absl::FunctionRef<bool(KeydirEntry)> keep);

  void CountKey(int64_t change) {
    keys_.store(
        keys_.load(std::memory_order_relaxed) + static_cast<uint64_t>(change),
        std::memory_order_relaxed);
  }

  Mutex mutex_;
  std::atomic<OrderedPage*> root_{nullptr};  // changed under mutex_
  std::atomic<uint64_t> keys_{0};            // the same
  std::atomic<uint64_t> bytes_{0};           // the same

  // Of the change that is being made.
  OrderedItems items_ ABSL_GUARDED_BY(mutex_);
  std::vector<Made> made_ ABSL_GUARDED_BY(mutex_);  // of one level
  std::vector<OrderedPage::Owner> fresh_ ABSL_GUARDED_BY(mutex_);  // of all
  std::vector<OrderedPage*> replaced_ ABSL_GUARDED_BY(mutex_);

  RetiredTreePages retired_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_ORDERED_KEYDIR_H_
