#ifndef STAVE_ENGINE_CORE_LOG_TAIL_H_
#define STAVE_ENGINE_CORE_LOG_TAIL_H_

#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/base/memory_range.h"
#include "engine/base/types.h"
#include "engine/fs/file_system.h"
#include "engine/log/segment_scanner.h"

namespace stave {

// A record of the log, or all records of a batch without its frame; `end` is
// where the next one begins, `sequence` the last one of these.
struct LogStep {
  absl::Span<const RecordView> records;
  uint64_t end = 0;
  Sequence sequence = 0;
};
using LogVisit = absl::FunctionRef<absl::Status(const LogStep&)>;

// How far somebody has read.
struct LogPlace {
  uint64_t offset = 0;  // in a segment
  Sequence sequence = 0;
};

// Visits what is valid behind `place`, where `scanner` begins, in a segment of
// the log, without a gap; moves `place` along. Ends with the first error.
absl::Status VisitLog(SegmentScanner* scanner, LogPlace* place, LogVisit visit);

// Reads the records that another process is adding to a segment of the log.
// Reads the file, since a mapping of bytes that its owner may cut off would end
// the process. What is not valid is not there yet (I10).
//
// Thread-compatible; borrows the file.
class LogTail {
 public:
  // Nothing at or behind `limit` is there for it: the file grows, but what has
  // mapped it knows its length of before.
  LogTail(const File* file, uint32_t segment_seed, LogPlace place,
          uint64_t limit)
      : file_(*file), seed_(segment_seed), place_(place), limit_(limit) {}

  // As VisitLog, for all that there is.
  absl::Status Visit(LogVisit visit);

  // Behind what was visited.
  const LogPlace& place() const { return place_; }

 private:
  absl::Status ReadTo(uint64_t end);
  // Up to where the next record is to be read, if it is seen to go on.
  uint64_t NextRecordEnd() const;

  const File& file_;
  const uint32_t seed_;
  LogPlace place_;
  const uint64_t limit_;
  MemoryRange memory_;  // the segment's bytes, each at its offset
  uint64_t size_ = 0;   // of the file
  uint64_t read_end_ = 0;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_LOG_TAIL_H_
