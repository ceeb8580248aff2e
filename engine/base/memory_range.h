#ifndef STAVE_ENGINE_BASE_MEMORY_RANGE_H_
#define STAVE_ENGINE_BASE_MEMORY_RANGE_H_

#include <cstddef>

#include "absl/status/statusor.h"

namespace stave {

// Owns a range of anonymous, zero-filled, writable memory that is reserved as
// addresses only: a page of it takes memory from its first use on.
// Thread-compatible; the memory itself is for whoever holds it.
class MemoryRange {
 public:
  // Reserves `size` bytes, rounded up to whole pages. ResourceExhausted when
  // the process has no such range of addresses left.
  static absl::StatusOr<MemoryRange> Reserve(size_t size);

  MemoryRange() = default;
  MemoryRange(MemoryRange&& other) noexcept;
  MemoryRange& operator=(MemoryRange&& other) noexcept;
  ~MemoryRange();

  char* data() const { return data_; }
  size_t size() const { return size_; }

  // Asks for huge pages in [offset, offset + size); only a hint.
  void PreferHugePages(size_t offset, size_t size);
  // Gives the memory of [offset, offset + size) back; it reads as zeros then.
  void Release(size_t offset, size_t size);

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  char* mapping_ = nullptr;  // that the range lies in
  size_t mapping_size_ = 0;
};

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_MEMORY_RANGE_H_
