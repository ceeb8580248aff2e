#ifndef STAVE_ENGINE_CORE_LOG_TAIL_H_
#define STAVE_ENGINE_CORE_LOG_TAIL_H_

#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/base/memory_range.h"
#include "engine/base/types.h"
#include "engine/fs/file_system.h"
#include "engine/log/segment_scanner.h"

namespace stave {

// Reads the records that another process is adding to a segment of the log.
// Reads the file, since a mapping of bytes that its owner may cut off would end
// the process. What is not valid is not there yet (I10).
//
// Thread-compatible; borrows the file.
class LogTail {
 public:
  // A record, or all records of a batch without its frame; `end` is where the
  // next one begins, `sequence` the last one of these.
  struct Step {
    absl::Span<const RecordView> records;
    uint64_t end = 0;
    Sequence sequence = 0;
  };
  using Visit = absl::FunctionRef<absl::Status(const Step&)>;

  // From `offset` to where the segment ends, if that is known.
  LogTail(const File* file, uint32_t segment_seed, uint64_t offset,
          std::optional<uint64_t> sealed_length)
      : file_(*file),
        seed_(segment_seed),
        offset_(offset),
        sealed_length_(sealed_length) {}

  // Visits what there is behind sequence `last`, without a gap. Ends with the
  // first error.
  absl::Status VisitFrom(Sequence last, Visit visit);

  // Behind what was visited.
  uint64_t offset() const { return offset_; }
  Sequence last() const { return last_; }

 private:
  absl::Status ReadTo(uint64_t end);
  absl::Status VisitWhatWasRead(Visit visit);
  // Up to where the next record is to be read, if it is seen to go on.
  uint64_t NextRecordEnd() const;

  const File& file_;
  const uint32_t seed_;
  uint64_t offset_;
  const std::optional<uint64_t> sealed_length_;
  Sequence last_ = 0;
  MemoryRange memory_;  // the segment's bytes, each at its offset
  uint64_t size_ = 0;   // of the file
  uint64_t read_end_ = 0;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_LOG_TAIL_H_
