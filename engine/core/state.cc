#include "engine/core/state.h"

#include "absl/strings/str_cat.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"

namespace stave {

absl::StatusOr<uint64_t> State::SizeOf(KeydirEntry entry) const {
  if (entry.exact_size() != 0) return entry.exact_size();
  Segment* segment = nullptr;
  RecordView record;
  RETURN_IF_ERROR(ReadKeyAt(entry, &segment, &record));
  return record.header.record_size();
}

void State::SubtractReplaced(KeydirEntry replaced) {
  if (replaced.absent()) return;
  const absl::StatusOr<uint64_t> size = SizeOf(replaced);
  if (size.ok()) SubtractLive(segments->Find(replaced.location()), *size);
}

absl::Status State::ReadPartAt(KeydirEntry entry, RecordPart part,
                               Segment** segment, RecordView* record) const {
  *segment = segments->Find(entry.location());
  const uint64_t offset = (*segment)->OffsetOf(entry.location());
  bool is_right = false;
  if ((*segment)->is_mapped()) [[likely]] {
    is_right = ReadRecord((*segment)->bytes_from(offset), offset,
                          (*segment)->seed(), record);
  } else {
    ASSIGN_OR_RETURN(is_right, LoadRecord(**segment, offset, entry.exact_size(),
                                          part, record));
  }
  if (!is_right) {
    return Damage(**segment, offset, "wrong checksum of a record's header");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string_view> State::ValueOf(const Segment& segment,
                                                uint64_t offset,
                                                const StoredValue& stored,
                                                std::string* buffer) const {
  if (stored.compression == Compression::kNone) return stored.bytes;
  const absl::StatusOr<size_t> size = PlainSize(stored);
  if (!size.ok()) return DamageIfLoss(segment, offset, size.status());
  buffer->resize(*size);
  RETURN_IF_ERROR(DamageIfLoss(
      segment, offset, Restore(stored, *dictionaries, *size, buffer->data())));
  return *buffer;
}

absl::StatusOr<std::unique_ptr<char[]>> State::CopyOf(const Segment& segment,
                                                      uint64_t offset,
                                                      const StoredValue& stored,
                                                      size_t* size) const {
  const absl::StatusOr<size_t> plain = PlainSize(stored);
  if (!plain.ok()) return DamageIfLoss(segment, offset, plain.status());
  *size = *plain;
  auto copy = std::make_unique_for_overwrite<char[]>(*plain);
  RETURN_IF_ERROR(DamageIfLoss(
      segment, offset, Restore(stored, *dictionaries, *plain, copy.get())));
  return copy;
}

absl::Status State::DamageIfLoss(const Segment& segment, uint64_t offset,
                                 const absl::Status& status) const {
  if (!absl::IsDataLoss(status)) return status;
  return Damage(segment, offset, std::string(status.message()));
}

absl::StatusOr<Sequence> State::SequenceIfMoved(KeydirEntry entry) const {
  const Segment* const segment = segments->Find(entry.location());
  if (!segment->may_hold_moved()) return 0;
  Segment* found = nullptr;
  RecordView record;
  RETURN_IF_ERROR(ReadKeyAt(entry, &found, &record));
  return record.header.sequence;
}

void State::SaveVersion(const KeyRef& key, KeydirEntry present,
                        bool has_expired) {
  if (!overlay.active()) return;
  const std::string_view ordered_key =
      keydir->order() != nullptr ? key.bytes : std::string_view();
  if (present.absent()) return overlay.Save(key.hash, present, ordered_key);
  Segment* const segment = segments->Find(present.location());
  const bool is_moved =
      DURABILITY_SITE(kVersionHeld, segment->may_hold_moved());  // I10
  overlay.Save(
      key.hash,
      {present, is_moved ? segment->shared_from_this() : nullptr, has_expired},
      ordered_key);
}

absl::Status State::Damage(const Segment& segment, uint64_t offset,
                           std::string_view what) const {
  return absl::DataLossError(absl::StrCat(
      directory, "/", segment.name(), ", offset ", offset, ": ", ToAbsl(what)));
}

}  // namespace stave
