#ifndef STAVE_ENGINE_LOG_SEGMENT_PINS_H_
#define STAVE_ENGINE_LOG_SEGMENT_PINS_H_

#include <array>
#include <cstddef>

#include "absl/container/inlined_vector.h"
#include "engine/log/segment.h"

namespace stave {

// Pins of the segments that some entries name, until Clear or the end. Adding
// one costs a look and no more where it was added before: mostly the segment is
// pinned once then, and it may be pinned more often. Thread-compatible.
class SegmentPins {
 public:
  SegmentPins() = default;
  ~SegmentPins() { Clear(); }
  SegmentPins(const SegmentPins&) = delete;
  SegmentPins& operator=(const SegmentPins&) = delete;

  // The caller sees to it that the segment is still there.
  void Add(Segment* segment) {
    Segment*& last = last_[segment->id() % last_.size()];
    if (segment == last) return;
    segment->Pin();
    pinned_.push_back(segment);
    last = segment;
  }

  void Clear() {
    for (Segment* const segment : pinned_) segment->Unpin();
    pinned_.clear();
    last_.fill(nullptr);
  }

 private:
  absl::InlinedVector<Segment*, 16> pinned_;
  // The last one of each remainder of ids, so that few are pinned twice.
  std::array<Segment*, 64> last_{};
};

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_SEGMENT_PINS_H_
