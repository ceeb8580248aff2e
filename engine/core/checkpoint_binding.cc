#include "engine/core/checkpoint_binding.h"

#include "engine/log/hint_file.h"

namespace stave {

CheckpointBinding CheckpointBinding::Of(const ManifestState& manifest,
                                        const KeyHasher& hasher) {
  CheckpointBinding binding;
  binding.store_id = manifest.base.store_id;
  binding.secret_check = HintSecretCheck(hasher);
  binding.log_end = manifest.clean_close->id;
  for (const ListedSegment& listed : manifest.segments) {
    const SegmentId id = listed.header.id;
    // Others are ready for use, and have no records.
    if (!listed.sealed.has_value() && id != binding.log_end) continue;
    binding.segments.push_back(
        {id, listed.header.salt,
         listed.sealed.value_or(manifest.clean_close->summary), 0});
  }
  return binding;
}

bool CheckpointBinding::Matches(
    const CheckpointHeader& header,
    const std::vector<CheckpointSegment>& of) const {
  CheckpointBinding other{header.store_id, header.secret_check, header.log_end,
                          of};
  for (CheckpointSegment& segment : other.segments) segment.live_bytes = 0;
  return other == *this;
}

}  // namespace stave
