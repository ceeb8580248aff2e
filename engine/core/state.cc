#include "engine/core/state.h"

#include "absl/strings/str_cat.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"

namespace stave {

uint64_t State::SizeOf(KeydirEntry entry) const {
  if (entry.exact_size() != 0) return entry.exact_size();
  Segment* segment = nullptr;
  RecordView record;
  if (!ReadAt(entry, &segment, &record).ok()) return 0;
  return record.header.record_size();
}

absl::Status State::ReadAt(KeydirEntry entry, Segment** segment,
                           RecordView* record) const {
  *segment = segments->Find(entry.location());
  const uint64_t offset = (*segment)->OffsetOf(entry.location());
  if (!ReadRecord((*segment)->bytes_from(offset), offset, (*segment)->seed(),
                  record)) {
    return Damage(**segment, offset, "wrong checksum of a record's header");
  }
  return absl::OkStatus();
}

Sequence State::SequenceIfMerged(KeydirEntry entry) const {
  if (entry.absent()) return 0;
  const Segment* const segment = segments->Find(entry.location());
  if (segment->header().kind != SegmentKind::kMerged) return 0;
  Segment* found = nullptr;
  RecordView record;
  return ReadAt(entry, &found, &record).ok() ? record.header.sequence : 0;
}

void State::SaveVersion(const KeyRef& key, KeydirEntry present,
                        bool has_expired) {
  if (!overlay.active()) return;
  const std::string_view ordered_key =
      keydir->order() != nullptr ? key.bytes : std::string_view();
  if (present.absent()) return overlay.Save(key.hash, present, ordered_key);
  Segment* const segment = segments->Find(present.location());
  const bool is_merged =
      DURABILITY_SITE(kVersionHeld,  // I10
                      segment->header().kind == SegmentKind::kMerged);
  overlay.Save(
      key.hash,
      {present, is_merged ? segment->shared_from_this() : nullptr, has_expired},
      ordered_key);
}

absl::Status State::Damage(const Segment& segment, uint64_t offset,
                           std::string_view what) const {
  return absl::DataLossError(absl::StrCat(
      directory, "/", segment.name(), ", offset ", offset, ": ", ToAbsl(what)));
}

}  // namespace stave
