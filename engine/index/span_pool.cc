#include "engine/index/span_pool.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace stave {
namespace {

#if defined(ABSL_HAVE_THREAD_SANITIZER) || defined(ABSL_HAVE_ADDRESS_SANITIZER)
// The sanitizers keep books on every byte.
constexpr size_t kMaxRangeBytes = size_t{4} << 30;
#else
// Lines are numbered in 32 bits.
constexpr size_t kMaxRangeBytes = sizeof(Line) << 32;
#endif
constexpr size_t kMinRangeBytes = size_t{16} << 20;

constexpr size_t kHugePageBytes = size_t{2} << 20;
constexpr uint32_t kSpansPerHugePage = kHugePageBytes / kSpanBytes;
// Below this the range is not in huge pages: the last of them, half empty on
// average, would show in the bytes a key.
constexpr size_t kMinHugeRangeBytes = size_t{64} << 20;

// One span in 64 may be kept for later, and always a few.
constexpr size_t kMinSpansKept = 2;
constexpr size_t kSpansPerSpanKept = 64;

size_t PreferredRangeBytes() {
  const size_t memory = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) *
                        static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return std::min(std::bit_ceil(2 * memory), kMaxRangeBytes);
}

}  // namespace

absl::StatusOr<uint32_t> SpanPool::Take() {
  SpinLockHolder hold(&lock_);
  for (absl::btree_set<uint32_t>* free : {&kept_, &released_}) {
    if (free->empty()) continue;
    const uint32_t number = *free->begin();
    free->erase(free->begin());
    return number;
  }
  return Extend();
}

absl::StatusOr<uint32_t> SpanPool::Extend() {
  if (lines_ == nullptr) {
    RETURN_IF_ERROR(Reserve());
  }
  if (size_ == range_.size() / kSpanBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("keydir: all ", range_.size(), " bytes are in use"));
  }
  if (size_ % kSpansPerHugePage == 0) PreferHugePages();
  return size_++;
}

absl::Status SpanPool::Reserve() {
  size_t bytes = PreferredRangeBytes();
  absl::StatusOr<MemoryRange> range = MemoryRange::Reserve(bytes);
  while (!range.ok() && bytes > kMinRangeBytes) {
    bytes /= 2;
    range = MemoryRange::Reserve(bytes);
  }
  if (!range.ok()) return range.status();
  range_ = *std::move(range);
  lines_ = reinterpret_cast<Line*>(range_.data());
  return absl::OkStatus();
}

void SpanPool::Expect(size_t spans) {
  SpinLockHolder hold(&lock_);
  if (spans * kSpanBytes < kMinHugeRangeBytes) return;
  if (lines_ == nullptr && !Reserve().ok()) return;  // Take will say so
  range_.PreferHugePages(0, kMinHugeRangeBytes);
}

void SpanPool::PreferHugePages() {
  const size_t used = size_ * kSpanBytes;
  // What was there before that stays in small pages. If the kernel were told to
  // prefer huge ones there, too, its khugepaged would join them, with the
  // address space locked for as long as it, of the lowest priority, waits for a
  // processor: writers were seen to wait 400 ms for a page.
  if (used < kMinHugeRangeBytes) return;
  range_.PreferHugePages(used, std::min(kHugePageBytes, range_.size() - used));
}

void SpanPool::Return(uint32_t number) {
  {
    SpinLockHolder hold(&lock_);
    kept_.insert(number);
  }
  while (const std::optional<uint32_t> excess = TakeExcess()) {
    // A system call, so not under a lock that others spin for.
    range_.Release(*excess * kSpanBytes, kSpanBytes);
    SpinLockHolder hold(&lock_);
    released_.insert(*excess);
  }
}

// A span that had better not be kept, if there is one.
std::optional<uint32_t> SpanPool::TakeExcess() {
  SpinLockHolder hold(&lock_);
  const size_t taken = size_ - kept_.size() - released_.size();
  if (kept_.size() <= kMinSpansKept + taken / kSpansPerSpanKept) {
    return std::nullopt;
  }
  const uint32_t number = *kept_.rbegin();
  kept_.erase(number);
  return number;
}

uint64_t SpanPool::bytes() const {
  SpinLockHolder hold(&lock_);
  return (size_ - released_.size()) * kSpanBytes;
}

}  // namespace stave
