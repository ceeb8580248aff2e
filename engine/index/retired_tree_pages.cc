#include "engine/index/retired_tree_pages.h"

#include <utility>

#include "engine/base/epoch.h"

namespace stave {
namespace {

// Small beside a keydir of a million keys, and rarely full.
constexpr size_t kBatchBytes = size_t{256} << 10;

}  // namespace

void RetiredTreePages::Add(OrderedPage* page) {
  open_.bytes += page->bytes();
  open_.pages.emplace_back(page);
  if (open_.bytes < kBatchBytes) return;
  open_.epoch = RetireEpoch();
  closed_.push_back(std::exchange(open_, Batch()));
  while (!closed_.empty() && EpochHasPassed(closed_.front().epoch)) {
    freed_bytes_ += closed_.front().bytes;
    closed_.pop_front();
  }
}

size_t RetiredTreePages::TakeFreedBytes() {
  return std::exchange(freed_bytes_, 0);
}

}  // namespace stave
