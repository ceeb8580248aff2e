#ifndef STAVE_ENGINE_CORE_RECOVERY_H_
#define STAVE_ENGINE_CORE_RECOVERY_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/core/checkpoint_keeper.h"
#include "engine/core/state.h"
#include "engine/fs/file_system.h"
#include "engine/log/hint_writer.h"
#include "engine/log/manifest.h"
#include "engine/log/segment_writer.h"
#include "stave/options.h"

namespace stave {

// The state of a store that is being opened, and where its log goes on.
struct RecoveredStore {
  std::unique_ptr<Manifest> manifest;  // null in a read-only open
  ManifestState listed;                // of a read-only one: what it has read
  std::unique_ptr<State> state;
  std::unique_ptr<SegmentWriter> active;  // null: the log goes on in a new one
  Sequence last_sequence = 0;
  uint64_t bytes_cut = 0;
  // Sealed segments without a valid hint file.
  std::vector<HintWriter::Sealed> without_hint;
  CheckpointKeeper::Found checkpoint;
};

// How large a new segment is made: an eighth of the store's live bytes, at
// least 1 MiB where `segment_size_bytes` allows it, and at most that.
uint64_t SegmentCapacity(uint64_t live_bytes, uint64_t segment_size_bytes);

// Opening a store that exists. In this order:
//  1. Read the manifest; check that every segment and dictionary that it lists
//     is there, and that no other file holds records. A backup that was never
//     finished is FailedPrecondition.
//  2. Find where the log ends: the unsealed segments are walked in log order
//     up to the first record that is not valid or not the next in sequence.
//     What a sync mark, or a clean close, vouches for must be there (DataLoss
//     otherwise, and nothing is changed); all else behind the end is cut off.
//  3. Fill the keydir: from a keydir checkpoint, if there is one of this store
//     and for this kind of keydir, and then, in parallel, from the segments
//     that it does not cover, of which hint files are read where they are
//     valid, and else the records; the later record of a key wins, and
//     tombstones stand in it until all are through.
//  4. A writer makes this durable after any end but a clean close: a whole new
//     manifest, the valid bytes above the last mark written once more (so that
//     an error of writing them back that died with the process can't hide),
//     and one edit that seals the log at its end. Hint files that are not
//     valid, or of no segment, are removed, and checkpoints but the one read;
//     if none was, one for the other kind of keydir stays. A sound dictionary
//     that is not listed is listed.
// A read-only open does 1 to 3 in memory alone.
absl::StatusOr<RecoveredStore> Recover(Directory* directory,
                                       const Options& options, Clock* clock);

// The manifest of a new store, with an id and a secret of its own.
ManifestState NewManifestState();

// Makes an empty store in a directory that holds none.
absl::StatusOr<RecoveredStore> CreateStore(Directory* directory,
                                           const Options& options,
                                           Clock* clock);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_RECOVERY_H_
