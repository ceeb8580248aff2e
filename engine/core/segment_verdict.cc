#include "engine/core/segment_verdict.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"

namespace stave {
namespace {

bool IsChange(const RecordHeader& header) {
  return header.kind == RecordKind::kPut || header.kind == RecordKind::kDelete;
}

// A frame alone: its records tell all that it said.
bool IsFrame(const BadRange& bad) {
  return !bad.header_is_sound && bad.first != 0 && bad.first == bad.last &&
         bad.bytes.size() == kRecordHeaderBytes;
}

bool Overlap(ByteRange a, ByteRange b) {
  return a.begin < b.end && b.begin < a.end;
}

std::string WhatOf(const SegmentSurvey& found, const BadRange& bad) {
  for (const ByteRange& range : found.unreadable) {
    if (!Overlap(range, bad.bytes)) continue;
    return absl::StrCat("it can't be read: ", found.read_error);
  }
  return bad.what;
}

}  // namespace

Damage& SegmentVerdict::AddDamage(ByteRange bytes, std::string what) {
  survey_.damage.push_back({name_, bytes.begin, bytes.size(), std::move(what)});
  return survey_.damage.back();
}

void SegmentVerdict::Hide(HiddenRecords hidden) {
  hidden.damage = survey_.damage.size() - 1;
  survey_.hidden.push_back(hidden);
}

void SegmentVerdict::Missing(const std::optional<SegmentSummary>& sealed,
                             std::string_view what) {
  Damage& damage = AddDamage({}, std::string(what));
  if (sealed.has_value()) {
    damage.length = sealed->length;
    damage.records = sealed->records;
  }
  Hide(sealed.has_value() ? sealed->greatest_sequence : kUnknownSequence);
}

void SegmentVerdict::MissingBefore(Sequence last, Sequence least) {
  Damage& damage = AddDamage({kSegmentHeaderBytes, kSegmentHeaderBytes},
                             "records that come before it are missing");
  damage.records = least - last - 1;
  Hide(least - 1);
}

void SegmentVerdict::BadHeader(std::string_view problem, uint64_t file_bytes) {
  AddDamage({0, std::min<uint64_t>(kSegmentHeaderBytes, file_bytes)},
            std::string(problem));
}

void SegmentVerdict::Sealed(const SegmentSurvey& found,
                            const SegmentSummary& sealed, uint64_t file_bytes) {
  set_last(sealed.least_sequence - 1);
  const size_t damage_before = survey_.damage.size();
  Bad(found);
  const uint64_t end = found.summary.length;
  if (end < sealed.length) {
    Damage& damage =
        AddDamage({end, sealed.length},
                  file_bytes < sealed.length
                      ? absl::StrCat("the file ends at ", file_bytes,
                                     ", its records at ", sealed.length)
                      : "wrong checksum of a record's header");
    damage.records = sealed.greatest_sequence -
                     std::max(found.last_known, sealed.least_sequence - 1);
    Hide(sealed.greatest_sequence);
  } else if (survey_.damage.size() == damage_before &&
             found.summary != sealed) {
    AddDamage({kSegmentHeaderBytes, sealed.length},
              "the segment's records are not those that were there when it "
              "was sealed");
    Hide(kUnknownSequence);
  }
  if (kind_ == SegmentKind::kMerged) {
    CountLostFromOutput(found, sealed, damage_before);
  }
}

// Of a merge's output it is known how many records are lost, but not where. All
// that no header tells of count for the last range without one.
void SegmentVerdict::CountLostFromOutput(const SegmentSurvey& found,
                                         const SegmentSummary& sealed,
                                         size_t first_damage) {
  uint64_t lost =
      sealed.records - std::min(sealed.records, found.summary.records);
  Damage* without_header = nullptr;
  for (size_t i = first_damage; i < survey_.damage.size(); ++i) {
    const size_t bad = i - first_damage;
    const bool has_header =
        bad < found.bad.size() && found.bad[bad].header_is_sound;
    Damage& damage = survey_.damage[i];
    if (has_header) {
      lost -= std::min(lost, damage.records);
    } else {
      damage.records = 0;
      without_header = &damage;
    }
  }
  if (without_header != nullptr) without_header->records = lost;
}

void SegmentVerdict::Bad(const SegmentSurvey& found) {
  const size_t first_damage = survey_.damage.size();
  for (const BadRange& bad : found.bad) AddBad(found, bad);
  for (const LeftOutRange& range : found.left_out) {
    AddLeftOut(range, first_damage);
  }
}

void SegmentVerdict::AddBad(const SegmentSurvey& found, const BadRange& bad) {
  Damage& damage = AddDamage(bad.bytes, WhatOf(found, bad));
  if (bad.header_is_sound) {
    damage.key = bad.key;
    if (!IsChange(bad.header)) return;
    damage.records = 1;
    HiddenRecords hidden{bad.last};
    hidden.least_key = hidden.greatest_key = bad.header.key_size;
    return Hide(hidden);
  }
  if (IsFrame(bad)) return;
  if (kind_ == SegmentKind::kLog) {
    const Sequence first = bad.first != 0 ? bad.first : last_ + 1;
    damage.records = bad.last >= first ? bad.last - first + 1 : 0;
  }
  HiddenRecords hidden{bad.last};
  if (bad.bytes.size() > kRecordHeaderBytes) {
    hidden.greatest_key =
        std::min<uint64_t>(kMaxKeyBytes, bad.bytes.size() - kRecordHeaderBytes);
  }
  Hide(hidden);
}

void SegmentVerdict::AddLeftOut(const LeftOutRange& range,
                                size_t first_damage) {
  // The damage within it, or the last one before it.
  size_t index = first_damage;
  for (size_t i = first_damage; i < survey_.damage.size(); ++i) {
    if (survey_.damage[i].offset < range.bytes.end) index = i;
  }
  Damage& damage = survey_.damage[index];
  damage.records += range.changes;
  if (range.changes > 0) {
    absl::StrAppend(&damage.what,
                    range.is_a_guess ? "; a batch may have begun here, so "
                                     : "; a batch is not whole, so ",
                    range.changes, " sound records don't count");
  }
  survey_.hidden.push_back({range.last, 1, kMaxKeyBytes, index});
}

void SegmentVerdict::BadTail(ByteRange bytes, std::string_view what) {
  AddDamage(bytes, std::string(what));
  Hide(kUnknownSequence);
}

std::optional<uint64_t> SegmentVerdict::TornAt(const SegmentSurvey& found,
                                               uint64_t vouched) {
  for (const BadRange& bad : found.bad) {
    if (bad.bytes.begin < vouched || bad.is_whole) continue;
    uint64_t cut = bad.bytes.begin;
    for (const LeftOutRange& range : found.left_out) {
      if (Overlap(range.bytes, bad.bytes))
        cut = std::min(cut, range.bytes.begin);
    }
    return cut;
  }
  return std::nullopt;
}

std::vector<ByteRange> SoundRanges(const SegmentSurvey& found) {
  std::vector<ByteRange> holes;
  for (const BadRange& bad : found.bad) holes.push_back(bad.bytes);
  for (const LeftOutRange& range : found.left_out) {
    holes.push_back(range.bytes);
  }
  std::sort(holes.begin(), holes.end(),
            [](ByteRange a, ByteRange b) { return a.begin < b.begin; });
  std::vector<ByteRange> sound;
  uint64_t at = kSegmentHeaderBytes;
  for (const ByteRange& hole : holes) {
    if (hole.begin > at) sound.push_back({at, hole.begin});
    at = std::max(at, hole.end);
  }
  if (at < found.summary.length) sound.push_back({at, found.summary.length});
  return sound;
}

}  // namespace stave
