#ifndef STAVE_ENGINE_CORE_CHECKPOINT_SURVEY_H_
#define STAVE_ENGINE_CORE_CHECKPOINT_SURVEY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "engine/fs/file_system.h"
#include "engine/log/file_window.h"

namespace stave {

// Where a keydir checkpoint is not as it was written.
struct BadCheckpointRange {
  ByteRange bytes;
  std::string what;
};

// The first thing that is wrong with KEYDIR-<generation>, of `size` bytes. A
// checkpoint that has no header yet is none: so it is while it is being
// written. Nothing is wrong with one of an unknown version, either, or with one
// that tells of another state of the store than there is now.
//
// Reads the file through two megabytes of memory, without mapping it.
std::optional<BadCheckpointRange> SurveyCheckpoint(const File& file,
                                                   uint64_t size,
                                                   uint64_t generation);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_CHECKPOINT_SURVEY_H_
