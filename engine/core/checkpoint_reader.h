#ifndef STAVE_ENGINE_CORE_CHECKPOINT_READER_H_
#define STAVE_ENGINE_CORE_CHECKPOINT_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/checkpoint_binding.h"
#include "engine/core/state.h"
#include "engine/fs/file_system.h"
#include "engine/log/segment.h"

namespace stave {

// Fills the empty keydir of `state` from KEYDIR-<generation>, and sets what is
// counted of it: live bytes, and whether keys have expiries. `segments` are
// those that are bound, in their order, in state->segments.
//
// Believes no byte before it is checked: each page against its checksum, and
// each key's location against the ends of the segment that it is in. After an
// error (I8: NotFound or FailedPrecondition for one that is bound to another
// state, DataLoss for damage) nothing is counted, but the keydir is of no use:
// begin with a new one.
absl::Status ReadCheckpoint(
    Directory* directory, uint64_t generation, const CheckpointBinding& binding,
    const std::vector<std::shared_ptr<Segment>>& segments, State* state,
    size_t threads);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_CHECKPOINT_READER_H_
