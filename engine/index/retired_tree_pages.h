#ifndef STAVE_ENGINE_INDEX_RETIRED_TREE_PAGES_H_
#define STAVE_ENGINE_INDEX_RETIRED_TREE_PAGES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "engine/index/ordered_page.h"

namespace stave {

// Pages of the ordered keydir that nothing leads to any more, but that readers
// may still look at. Freed in batches, because finding out that all readers
// have left costs an interruption of every processor. Thread-compatible.
class RetiredTreePages {
 public:
  // `page` can't be reached any more.
  void Add(OrderedPage* page);

  // Of pages that were freed since the last call.
  size_t TakeFreedBytes();

 private:
  struct Batch {
    uint64_t epoch = 0;  // that readers of it are in, at most
    size_t bytes = 0;
    std::vector<OrderedPage::Owner> pages;
  };

  Batch open_;
  std::deque<Batch> closed_;  // oldest first
  size_t freed_bytes_ = 0;
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_RETIRED_TREE_PAGES_H_
