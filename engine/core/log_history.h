#ifndef STAVE_ENGINE_CORE_LOG_HISTORY_H_
#define STAVE_ENGINE_CORE_LOG_HISTORY_H_

#include <cstdint>
#include <set>

#include "engine/base/types.h"
#include "engine/log/manifest.h"
#include "stave/change_feed.h"

namespace stave {

// What a manifest tells of the log's past: of records that merges have taken,
// and of those that recoveries have cut off. Pure functions.

// The present incarnation's id.
uint64_t IncarnationOf(const ManifestState& manifest);

// Whether who has read the log up to `position` has read what is in it now:
// no recovery since has cut it off in front of there. Says nothing of whether
// the log goes so far.
bool IsOfThisLog(const ManifestState& manifest, const FeedPosition& position);

// The latest sealed segments of the log that have `bytes` bytes together, or
// all up to where merges have taken one.
std::set<SegmentId> LatestSealed(const ManifestState& manifest, uint64_t bytes);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_LOG_HISTORY_H_
