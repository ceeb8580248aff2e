#include "engine/index/ordered_page.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

namespace stave {
namespace {

constexpr size_t kHeadBytes = sizeof(uint32_t);
constexpr size_t kCacheLineBytes = 64;
constexpr size_t kMostPrefetchedBytes = 1024;

static_assert(std::endian::native == std::endian::little);

// Its first bytes as a number of the same order. Where there are fewer, zeros
// stand for them: heads that differ tell the order of keys, equal ones nothing.
uint32_t HeadOf(std::string_view bytes) {
  uint32_t head = 0;
  if (bytes.size() >= kHeadBytes) {
    std::memcpy(&head, bytes.data(), kHeadBytes);
  } else if (!bytes.empty()) {
    std::memcpy(&head, bytes.data(), bytes.size());
  }
  return __builtin_bswap32(head);
}

}  // namespace

size_t CommonBytes(std::string_view a, std::string_view b) {
  const size_t most = std::min(a.size(), b.size());
  size_t at = 0;
  for (; at + sizeof(uint64_t) <= most; at += sizeof(uint64_t)) {
    uint64_t of_a = 0, of_b = 0;
    std::memcpy(&of_a, &a[at], sizeof(of_a));
    std::memcpy(&of_b, &b[at], sizeof(of_b));
    if (of_a == of_b) continue;
    return at + static_cast<size_t>(std::countr_zero(of_a ^ of_b)) / 8;
  }
  while (at < most && a[at] == b[at]) ++at;
  return at;
}

size_t OrderedPage::SizeFor(size_t count, size_t rest_bytes) {
  static_assert(sizeof(OrderedPage) % sizeof(uint64_t) == 0);
  return sizeof(OrderedPage) + SearchedBytes(count) + count * sizeof(uint64_t) +
         rest_bytes;
}

size_t OrderedPage::bytes() const {
  // What malloc of the C library takes for it.
  constexpr size_t kUnit = 16, kOwn = 8;
  return (SizeFor(count_, rest_bytes_) + kOwn + kUnit - 1) / kUnit * kUnit;
}

OrderedPage::Owner OrderedPage::New(int level, uint64_t before,
                                    absl::Span<const Item> items) {
  uint32_t rest_bytes = 0;
  for (const Item& item : items) rest_bytes += item.rest_size;
  void* const memory =
      ::operator new(SizeFor(items.size(), rest_bytes), std::nothrow);
  if (memory == nullptr) return nullptr;
  return Owner(new (memory) OrderedPage(level, before, items, rest_bytes));
}

void OrderedPage::Free::operator()(OrderedPage* page) const {
  page->~OrderedPage();
  ::operator delete(page);
}

OrderedPage::OrderedPage(int level, uint64_t before,
                         absl::Span<const Item> items, uint32_t rest_bytes)
    : before_(before),
      rest_bytes_(rest_bytes),
      count_(static_cast<uint16_t>(items.size())),
      level_(static_cast<uint8_t>(level)) {
  CopyRests(items);
  MakeHeads();
}

void OrderedPage::CopyRests(absl::Span<const Item> items) {
  // Most come from another page, and lie one behind the other there as well.
  const char* run = nullptr;
  uint32_t run_offset = 0;
  uint32_t offset = 0;
  const auto copy_run = [&] {
    if (offset == run_offset) return;
    std::memcpy(rests() + run_offset, run, offset - run_offset);
  };
  for (size_t i = 0; i < count_; ++i) {
    const Item& item = items[i];
    new (&values()[i])
        std::atomic<uint64_t>(item.value | uint64_t{offset} << kValueBits);
    shared()[i] = item.shared;
    if (run == nullptr || item.rest != run + (offset - run_offset)) {
      copy_run();
      run = item.rest;
      run_offset = offset;
    }
    offset += item.rest_size;
  }
  copy_run();
}

void OrderedPage::MakeHeads() {
  if (count_ == 0) return;
  const uint16_t* const others = shared() + 1;
  const size_t all = count_ == 1
                         ? RestOf(0).size()
                         : *std::min_element(others, others + count_ - 1);
  prefix_ = static_cast<uint16_t>(all);
  std::string_view first = RestOf(0);
  first.remove_prefix(prefix_);
  uint32_t head = heads()[0] = HeadOf(first);
  for (size_t i = 1; i < count_; ++i) {
    const size_t same = shared()[i] - prefix_;
    if (same < kHeadBytes) {
      const auto bits = static_cast<uint32_t>(same * 8);
      head = (head & ~(UINT32_MAX >> bits)) | HeadOf(RestOf(i)) >> bits;
    }
    heads()[i] = head;
  }
}

OrderedPage::Item OrderedPage::item(size_t index) const {
  const std::string_view rest = RestOf(index);
  return {value(index), rest.data(), static_cast<uint32_t>(rest.size()),
          shared()[index]};
}

// What a key shares with the one before it stands in that one's rest, or
// further in front.
std::string OrderedPage::KeyAt(size_t index) const {
  const Item last = item(index);
  std::string key(last.shared, '\0');
  key.append(last.rest, last.rest_size);
  for (size_t missing = last.shared; missing > 0;) {
    const Item before = item(--index);
    if (before.shared >= missing) continue;
    std::memcpy(&key[before.shared], before.rest, missing - before.shared);
    missing = before.shared;
  }
  return key;
}

OrderedPage::Place OrderedPage::LowerBound(std::string_view key) const {
  if (count_ == 0) return {};
  if (prefix_ != 0) {
    const std::string_view prefix(rests(), prefix_);
    const size_t same = CommonBytes(prefix, key);
    if (same == key.size() && same < prefix_) return {0};
    if (same < prefix_) {
      const bool is_less = static_cast<unsigned char>(key[same]) <
                           static_cast<unsigned char>(prefix[same]);
      return {is_less ? size_t{0} : count_};
    }
  }

  const uint32_t head = HeadOf(key.substr(prefix_));
  const uint32_t* first = heads();
  for (size_t left = count_; left > 1; left -= left / 2) {
    first += left / 2 * (first[left / 2 - 1] < head ? 1 : 0);
  }
  size_t at = static_cast<size_t>(first - heads()) + (*first < head ? 1 : 0);
  if (at == count_ || heads()[at] != head) return {at};

  // So many of the key's first bytes the keys before `at` have, but not the
  // next one; they are less. What shares more with the one before it is less as
  // well, what shares fewer is greater. For the first key of this head, too: it
  // differs from the one before it within the head, at a byte that is not 0,
  // and up to there it is what was looked for.
  size_t matched = shared()[at];
  for (; at < count_; ++at) {
    if (shared()[at] > matched) continue;
    if (shared()[at] < matched) break;
    const std::string_view rest = RestOf(at);
    const size_t common = CommonBytes(rest, key.substr(matched));
    matched += common;
    if (common == rest.size()) {
      if (matched == key.size()) return {at, true};
      continue;  // it is what the key begins with
    }
    if (matched == key.size()) break;
    if (static_cast<unsigned char>(key[matched]) <
        static_cast<unsigned char>(rest[common])) {
      break;
    }
  }
  return {at};
}

void OrderedPage::Prefetch() const {
  const char* const bytes = reinterpret_cast<const char*>(this);
  for (size_t at = 0; at < kMostPrefetchedBytes; at += kCacheLineBytes) {
    __builtin_prefetch(bytes + at);
  }
}

}  // namespace stave
