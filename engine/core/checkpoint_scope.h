#ifndef STAVE_ENGINE_CORE_CHECKPOINT_SCOPE_H_
#define STAVE_ENGINE_CORE_CHECKPOINT_SCOPE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/format/manifest_edit.h"
#include "engine/index/keydir.h"
#include "engine/log/manifest.h"
#include "engine/log/segment.h"
#include "engine/log/segment_set.h"

namespace stave {

// The sealed segments of a store at one time, in log order: what a keydir
// checkpoint covers. While this holds them, their ranges of locations are not
// used again, whatever merges do (I6).
struct CheckpointScope {
  struct Covered {
    std::shared_ptr<Segment> segment;
    SegmentSummary summary;
  };

  static CheckpointScope Of(const ManifestState& manifest,
                            const SegmentSet& segments);

  // Of records in those of `all` that are not covered.
  uint64_t UncoveredBytes(const SegmentSet& all) const;

  uint64_t store_id = 0;
  std::vector<Covered> segments;
};

// Where the locations of a scope's segments are in its checkpoint, which counts
// them in a space of its own, one segment behind another. Immutable.
class CheckpointPlaces {
 public:
  CheckpointPlaces(const CheckpointScope& scope, const SegmentSet& segments);

  // Makes the entry's location the checkpoint's. False if its record is in a
  // segment that is not covered: recovery finds it there, or what came after
  // it.
  bool Relocate(KeydirSlot* slot) const;

 private:
  static constexpr uint64_t kNowhere = UINT64_MAX;

  // What is to be added to the units of locations, by granule.
  std::vector<uint64_t> shifts_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_CHECKPOINT_SCOPE_H_
