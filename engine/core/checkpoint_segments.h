#ifndef STAVE_ENGINE_CORE_CHECKPOINT_SEGMENTS_H_
#define STAVE_ENGINE_CORE_CHECKPOINT_SEGMENTS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/core/keydir_fill.h"
#include "engine/core/state.h"
#include "engine/format/checkpoint.h"
#include "engine/index/keydir.h"
#include "engine/log/segment.h"

namespace stave {

// The segments that a keydir checkpoint speaks of, among those that there are
// (I8): which of these it covers, where its keys' records lie, and what it says
// of live bytes. Believes no byte before it is checked. The const members are
// thread-safe.
class CheckpointSegments {
 public:
  // What one thread has come across.
  struct Counts {
    explicit Counts(size_t segments)
        : exact_bytes(segments), large(segments), expiring(segments) {}

    std::vector<uint64_t> exact_bytes;  // of records that entries tell exactly
    std::vector<uint64_t> large;        // of other records the number
    std::vector<uint64_t> expiring;     // of those that expire
  };

  // `present`: all segments with records, in log order.
  CheckpointSegments(std::vector<CheckpointSegment> bound,
                     std::vector<SegmentToRead>* present)
      : bound_(std::move(bound)), present_(*present) {}

  // FailedPrecondition if one is another than it was when the checkpoint was
  // written, DataLoss if they can't be those of a store.
  absl::Status Bind();

  // After Bind. Whether nothing else is to be read.
  bool covers_all() const { return covers_all_; }
  Counts NewCounts() const { return Counts(bound_.size()); }

  enum class Found { kNothing, kGone, kRecord };
  // Makes the location of `slot` the keydir's: kRecord. kGone if it was in a
  // segment that was merged since, kNothing if no record can lie there.
  Found Relocate(KeydirSlot* slot, Counts* counts) const;

  // Makes known what was counted; DataLoss if that is not what the checkpoint
  // says. For one that covers all.
  absl::Status Count(absl::Span<const Counts> counts, State* state) const;
  // Marks the segments whose records need not be offered to the keydir.
  void MarkCovered() const;

 private:
  // Where a segment's records are, in units of checkpoints' locations, and what
  // has to be added for the keydir's.
  struct Place {
    uint64_t begin = 0;
    uint64_t end = 0;
    uint64_t shift = 0;
    bool is_gone = false;  // it was merged since
  };

  absl::Status PlaceSegments(const std::vector<const Segment*>& segments);

  const std::vector<CheckpointSegment> bound_;
  std::vector<SegmentToRead>& present_;
  std::vector<Place> places_;   // by row
  std::vector<uint32_t> rows_;  // by granule
  std::vector<bool> covered_;   // of present_
  bool covers_all_ = false;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_CHECKPOINT_SEGMENTS_H_
