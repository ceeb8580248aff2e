#ifndef STAVE_ENGINE_LOG_MERGED_SEGMENT_WRITER_H_
#define STAVE_ENGINE_LOG_MERGED_SEGMENT_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/types.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"
#include "engine/log/segment.h"
#include "engine/log/segment_scanner.h"
#include "stave/options.h"

namespace stave {

// Writes a merge's output: a segment of records that other segments hold. It
// counts for nothing before the manifest names it, so it is written in large
// pieces and synced once, at its end; a full disk is met by a write.
//
// For one thread at a time.
class MergedSegmentWriter {
 public:
  // Makes the file with its header, which is durable when this returns OK. On
  // an error no file is left. The range starts at `first`, for `capacity`
  // bytes.
  static absl::StatusOr<std::unique_ptr<MergedSegmentWriter>> Create(
      Directory* directory, const SegmentHeader& header, Location first,
      uint64_t capacity);

  bool HasRoom(uint64_t size) const {
    return size <= capacity_ - summary_.length;
  }

  // Adds a record as it stands elsewhere, its sequence too. There is room.
  // Returns its offset.
  absl::StatusOr<uint64_t> Copy(const RecordView& record);
  // Adds a tombstone in place of a record of that sequence.
  absl::StatusOr<uint64_t> AddTombstone(std::string_view key,
                                        Sequence sequence);

  // Writes what is left and brings everything to the device; the name is
  // durable once the directory is synced. Nothing may be added afterwards. The
  // segment is for reading, as `read_mode` says.
  absl::StatusOr<std::shared_ptr<Segment>> Finish(ReadMode read_mode);

  const SegmentHeader& header() const { return header_; }
  const SegmentSummary& summary() const { return summary_; }
  const std::string& name() const { return name_; }
  Location first() const { return first_; }
  uint64_t capacity() const { return capacity_; }

 private:
  MergedSegmentWriter(const SegmentHeader& header, Location first,
                      uint64_t capacity, std::unique_ptr<File> file);

  absl::StatusOr<uint64_t> Add(RecordHeader header, std::string_view key,
                               std::string_view value);
  // Writes what is buffered as far as it fills huge pages; and all of it.
  absl::Status FlushWholePages();
  absl::Status Flush();

  const SegmentHeader header_;
  const uint32_t seed_;
  const Location first_;
  const uint64_t capacity_;
  const std::string name_;
  std::unique_ptr<File> file_;
  SegmentSummary summary_;
  std::string buffer_;  // what is not written yet, up to summary_.length
};

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_MERGED_SEGMENT_WRITER_H_
