#ifndef STAVE_ENGINE_INDEX_PAGE_DIRECTORY_H_
#define STAVE_ENGINE_INDEX_PAGE_DIRECTORY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine/index/hash_partition.h"
#include "engine/index/page_use.h"

namespace stave {

// Where a page is, in the 64 bits that a directory holds of it.
class PageRef {
 public:
  // A page without keys has no memory either.
  static constexpr PageRef Empty(int depth) { return PageRef(0, 0, depth); }

  constexpr PageRef() = default;
  constexpr PageRef(uint32_t offset, uint32_t length, int depth)
      : bits_(uint64_t{offset} << 32 | length << 8 |
              static_cast<uint32_t>(depth)) {}

  constexpr bool empty() const { return length() == 0; }
  // In lines, from the arena's start.
  constexpr uint32_t offset() const {
    return static_cast<uint32_t>(bits_ >> 32);
  }
  // In lines.
  constexpr uint32_t length() const { return bits_ >> 8 & 0xff; }
  // Bits of a stretched hash after the partition's that the page's keys share.
  constexpr int depth() const { return bits_ & 0xff; }

 private:
  uint64_t bits_ = 0;
};

// The pages of one partition: 2^depth entries, indexed by the bits of the
// stretched hash that follow the partition's. A page of a smaller depth has
// several entries, side by side; the first is its index.
//
// An object is a view, one word large, of memory that Create takes and Destroy
// gives back. PageAt may be called at any time, the rest by one thread at once.
class PageDirectory {
 public:
  static constexpr int kMaxDepth = 15;

  constexpr PageDirectory() = default;
  // A directory of one page, which is empty.
  static PageDirectory Create(int depth = 0) { return New(depth); }
  static void Destroy(PageDirectory directory);
  // The same pages in a new directory, of a depth that is not below theirs.
  PageDirectory CopyWithDepth(int depth) const;

  bool exists() const { return address_and_depth_ != 0; }
  int depth() const {
    return static_cast<int>(address_and_depth_ & kDepthMask);
  }
  size_t size() const { return size_t{1} << depth(); }
  size_t bytes() const { return exists() ? BytesFor(depth()) : 0; }

  // Does no harm where the memory has been given back.
  void Prefetch(uint64_t stretched) const {
    if (exists()) __builtin_prefetch(&pages()[EntryAt(stretched)]);
  }
  PageRef PageAt(uint64_t stretched) const {
    return pages()[EntryAt(stretched)].load(std::memory_order_acquire);
  }

  // The index of the page that keys with this stretched hash are in.
  size_t IndexAt(uint64_t stretched) const {
    const size_t entry = EntryAt(stretched);
    return entry & ~(EntriesOf(page(entry)) - 1);
  }
  // One past the greatest stretched hash of the page, or 0 for the last page.
  uint64_t PageEnd(uint64_t stretched) const {
    const int shift = 64 - kPartitionBits - page(EntryAt(stretched)).depth();
    return ((stretched >> shift) + 1) << shift;
  }
  PageRef page(size_t index) const {
    return pages()[index].load(std::memory_order_relaxed);
  }
  PageUse& use(size_t index) const { return uses()[index]; }
  // How many entries `page` has.
  size_t EntriesOf(PageRef page) const {
    return size_t{1} << (depth() - page.depth());
  }
  // The deepest page's.
  int MaxPageDepth() const;

  // Makes `page` the one at `index`, a multiple of its number of entries.
  void SetPage(size_t index, PageRef page, PageUse use) const;

 private:
  using Page = std::atomic<PageRef>;
  static_assert(Page::is_always_lock_free && sizeof(Page) == 8);

  // Memory from operator new leaves these bits for the depth.
  static constexpr uintptr_t kDepthMask = 15;
  static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ > kDepthMask);
  static_assert(kMaxDepth <= kDepthMask);

  explicit PageDirectory(uintptr_t bits) : address_and_depth_(bits) {}

  static PageDirectory New(int depth);
  static constexpr size_t BytesFor(int depth) {
    return (sizeof(Page) + sizeof(PageUse)) << depth;
  }
  size_t EntryAt(uint64_t stretched) const {
    // In two steps, since at depth 0 a shift by 64 would be undefined.
    return (stretched << kPartitionBits >> 1) >> (63 - depth());
  }
  Page* pages() const {
    return reinterpret_cast<Page*>(address_and_depth_ & ~kDepthMask);
  }
  PageUse* uses() const { return reinterpret_cast<PageUse*>(pages() + size()); }

  uintptr_t address_and_depth_ = 0;
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_PAGE_DIRECTORY_H_
