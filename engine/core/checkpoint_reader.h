#ifndef STAVE_ENGINE_CORE_CHECKPOINT_READER_H_
#define STAVE_ENGINE_CORE_CHECKPOINT_READER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/types.h"
#include "engine/core/keydir_fill.h"
#include "engine/core/state.h"
#include "engine/fs/file_system.h"

namespace stave {

// The store that a keydir checkpoint is to be of (I8).
struct CheckpointedStore {
  uint64_t store_id = 0;
  Sequence last_sequence = 0;  // of the log that was found
  // All segments with records, in log order, in the state's set of segments.
  std::vector<SegmentToRead>* segments = nullptr;
};

// Whether KEYDIR-<generation> was written to its end: it has a header, which is
// written last.
bool IsWholeCheckpoint(Directory* directory, uint64_t generation);

enum class CheckpointCoverage {
  kSome,  // other segments are to be read, and live records to be counted
  kAll,   // nothing is left to be done
};

// Fills the empty keydir of `state` from KEYDIR-<generation>, and marks those
// segments as covered whose records need not be offered to it any more: up to
// the first one that the checkpoint does not speak of, or that is another than
// it was then. Where it covers all there is, also sets what is counted: live
// bytes, and whether keys have expiries.
//
// What a checkpoint says of a segment that was removed since is left out. Why
// the rest is right, DESIGN.md tells, "Keydir checkpoints".
//
// Believes no byte before it is checked: each page against its checksum, and
// each key's location against the ends of the segment that it is in. After an
// error (NotFound, or FailedPrecondition for one of another store or of a log
// that ended later, Unimplemented for one of the other kind of keydir, DataLoss
// for damage) nothing is counted or marked, but the keydir is of no use: begin
// with a new one.
absl::StatusOr<CheckpointCoverage> ReadCheckpoint(
    Directory* directory, uint64_t generation, const CheckpointedStore& store,
    State* state, size_t threads);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_CHECKPOINT_READER_H_
