#ifndef STAVE_ENGINE_LOG_SEGMENT_BYTES_H_
#define STAVE_ENGINE_LOG_SEGMENT_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "engine/log/segment.h"

namespace stave {

// The bytes of a segment for one who goes through them, best from front to
// back. Those of a mapped segment are all at hand; another one's file is read,
// kReadBytes at a time, into memory that lives as long as anybody keeps it.
//
// Thread-compatible. Borrows the segment, or the bytes.
class SegmentBytes {
 public:
  static constexpr size_t kReadBytes = size_t{256} << 10;

  // A segment's bytes that are in memory, from its first one on.
  explicit SegmentBytes(std::string_view bytes)
      : size_(bytes.size()), data_(bytes.data()), length_(bytes.size()) {}
  // The segment's first `end` bytes.
  SegmentBytes(const Segment& segment, uint64_t end)
      : segment_(&segment),
        size_(end),
        data_(segment.data()),
        length_(segment.is_mapped() ? end : 0) {}

  uint64_t size() const { return size_; }

  // What is at hand from `offset` on: at least `least` bytes, or all there are.
  // Nothing where they can't be read: see status(). Valid as long as this, or
  // who has memory(), and the segment live; without memory() only until the
  // next call.
  std::string_view From(uint64_t offset, uint64_t least) {
    if (!IsAtHand(offset, least) && !Load(offset, least)) return {};
    return std::string_view(data_ + (offset - begin_),
                            length_ - (offset - begin_));
  }
  // What holds the bytes that From gave last; null where nothing needs to.
  const std::shared_ptr<const char[]>& memory() const { return memory_; }

  // What came of the last reading: DataLoss if the device has an error.
  const absl::Status& status() const { return status_; }

 private:
  bool IsAtHand(uint64_t offset, uint64_t least) const {
    return offset >= begin_ && offset - begin_ <= length_ &&
           (length_ - (offset - begin_) >= least || begin_ + length_ == size_);
  }
  bool Load(uint64_t offset, uint64_t least);

  const Segment* const segment_ = nullptr;
  const uint64_t size_;
  std::shared_ptr<const char[]> memory_;
  const char* data_;
  uint64_t begin_ = 0;  // of what is at hand
  uint64_t length_;
  absl::Status status_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_SEGMENT_BYTES_H_
