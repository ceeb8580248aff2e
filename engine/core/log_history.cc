#include "engine/core/log_history.h"

#include <vector>

namespace stave {

uint64_t IncarnationOf(const ManifestState& manifest) {
  return manifest.incarnations.empty() ? manifest.base.store_id
                                       : manifest.incarnations.back().id;
}

bool IsOfThisLog(const ManifestState& manifest, const FeedPosition& position) {
  const std::vector<IncarnationChange>& all = manifest.incarnations;
  for (auto each = all.rbegin(); each != all.rend(); ++each) {
    if (each->id == position.incarnation) return true;
    if (position.sequence > each->since) return false;
  }
  // The first one is known as long as none has been forgotten.
  return all.size() < kMostIncarnations &&
         position.incarnation == manifest.base.store_id;
}

std::set<SegmentId> LatestSealed(const ManifestState& manifest,
                                 uint64_t bytes) {
  std::set<SegmentId> latest;
  uint64_t taken = 0;
  const auto& all = manifest.segments;
  for (auto each = all.rbegin(); each != all.rend() && taken < bytes; ++each) {
    if (each->header.kind != SegmentKind::kLog || !each->sealed) continue;
    // No feed gets this far back.
    if (each->sealed->greatest_sequence <= manifest.merged_through) break;
    taken += each->sealed->length;
    latest.insert(each->header.id);
  }
  return latest;
}

}  // namespace stave
