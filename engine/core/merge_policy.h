#ifndef STAVE_ENGINE_CORE_MERGE_POLICY_H_
#define STAVE_ENGINE_CORE_MERGE_POLICY_H_

#include <cstdint>
#include <vector>

#include "engine/base/types.h"
#include "stave/merge.h"

namespace stave {

// Decides when to merge and what, from numbers alone.

// What a decision knows of a segment.
struct SegmentUse {
  SegmentId id = 0;
  uint64_t record_bytes = 0;  // all records, dead ones included
  uint64_t live_bytes = 0;
  // Of tombstones that an earlier merge found to be needed still.
  uint64_t kept_tombstone_bytes = 0;
  bool sealed = false;
  bool retained = false;  // for change feeds
  bool quarantined = false;

  uint64_t dead_bytes() const {
    return record_bytes > live_bytes ? record_bytes - live_bytes : 0;
  }
  // What a merge would free.
  uint64_t reclaimable_bytes() const {
    const uint64_t dead = dead_bytes();
    return dead > kept_tombstone_bytes ? dead - kept_tombstone_bytes : 0;
  }
};

// The bound on the bytes of segment files, and what leads up to it. What is
// held against it is SpaceLedger's sum, in which an output has its room from
// before its merge begins: so a merge changes it only by what it frees.
struct SpaceBudget {
  // From `live_bytes`, the capacity of new segments and the largest record.
  SpaceBudget(double max_amplification, uint64_t live_bytes, uint64_t capacity);

  uint64_t bound = 0;    // never to be exceeded
  uint64_t blocked = 0;  // the log gets no space above it
  uint64_t urgent = 0;   // above it a merge can't take its time
  uint64_t due = 0;      // above it there is reason to merge
};

// How much time a byte written must take at least, in nanoseconds, when
// `used_bytes` are held against the budget: nothing up to half-way from where a
// merge is due, then more the nearer writers get to being blocked; so that they
// meet the merge's speed.
double WriteDelayNsPerByte(const SpaceBudget& budget, uint64_t used_bytes);

// How urgent a merge is then: 0 where it became due, 1 where it is urgent, or
// writers would be slowed before it has ended.
double MergeUrgency(const SpaceBudget& budget, uint64_t used_bytes);

// The inputs of one merge in the background: those of which most is dead, as
// many as fill one output of `capacity` bytes, or fewer if little of them is
// live, so that it does not take long. Indexes; empty when nothing would be
// freed.
std::vector<size_t> ChooseInputs(const std::vector<SegmentUse>& segments,
                                 uint64_t capacity);

// What Store::Merge does with each segment.
MergePlan PlanWholeMerge(const std::vector<SegmentUse>& segments,
                         double max_amplification, bool all);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_MERGE_POLICY_H_
