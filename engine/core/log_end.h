#ifndef STAVE_ENGINE_CORE_LOG_END_H_
#define STAVE_ENGINE_CORE_LOG_END_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/memory_range.h"
#include "engine/base/types.h"
#include "engine/fs/file_system.h"
#include "engine/log/manifest.h"

namespace stave {

// A segment that was not sealed, as far as its records are valid and next in
// sequence.
struct UnsealedSegment {
  SegmentHeader header;
  SegmentSummary summary;
  uint64_t file_bytes = 0;
  uint64_t synced_length = 0;  // what sync marks vouch for
  bool in_log = false;  // false: it is behind the log's end, to be removed
};

// Where a log ends that was not closed, or that somebody else is writing.
struct LogEnd {
  // In log order.
  std::vector<UnsealedSegment> segments;
  Sequence last_sequence = 0;
  uint64_t bytes_cut = 0;
  int64_t clock_floor_ms = 0;  // the greatest of all sync marks (I12)
};

// Whether a segment's file, which begins with `bytes`, is the one that the
// manifest names with `expected`; else DataLoss.
absl::Status CheckSegmentHeader(const Directory& directory,
                                std::string_view bytes,
                                const SegmentHeader& expected);

// The length of segment file `name`. DataLoss if no segment is that long: a
// length is bounded before memory is taken for it.
absl::StatusOr<uint64_t> SegmentFileSize(const Directory& directory,
                                         std::string_view name,
                                         const File& file);

// Finds the end of the log that `manifest` lists (reliability rules I2, I3).
// DataLoss, with file and offset, if bytes that a sync mark or a clean close
// vouches for are not valid. Reads files without mapping them, since their
// writer may cut them meanwhile; changes nothing.
absl::StatusOr<LogEnd> FindLogEnd(Directory* directory,
                                  const ManifestState& manifest);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_LOG_END_H_
