#ifndef STAVE_ENGINE_INDEX_ORDERED_LEAVES_H_
#define STAVE_ENGINE_INDEX_ORDERED_LEAVES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/index/keydir.h"
#include "engine/index/ordered_items.h"
#include "engine/index/ordered_page.h"

namespace stave {

// Leaves of an ordered keydir, made of keys that come in byte order: full ones,
// one after another, and none is copied again. Threads can make those of one
// stretch of keys each; KeyOrder::Restore makes a tree of them. Keys come from
// files, so nothing is taken for granted. Thread-compatible.
class OrderedLeaves {
 public:
  struct Leaf {
    std::string separator;  // greater than all keys in front of it; not of the
                            // first one
    OrderedPage::Owner page;
  };

  OrderedLeaves() = default;
  OrderedLeaves(OrderedLeaves&&) = default;

  // Adds a key: the first `shared` bytes of the one before it, and `rest`,
  // which is borrowed up to Finish. With an absent entry it is left out.
  // DataLoss if it is not greater than the one before it, or no key can be so
  // long; ResourceExhausted when memory has run out.
  absl::Status Add(size_t shared, std::string_view rest, KeydirEntry entry);
  absl::Status Finish() { return MakeLeaf(); }

  // After Finish. The first and the last key that were added, also if they were
  // left out; both empty if there were none.
  std::string_view first() const { return first_; }
  std::string_view last() const { return last_; }
  uint64_t keys() const { return keys_; }  // that were not left out
  std::vector<Leaf>& leaves() { return leaves_; }

 private:
  absl::Status MakeLeaf();

  std::string first_;
  std::string last_;
  size_t common_ = 0;  // bytes that last_ shares with the one in items_ last
  uint64_t keys_ = 0;
  std::vector<Leaf> leaves_;

  // Of the next leaf.
  std::string separator_;
  std::vector<OrderedPage::Item> items_;
  OrderedItems::Extent extent_;
  std::deque<std::string> kept_;  // what items_ borrow from here
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_ORDERED_LEAVES_H_
