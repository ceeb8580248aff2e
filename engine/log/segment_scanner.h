#ifndef STAVE_ENGINE_LOG_SEGMENT_SCANNER_H_
#define STAVE_ENGINE_LOG_SEGMENT_SCANNER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/types.h"
#include "engine/format/compression.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/log/segment.h"
#include "engine/log/segment_bytes.h"

namespace stave {

// A record within a segment's bytes.
struct RecordView {
  uint64_t offset = 0;
  RecordHeader header;
  std::string_view key;
  std::string_view value;  // as it is stored
  // What holds these bytes; null where they are mapped, or somebody else's.
  std::shared_ptr<const char[]> memory = nullptr;

  StoredValue stored() const { return {header.compression, value}; }
};

// Reads the record at the front of `from`, which starts at a record of offset
// `offset` and reaches to the end of its segment. False unless its header is
// right; the body is not checked.
bool ReadRecord(std::string_view from, uint64_t offset, uint32_t segment_seed,
                RecordView* record);

// How much of a record is wanted: all but the value, or the value as well.
enum class RecordPart { kKey, kValue };

// Reads a record from the file of a segment that is not mapped, in one call
// where `size` is the record's; 0 if that is not known. False unless its header
// is right; the body is not checked. Without the value `record` has an empty
// one. An error is the file's: DataLoss if it is the device's.
absl::StatusOr<bool> LoadRecord(const Segment& segment, uint64_t offset,
                                uint64_t size, RecordPart part,
                                RecordView* record);

// The same of a record of `size` bytes if they are in memory already, so that
// nobody waits. False also where anything is wrong: LoadRecord tells what.
bool LoadCachedRecord(const Segment& segment, uint64_t offset, uint64_t size,
                      RecordView* record);

// Walks a segment's records in order, and trusts nothing:
//  1. Each header's checksum is right and its record lies within the segment.
//  2. Bodies, and that zeros pad them, are checked if asked for.
//  3. Sequences follow one another without a gap, in a log segment. A merge's
//     output has puts and deletes alone, of any sequences.
//  4. A batch frame is valid only if exactly its number of records fills it,
//     all valid; the frame comes first, then its records. A frame that isn't
//     valid hides all of its records (I13).
//
// Where the bytes can't be read is a bad record, too.
//
// Thread-compatible. The bytes are borrowed; another process may be adding to
// them behind the last valid record. Records of a segment that is not mapped
// have memory of their own, shared by neighbours, so one may hold that of many
// others; who collects some should stop where AreManyBytes says so.
class SegmentScanner {
 public:
  enum class Step {
    kRecord,
    kCleanEnd,  // the bytes end here, or there are only zeros from here on
    kBadRecord,
  };

  // `bytes` is the segment from its first byte on; the first record is at
  // `offset`, and may have any sequence.
  SegmentScanner(std::string_view bytes, uint32_t segment_seed,
                 bool check_bodies, SegmentKind kind = SegmentKind::kLog,
                 uint64_t offset = kSegmentHeaderBytes);
  // The first `end` bytes of a segment.
  SegmentScanner(const Segment& segment, uint64_t end, bool check_bodies,
                 uint64_t offset = kSegmentHeaderBytes);

  // Whether these records of a segment, and all between them, have so many
  // bytes that no more should be collected. What holds them takes at most twice
  // as much, since what is read at a time overlaps, and two such reads.
  static bool AreManyBytes(const RecordView& first, const RecordView& last) {
    return last.offset + last.header.record_size() - first.offset >=
           kMostBytesTogether;
  }
  static constexpr uint64_t kMostBytesTogether = uint64_t{1} << 20;

  // Goes to the next record.
  Step Next(RecordView* record);

  // Where the next record starts, or after a Step other than kRecord, where
  // valid records end.
  uint64_t offset() const { return offset_; }
  // What is wrong there after kBadRecord.
  const std::string& problem() const { return problem_; }
  // Not OK if that is because the bytes could not be read.
  const absl::Status& read_status() const { return bytes_.status(); }

  // All records so far.
  const SegmentSummary& summary() const { return summary_; }

 private:
  SegmentScanner(SegmentBytes bytes, uint32_t segment_seed, bool check_bodies,
                 SegmentKind kind, uint64_t offset);

  // As ReadRecord, for a record that ends at `end` at the latest.
  bool Read(uint64_t offset, uint64_t end, RecordView* record);
  Step EndOrBad();
  Step Bad(std::string_view problem);
  bool CheckRecord(const RecordView& record, Sequence expected);
  bool CheckBatch(const RecordView& frame);
  void Account(const RecordView& record);

  SegmentBytes bytes_;
  const uint32_t seed_;
  const bool check_bodies_;
  const SegmentKind kind_;
  uint64_t offset_;
  uint64_t batch_end_ = 0;  // records before it were checked with their frame
  SegmentSummary summary_;
  std::string problem_;
};

// Whether a record's header is right anywhere in `bytes` (a segment from its
// first byte), also behind bad ones.
bool HoldsRecord(std::string_view bytes, uint32_t segment_seed);

// Looks through `bytes` (a segment from its first byte) from `offset` on for
// sync marks, wherever they stand, also behind bad records; returns the
// greatest length that one of them gives for segment `segment`, 0 if none.
uint64_t FindSyncedLength(std::string_view bytes, uint64_t offset,
                          uint32_t segment_seed, SegmentId segment);

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_SEGMENT_SCANNER_H_
