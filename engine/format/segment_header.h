#ifndef STAVE_ENGINE_FORMAT_SEGMENT_HEADER_H_
#define STAVE_ENGINE_FORMAT_SEGMENT_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/types.h"

namespace stave {

// The version of all layouts in FORMAT.md together.
inline constexpr uint32_t kFormatVersion = 1;

enum class SegmentKind : uint8_t {
  kLog = 1,     // sequences follow one another without a gap
  kMerged = 2,  // made by a merge: records of other segments, in any order
};

// Whether a kind is known.
bool IsSegmentKind(uint8_t byte);

// The first bytes of each segment file; FORMAT.md, "Segment header".
struct SegmentHeader {
  SegmentKind kind = SegmentKind::kLog;
  SegmentId id = 0;
  uint64_t salt = 0;  // random; the manifest has it too
};

inline constexpr size_t kSegmentHeaderBytes = 32;

std::string EncodeSegmentHeader(const SegmentHeader& header);

// DataLoss with what was found; InvalidArgument for a version or kind that
// this program does not know. The caller adds the file's name.
absl::StatusOr<SegmentHeader> DecodeSegmentHeader(std::string_view from);

}  // namespace stave

#endif  // STAVE_ENGINE_FORMAT_SEGMENT_HEADER_H_
