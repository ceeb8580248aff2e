#ifndef STAVE_ENGINE_INDEX_ORDERED_PAGE_H_
#define STAVE_ENGINE_INDEX_ORDERED_PAGE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace stave {

// A page of the ordered keydir's tree: keys in byte order, and 48 bits for
// each, which are an entry in a leaf, and another page above.
//
// A key is kept as the number of bytes that it shares with the key before it,
// and the others. Beside these each key has a head: the four bytes that follow
// those which all keys of the page share. So a search compares words, and
// bytes only among keys of one head; and of those it needs none but the ones
// that a key doesn't share (LowerBound).
//
// The keys never change: a page with other keys is another page. Values do,
// as atomics; who changes them sees to it that nobody else does. So a reader
// who has come to a page needs no lock, and nothing can be torn.
//
// In memory: header, heads, shared counts, values (with offsets of bytes),
// bytes. So what a search looks at first is what Prefetch asks for, in large
// pages too.
class OrderedPage {
 public:
  struct Free {
    void operator()(OrderedPage* page) const;
  };
  using Owner = std::unique_ptr<OrderedPage, Free>;

  // A key that a page is made of. `shared` bytes it has in common with the one
  // before it, the rest is elsewhere.
  struct Item {
    uint64_t value = 0;
    const char* rest = nullptr;
    uint32_t rest_size = 0;
    uint16_t shared = 0;  // 0 for the first one
  };

  static constexpr int kValueBits = 48;
  static constexpr uint64_t kMaxValue = (uint64_t{1} << kValueBits) - 1;
  // The rest of the last key begins at most so far behind that of the first.
  static constexpr uint32_t kMaxOffset = UINT16_MAX;

  // Null when memory has run out. The level is 0 for a leaf. In other pages
  // `before` is the page of keys that are less than the first one here.
  static Owner New(int level, uint64_t before, absl::Span<const Item> items);

  OrderedPage(const OrderedPage&) = delete;
  OrderedPage& operator=(const OrderedPage&) = delete;

  int level() const { return level_; }
  size_t count() const { return count_; }
  // What the page takes, and what the allocator adds.
  size_t bytes() const;

  // The place of the first key that is not less than `key`, and whether it is
  // this very one.
  struct Place {
    size_t index = 0;
    bool is_equal = false;
  };
  Place LowerBound(std::string_view key) const;

  uint64_t value(size_t index) const {
    return values()[index].load(std::memory_order_acquire) & kMaxValue;
  }
  void set_value(size_t index, uint64_t value) {
    std::atomic<uint64_t>& slot = values()[index];
    const uint64_t offset = slot.load(std::memory_order_relaxed) & ~kMaxValue;
    slot.store(offset | value, std::memory_order_release);
  }
  Item item(size_t index) const;
  std::string KeyAt(size_t index) const;

  // Makes `*key`, which is the one before it, the key at `index`; for the first
  // one it may be anything.
  void Advance(size_t index, std::string* key) const {
    const Item next = item(index);
    key->resize(next.shared);
    key->append(next.rest, next.rest_size);
  }

  // ---- Pages that are no leaf ----

  // Pages below are numbered from 0 to count().
  size_t ChildIndex(std::string_view key) const {
    const Place place = LowerBound(key);
    return place.index + (place.is_equal ? 1 : 0);
  }
  OrderedPage* child(size_t index) const {
    return PageOf(index == 0 ? before_.load(std::memory_order_acquire)
                             : value(index - 1));
  }
  void set_child(size_t index, const OrderedPage* page) {
    if (index == 0) {
      before_.store(ValueOf(page), std::memory_order_release);
    } else {
      set_value(index - 1, ValueOf(page));
    }
  }
  // Addresses of user memory have no more bits than a value.
  static uint64_t ValueOf(const OrderedPage* page) {
    return reinterpret_cast<uintptr_t>(page);
  }
  static OrderedPage* PageOf(uint64_t value) {
    return reinterpret_cast<OrderedPage*>(value);
  }

  // Brings the page nearer to the processor.
  void Prefetch() const;

 private:
  OrderedPage(int level, uint64_t before, absl::Span<const Item> items,
              uint32_t rest_bytes);

  static size_t SizeFor(size_t count, size_t rest_bytes);

  uint32_t* heads() const {
    return reinterpret_cast<uint32_t*>(const_cast<OrderedPage*>(this) + 1);
  }
  uint16_t* shared() const {
    return reinterpret_cast<uint16_t*>(heads() + count_);
  }
  // Heads and shared counts, up to where values can be.
  static constexpr size_t SearchedBytes(size_t count) {
    constexpr size_t kUnit = sizeof(uint64_t);
    return (count * (sizeof(uint32_t) + sizeof(uint16_t)) + kUnit - 1) / kUnit *
           kUnit;
  }
  std::atomic<uint64_t>* values() const {
    return reinterpret_cast<std::atomic<uint64_t>*>(
        reinterpret_cast<char*>(heads()) + SearchedBytes(count_));
  }
  char* rests() const { return reinterpret_cast<char*>(values() + count_); }
  uint32_t OffsetOf(size_t index) const {
    return index == count_
               ? rest_bytes_
               : static_cast<uint32_t>(
                     values()[index].load(std::memory_order_relaxed) >>
                     kValueBits);
  }
  std::string_view RestOf(size_t index) const {
    const uint32_t offset = OffsetOf(index);
    return {rests() + offset, OffsetOf(index + 1) - offset};
  }
  void CopyRests(absl::Span<const Item> items);
  void MakeHeads();

  std::atomic<uint64_t> before_;
  const uint32_t rest_bytes_;
  const uint16_t count_;
  uint16_t prefix_ = 0;  // so many bytes all keys share
  const uint8_t level_;
};

// How many bytes the two begin with in common.
size_t CommonBytes(std::string_view a, std::string_view b);

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_ORDERED_PAGE_H_
