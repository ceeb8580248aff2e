#ifndef STAVE_ENGINE_LOG_SEGMENT_SURVEY_H_
#define STAVE_ENGINE_LOG_SEGMENT_SURVEY_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "engine/base/types.h"
#include "engine/format/dictionary.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/log/file_window.h"

namespace stave {

// Where a segment's records should be and are not.
struct BadRange {
  ByteRange bytes;
  std::string what;
  // The sequences that it hides. first is 0 if nobody knows where they begin.
  // In a merge's output they have no order, so last is only the greatest that
  // the segment has.
  Sequence first = 0;
  Sequence last = 0;
  // One record of which only the body is wrong: this is its header.
  bool header_is_sound = false;
  // All its checksums are right, but its value can't be restored: no crash has
  // left it so.
  bool is_whole = false;
  RecordHeader header = {};
  std::string key = {};  // as it is read there, which may be wrong too
};

// Sound records that don't count, since they are, or may be, a part of a batch
// that isn't whole.
struct LeftOutRange {
  ByteRange bytes;
  Sequence last = 0;
  uint64_t changes = 0;  // puts and deletes
  // The frame of a batch may have been in the bad range before it; a store
  // that has no batches at all has none here either.
  bool is_a_guess = false;
};

// Sound records whose values can't be restored, since a dictionary is not
// there.
struct LackingRecords {
  uint64_t records = 0;
  uint64_t first_offset = 0;
};

// What is in a segment, all that is wrong with it included.
struct SegmentSurvey {
  // Sound records, those of ranges that are left out too. The length is where
  // the last record ends that is known of.
  SegmentSummary summary;
  uint64_t changes = 0;  // of them puts and deletes
  bool has_batches = false;
  // The last sequence that is known of, those of bad ranges too; 0: none.
  Sequence last_known = 0;

  std::vector<BadRange> bad;
  std::vector<LeftOutRange> left_out;
  // By the dictionary's id. They count as sound.
  std::map<uint32_t, LackingRecords> lacking;

  // What follows behind summary.length holds no record: it ends here, but for
  // zeros.
  uint64_t used_bytes = 0;

  // What sound sync marks say.
  std::map<SegmentId, uint64_t> synced_lengths;
  int64_t clock_floor_ms = 0;

  // What the device would not give; read as zeros.
  std::vector<ByteRange> unreadable;
  std::string read_error;
};

// Where and what to look for.
struct SegmentToSurvey {
  uint32_t seed = 0;
  SegmentKind kind = SegmentKind::kLog;
  uint64_t length = 0;  // look no further
  Sequence first = 0;   // the first record's sequence, if it is known
  // Of all its records, if it is known.
  Sequence greatest = std::numeric_limits<Sequence>::max();
  // Records from this one on don't count.
  Sequence sequence_end = std::numeric_limits<Sequence>::max();
  // How many puts and deletes a sound hint file has in a range; there may have
  // been more. Empty if there is none.
  std::function<uint64_t(ByteRange)> hinted_changes = {};
  // Of the store. Borrowed.
  const DictionarySet* dictionaries = nullptr;
};

// Walks a segment as SegmentScanner does, checks everything, and goes on
// behind what is wrong: with the next record if the header is right, else at
// the next place (records are aligned) where a header is right whose checksum,
// bound to the place, and whose sequence say that it belongs there. In a
// merge's output any sequence does.
//
// No batch began in a bad range of which it is known that each record that it
// hides is a put or a delete: the frame would be one of them.
//
// Memory: a megabyte, what it finds wrong, and a compressed value at a time,
// which it restores, too. The file may be growing.
SegmentSurvey SurveySegment(FileWindow* window, const SegmentToSurvey& segment);

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_SEGMENT_SURVEY_H_
