#include "engine/core/checkpoint_segments.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/base/durability_site.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"

namespace stave {
namespace {

constexpr uint64_t kMaxGranules =
    uint64_t{1} << (kLocationBits - kCheckpointGranuleUnitBits);
constexpr uint64_t kLeastRecordUnits = kLeastRecordBytes / kRecordAlignment;
constexpr uint64_t kLeastLargeUnits =
    KeydirEntry::kMaxExactSize / kRecordAlignment + 1;

}  // namespace

absl::Status CheckpointSegments::Bind() {
  absl::flat_hash_map<SegmentId, size_t> rows;
  for (size_t i = 0; i < bound_.size(); ++i) rows[bound_[i].id] = i;
  std::vector<const Segment*> segments(bound_.size());
  bool behind_another = false;
  for (const SegmentToRead& each : present_) {
    const auto row = rows.find(each.segment->id());
    const bool is_bound = row != rows.end();
    behind_another |= !is_bound;
    // I8: what stands behind a merge's output may hide what that holds.
    const bool is_covered =
        is_bound && !DURABILITY_SITE(kCheckpointOrder, behind_another);
    covered_.push_back(is_covered);
    if (!is_bound) continue;
    const CheckpointSegment& bound = bound_[row->second];
    const bool is_another = bound.salt != each.segment->header().salt ||
                            bound.summary != each.summary;
    if (DURABILITY_SITE(kCheckpointBinding, is_another)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "segment ", bound.id, " is not what the checkpoint says"));
    }
    segments[row->second] = each.segment.get();
  }
  covers_all_ = !behind_another && present_.size() == bound_.size();
  return PlaceSegments(segments);
}

// By row of the table; null: there is no such segment any more.
absl::Status CheckpointSegments::PlaceSegments(
    const std::vector<const Segment*>& segments) {
  rows_.assign(1, 0);
  for (size_t i = 0; i < bound_.size(); ++i) {
    const uint64_t length = bound_[i].summary.length;
    const uint64_t granules = CheckpointGranules(length);
    if (granules > kMaxGranules - rows_.size()) {
      return absl::DataLossError("a store can't have so long segments");
    }
    const uint64_t first = rows_.size() << kCheckpointGranuleUnitBits;
    Place place{first + kSegmentHeaderBytes / kRecordAlignment,
                first + length / kRecordAlignment, 0, segments[i] == nullptr};
    if (!place.is_gone) place.shift = segments[i]->LocationOf(0).unit - first;
    places_.push_back(place);
    rows_.insert(rows_.end(), granules, static_cast<uint32_t>(i));
  }
  return absl::OkStatus();
}

CheckpointSegments::Found CheckpointSegments::Relocate(KeydirSlot* slot,
                                                       Counts* counts) const {
  const KeydirEntry entry = slot->entry();
  const uint64_t unit = entry.location().unit;
  const uint64_t granule = unit >> kCheckpointGranuleUnitBits;
  if (granule == 0 || granule >= rows_.size()) return Found::kNothing;
  const uint32_t row = rows_[granule];
  const Place& place = places_[row];
  const bool is_large = entry.exact_size() == 0;
  const uint64_t size =
      is_large ? kLeastLargeUnits : entry.exact_size() / kRecordAlignment;
  if (unit < place.begin || unit > place.end || size > place.end - unit ||
      size < kLeastRecordUnits) {
    return Found::kNothing;
  }
  if (place.is_gone) return Found::kGone;
  counts->exact_bytes[row] += entry.exact_size();
  counts->large[row] += is_large;
  counts->expiring[row] += entry.expires();
  slot->tagged_entry += place.shift << KeydirEntry::kLocationShift;
  return Found::kRecord;
}

absl::Status CheckpointSegments::Count(absl::Span<const Counts> counts,
                                       State* state) const {
  std::vector<uint64_t> expiring(bound_.size());
  std::vector<uint64_t> large_records(bound_.size());
  for (size_t i = 0; i < bound_.size(); ++i) {
    uint64_t exact = 0;
    uint64_t large = 0;
    for (const Counts& each : counts) {
      exact += each.exact_bytes[i];
      large += each.large[i];
      expiring[i] += each.expiring[i];
    }
    large_records[i] = large;
    const uint64_t live = bound_[i].live_bytes;
    const bool plausible =
        live <= bound_[i].summary.length &&
        (large == 0 ? live == exact
                    : live > exact && (live - exact) / large >=
                                          kLeastLargeUnits * kRecordAlignment);
    if (!plausible) {
      return absl::DataLossError(absl::StrCat(
          "segment ", bound_[i].id, " can't have ", live, " live bytes"));
    }
  }
  for (const SegmentToRead& each : present_) {
    for (size_t i = 0; i < bound_.size(); ++i) {
      if (bound_[i].id != each.segment->id()) continue;
      each.segment->live_bytes() = bound_[i].live_bytes;
      each.segment->may_have_less() = large_records[i] > 0;
      state->live_bytes += bound_[i].live_bytes;
      if (expiring[i] == 0) continue;
      each.segment->NoteExpiry(0);  // when, only its records know
      state->has_expiries = true;
    }
  }
  return absl::OkStatus();
}

void CheckpointSegments::MarkCovered() const {
  for (size_t i = 0; i < present_.size(); ++i) {
    present_[i].is_covered = covered_[i];
  }
}

}  // namespace stave
