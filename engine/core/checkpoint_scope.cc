#include "engine/core/checkpoint_scope.h"

#include <algorithm>
#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "engine/format/checkpoint.h"
#include "engine/format/segment_header.h"

namespace stave {

CheckpointScope CheckpointScope::Of(const ManifestState& manifest,
                                    const SegmentSet& segments) {
  absl::flat_hash_map<SegmentId, std::shared_ptr<Segment>> open;
  for (auto& segment : segments.All()) open[segment->id()] = segment;
  CheckpointScope scope;
  scope.store_id = manifest.base.store_id;
  for (const ListedSegment& listed : manifest.segments) {
    if (!listed.sealed.has_value()) continue;
    const auto found = open.find(listed.header.id);
    // Installed, but not open as yet; or merged meanwhile.
    if (found == open.end()) continue;
    scope.segments.push_back({found->second, *listed.sealed});
  }
  return scope;
}

uint64_t CheckpointScope::UncoveredBytes(const SegmentSet& all) const {
  uint64_t bytes = 0;
  for (const std::shared_ptr<Segment>& segment : all.All()) {
    const bool is_covered =
        std::any_of(segments.begin(), segments.end(),
                    [&](const auto& each) { return each.segment == segment; });
    if (!is_covered) bytes += segment->end() - kSegmentHeaderBytes;
  }
  return bytes;
}

CheckpointPlaces::CheckpointPlaces(const CheckpointScope& scope,
                                   const SegmentSet& segments)
    : shifts_(segments.GranuleCount(), kNowhere) {
  uint64_t granule = 1;
  for (const auto& [segment, summary] : scope.segments) {
    const Location first = segment->LocationOf(0);
    const size_t begin = SegmentSet::GranuleOf(first);
    const uint64_t granules = CheckpointGranules(summary.length);
    for (size_t i = begin; i < begin + granules && i < shifts_.size(); ++i) {
      shifts_[i] = (granule << kCheckpointGranuleUnitBits) - first.unit;
    }
    granule += granules;
  }
}

bool CheckpointPlaces::Relocate(KeydirSlot* slot) const {
  const size_t granule = SegmentSet::GranuleOf(slot->entry().location());
  const uint64_t shift = granule < shifts_.size() ? shifts_[granule] : kNowhere;
  if (shift == kNowhere) return false;
  slot->tagged_entry += shift << KeydirEntry::kLocationShift;
  return true;
}

}  // namespace stave
