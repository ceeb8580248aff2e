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

// Unmaps what lies outside [begin, begin + size) of the mapping.
char* Trim(char* mapping, size_t mapping_size, char* begin, size_t size) {
  const size_t head = static_cast<size_t>(begin - mapping);
  const size_t tail = mapping_size - head - size;
  if (head != 0) munmap(mapping, head);
  if (tail != 0) munmap(begin + size, tail);
  return begin;
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
  char* start = static_cast<char*>(mapping);
  const uintptr_t address = reinterpret_cast<uintptr_t>(start);
  MemoryRange range;
  range.data_ = Trim(start, size + slack,
                     start + (RoundUp(address, alignment) - address), size);
  range.size_ = size;
  return range;
}

MemoryRange::MemoryRange(MemoryRange&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MemoryRange& MemoryRange::operator=(MemoryRange&& other) noexcept {
  // What was this range's leaves with `other`.
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MemoryRange::~MemoryRange() {
  if (data_ != nullptr) munmap(data_, size_);
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
