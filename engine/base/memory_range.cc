#include "engine/base/memory_range.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace stave {
namespace {

// Ranges that are large enough start where a huge page can.
constexpr size_t kHugePageBytes = size_t{2} << 20;

size_t PageBytes() {
  static const size_t bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

uintptr_t RoundUp(uintptr_t value, size_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

absl::StatusOr<MemoryRange> MemoryRange::Reserve(size_t size) {
  const size_t alignment = size < kHugePageBytes ? PageBytes() : kHugePageBytes;
  const size_t slack = alignment - PageBytes();
  if (size > std::numeric_limits<size_t>::max() / 2) {
    return absl::ResourceExhaustedError(
        absl::StrCat("reserve memory: ", size, " bytes are no range"));
  }
  size = RoundUp(size, PageBytes());
  void* mapping =
      mmap(nullptr, size + slack, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, /*fd=*/-1, 0);
  if (mapping == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "reserve memory: ", size, " bytes: ", std::strerror(errno)));
  }
  const uintptr_t address = reinterpret_cast<uintptr_t>(mapping);
  MemoryRange range;
  // What lies outside stays mapped: it is addresses alone, and to give it back
  // takes two calls.
  range.mapping_ = static_cast<char*>(mapping);
  range.mapping_size_ = size + slack;
  range.data_ = range.mapping_ + (RoundUp(address, alignment) - address);
  range.size_ = size;
  return range;
}

MemoryRange::MemoryRange(MemoryRange&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapping_(std::exchange(other.mapping_, nullptr)),
      mapping_size_(std::exchange(other.mapping_size_, 0)) {}

MemoryRange& MemoryRange::operator=(MemoryRange&& other) noexcept {
  // What was this range's leaves with `other`.
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(mapping_, other.mapping_);
  std::swap(mapping_size_, other.mapping_size_);
  return *this;
}

MemoryRange::~MemoryRange() {
  if (mapping_ != nullptr) munmap(mapping_, mapping_size_);
}

void MemoryRange::PreferHugePages(size_t offset, size_t size) {
  // A kernel without huge pages says no, and all is well.
  (void)madvise(data_ + offset, size, MADV_HUGEPAGE);
}

void MemoryRange::Release(size_t offset, size_t size) {
  // Private anonymous memory: refused only for addresses that aren't ours.
  (void)madvise(data_ + offset, size, MADV_DONTNEED);
}

}  // namespace stave
