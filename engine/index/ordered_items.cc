#include "engine/index/ordered_items.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace stave {
namespace {

OrderedPage::Item ItemOf(std::string_view key, uint64_t value, size_t shared) {
  return {value, key.data() + shared,
          static_cast<uint32_t>(key.size() - shared),
          static_cast<uint16_t>(shared)};
}

}  // namespace

std::string OrderedItems::KeyAt(size_t index) const {
  const Item& last = items_[index];
  std::string key(last.shared, '\0');
  key.append(last.rest, last.rest_size);
  for (size_t missing = last.shared; missing > 0;) {
    const Item& before = items_[--index];
    if (before.shared >= missing) continue;
    std::memcpy(&key[before.shared], before.rest, missing - before.shared);
    missing = before.shared;
  }
  return key;
}

void OrderedItems::Append(const OrderedPage& page) {
  const size_t begin = size();
  for (size_t i = 0; i < page.count(); ++i) items_.push_back(page.item(i));
  if (begin == 0 || begin == size()) return;
  Item& first = items_[begin];
  const std::string_view key(first.rest, first.rest_size);
  first = ItemOf(key, first.value, CommonBytes(KeyAt(begin - 1), key));
}

void OrderedItems::Append(absl::Span<const Item> items) {
  if (items.empty()) return;
  const Item& first = items.front();
  Append(std::string_view(first.rest, first.rest_size), first.value);
  items_.insert(items_.end(), items.begin() + 1, items.end());
}

void OrderedItems::AppendBehind(std::string_view last, std::string_view key,
                                uint64_t value) {
  items_.push_back(ItemOf(key, value, CommonBytes(last, key)));
}

void OrderedItems::Insert(size_t index, std::string_view key, uint64_t value) {
  const size_t shared = index == 0 ? 0 : CommonBytes(KeyAt(index - 1), key);
  if (index < size()) {
    // The next one shares with the new key at least what it shared before.
    Item& next = items_[index];
    const size_t more =
        CommonBytes(key.substr(std::min<size_t>(next.shared, key.size())),
                    std::string_view(next.rest, next.rest_size));
    next.shared = static_cast<uint16_t>(next.shared + more);
    next.rest += more;
    next.rest_size -= static_cast<uint32_t>(more);
  }
  items_.insert(items_.begin() + static_cast<ptrdiff_t>(index),
                ItemOf(key, value, shared));
}

void OrderedItems::Erase(size_t index) {
  if (index + 1 < size() && items_[index + 1].shared > items_[index].shared) {
    // What the next one shared with this key alone becomes its own.
    const Item& gone = items_[index];
    Item& next = items_[index + 1];
    std::string rest(gone.rest, next.shared - gone.shared);
    rest.append(next.rest, next.rest_size);
    const std::string_view kept = Keep(std::move(rest));
    next = {next.value, kept.data(), static_cast<uint32_t>(kept.size()),
            gone.shared};
  }
  items_.erase(items_.begin() + static_cast<ptrdiff_t>(index));
}

OrderedItems::Extent OrderedItems::ExtentOf(size_t begin, size_t end) const {
  Extent extent;
  for (size_t i = begin; i < end; ++i) {
    extent.last_offset = extent.bytes;
    extent.bytes += items_[i].rest_size;
    if (i == begin) extent.bytes += items_[i].shared;
  }
  extent.bytes += (end - begin) * kBytesPerKey;
  return extent;
}

size_t OrderedItems::MiddleOf(size_t begin, size_t end) const {
  const size_t half = ExtentOf(begin, end).bytes / 2;
  size_t bytes = 0;
  size_t middle = begin;
  while (middle < end && bytes < half) {
    bytes += items_[middle++].rest_size + kBytesPerKey;
  }
  return middle;
}

absl::Span<const OrderedItems::Item> OrderedItems::PageItems(size_t begin,
                                                             size_t end) {
  if (begin < end && items_[begin].shared != 0) {
    const std::string_view key = Keep(KeyAt(begin));
    items_[begin] = ItemOf(key, items_[begin].value, 0);
  }
  return absl::MakeConstSpan(items_).subspan(begin, end - begin);
}

}  // namespace stave
