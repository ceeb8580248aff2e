#ifndef STAVE_ENGINE_CORE_KEYDIR_FILL_H_
#define STAVE_ENGINE_CORE_KEYDIR_FILL_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/state.h"
#include "engine/format/manifest_edit.h"
#include "engine/log/segment.h"

namespace stave {

// A segment to be walked, and what its records must turn out to be.
struct SegmentToRead {
  std::shared_ptr<Segment> segment;
  SegmentSummary summary;
  bool check_bodies = true;
};

// Fills the empty keydir of `state` from segments, which are in log order and
// in state->segments, on `threads` threads, and counts their live bytes.
// DataLoss, with file and offset, if records are not as they should be.
absl::Status FillKeydir(State* state,
                        const std::vector<SegmentToRead>& segments,
                        size_t threads);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_KEYDIR_FILL_H_
