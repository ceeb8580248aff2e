#ifndef STAVE_ENGINE_CORE_SEGMENT_VERDICT_H_
#define STAVE_ENGINE_CORE_SEGMENT_VERDICT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/types.h"
#include "engine/core/store_survey.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/segment_header.h"
#include "engine/log/segment_survey.h"

namespace stave {

// Tells a store's survey what is wrong with one of its segments: the damage,
// what it costs, and what it may hide.
class SegmentVerdict {
 public:
  // Borrows `survey`.
  SegmentVerdict(StoreSurvey* survey, std::string name, SegmentKind kind)
      : survey_(*survey), name_(std::move(name)), kind_(kind) {}

  // The last sequence before the segment.
  void set_last(Sequence last) { last_ = last; }

  void Missing(const std::optional<SegmentSummary>& sealed,
               std::string_view what);
  // The records from `last` to `least`, both excluded.
  void MissingBefore(Sequence last, Sequence least);
  void BadHeader(std::string_view problem, uint64_t file_bytes);
  void Sealed(const SegmentSurvey& found, const SegmentSummary& sealed,
              uint64_t file_bytes);
  // Bad ranges, and what is left out because of them.
  void Bad(const SegmentSurvey& found);
  // Records are missing at the end, nobody knows how many.
  void BadTail(ByteRange bytes, std::string_view what);

  // Where the log is to be cut, if something is wrong behind `vouched`.
  static std::optional<uint64_t> TornAt(const SegmentSurvey& found,
                                        uint64_t vouched);

 private:
  Damage& AddDamage(ByteRange bytes, std::string what);
  void Hide(Sequence last) { Hide(HiddenRecords{last}); }
  void Hide(HiddenRecords hidden);
  void AddBad(const SegmentSurvey& found, const BadRange& bad);
  void AddLeftOut(const LeftOutRange& range, size_t first_damage);
  void CountLostFromOutput(const SegmentSurvey& found,
                           const SegmentSummary& sealed, size_t first_damage);

  StoreSurvey& survey_;
  const std::string name_;
  const SegmentKind kind_;
  Sequence last_ = 0;
};

// The stretches of sound records that count.
std::vector<ByteRange> SoundRanges(const SegmentSurvey& found);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_SEGMENT_VERDICT_H_
