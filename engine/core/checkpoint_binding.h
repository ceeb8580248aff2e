#ifndef STAVE_ENGINE_CORE_CHECKPOINT_BINDING_H_
#define STAVE_ENGINE_CORE_CHECKPOINT_BINDING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/key_hash.h"
#include "engine/base/types.h"
#include "engine/format/checkpoint.h"
#include "engine/log/manifest.h"

namespace stave {

// What a keydir checkpoint is bound to (I8): a clean close of this store, and
// each segment that there was then, with its records. The keydir follows from
// these alone. So a checkpoint that is bound to them is right, whenever it was
// written, and one that is not is of no use, whatever it says.
struct CheckpointBinding {
  // `manifest` was closed cleanly.
  static CheckpointBinding Of(const ManifestState& manifest,
                              const KeyHasher& hasher);

  // Whether a checkpoint with this header and these segments is bound so.
  bool Matches(const CheckpointHeader& header,
               const std::vector<CheckpointSegment>& of) const;

  friend bool operator==(const CheckpointBinding&,
                         const CheckpointBinding&) = default;

  uint64_t store_id = 0;
  uint32_t secret_check = 0;
  SegmentId log_end = 0;
  std::vector<CheckpointSegment> segments;  // in log order, live_bytes 0
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_CHECKPOINT_BINDING_H_
