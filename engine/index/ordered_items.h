#ifndef STAVE_ENGINE_INDEX_ORDERED_ITEMS_H_
#define STAVE_ENGINE_INDEX_ORDERED_ITEMS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "engine/index/ordered_page.h"

namespace stave {

// Keys in byte order that new pages are going to be made of: those of a page,
// changed. Borrows bytes of pages and of keys that are inserted, until Clear.
// Thread-compatible.
class OrderedItems {
 public:
  using Item = OrderedPage::Item;

  // What a key takes beside its bytes.
  static constexpr size_t kBytesPerKey = 14;

  size_t size() const { return items_.size(); }
  uint64_t value(size_t index) const { return items_[index].value; }
  void set_value(size_t index, uint64_t value) { items_[index].value = value; }
  std::string KeyAt(size_t index) const;

  // Forgets the items; what they have borrowed remains.
  void Clear() { items_.clear(); }
  // Forgets what Keep has kept, too.
  void ClearAll() {
    Clear();
    kept_.clear();
  }
  // Bytes that stay until ClearAll.
  std::string_view Keep(std::string bytes) {
    return kept_.emplace_back(std::move(bytes));
  }

  // Adds keys that are greater than all others here.
  void Append(const OrderedPage& page);
  void Append(absl::Span<const Item> items);
  void Append(std::string_view key, uint64_t value) {
    Insert(size(), key, value);
  }
  // The same for who knows the key that is last here, `last`: KeyAt may have to
  // go through all items for it.
  void AppendBehind(std::string_view last, std::string_view key,
                    uint64_t value);
  // Adds a key in front of the one at `index`, where its place is.
  void Insert(size_t index, std::string_view key, uint64_t value);
  void Erase(size_t index);

  // What the keys from `begin` to `end` take as a page of their own.
  struct Extent {
    size_t bytes = 0;
    size_t last_offset = 0;  // where the rest of the last key begins
  };
  Extent ExtentOf(size_t begin, size_t end) const;
  // Where to part them, so that both sides take about the same.
  size_t MiddleOf(size_t begin, size_t end) const;

  // The same as items of a page: the first one shares nothing any more.
  absl::Span<const Item> PageItems(size_t begin, size_t end);
  absl::Span<const Item> all() const { return items_; }

 private:
  std::vector<Item> items_;
  std::deque<std::string> kept_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_ORDERED_ITEMS_H_
