#ifndef STAVE_ENGINE_LOG_HINT_SURVEY_H_
#define STAVE_ENGINE_LOG_HINT_SURVEY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/key_hash.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"
#include "engine/log/file_window.h"

namespace stave {

// Where a hint file is not as it was written.
struct BadHintRange {
  ByteRange bytes;
  std::string what;
};

// The first thing that is wrong with the hint file of a sealed segment, of
// `size` bytes. Nothing is wrong with one that is cut or has no header: so it
// is while it is being written, and so a crash leaves it. Nor with one of a
// version that this program does not know.
//
// Reads the file through two megabytes of memory, without mapping it.
std::optional<BadHintRange> SurveyHintFile(const File& file, uint64_t size,
                                           const SegmentHeader& segment,
                                           const SegmentSummary& summary,
                                           const KeyHasher& hasher);

// Where the records stand that a hint file names, in order: of each key in the
// segment the last one. Nothing if anything is wrong with the file, or it is
// not finished. Reads as SurveyHintFile does.
std::optional<std::vector<uint64_t>> OffsetsInHintFile(
    const File& file, uint64_t size, const SegmentHeader& segment,
    const SegmentSummary& summary, const KeyHasher& hasher);

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_HINT_SURVEY_H_
