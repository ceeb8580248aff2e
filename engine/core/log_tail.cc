#include "engine/core/log_tail.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "engine/base/status_macros.h"
#include "engine/format/record.h"
#include "stave/limits.h"

namespace stave {
namespace {

// What is read at a time, unless a record is larger: at first little, since
// most of what is allocated behind the last record are zeros.
constexpr uint64_t kFirstStepBytes = uint64_t{8} << 10;
constexpr uint64_t kGreatestStepBytes = uint64_t{1} << 20;
constexpr uint64_t kPageBytes = 4096;

}  // namespace

absl::Status LogTail::VisitFrom(Sequence last, Visit visit) {
  last_ = last;
  if (sealed_length_.has_value()) {
    size_ = *sealed_length_;
  } else {
    ASSIGN_OR_RETURN(size_, file_.Size());
    size_ = std::min(size_, kMaxSegmentSizeBytes);
  }
  if (size_ <= offset_) return absl::OkStatus();
  ASSIGN_OR_RETURN(memory_, MemoryRange::Reserve(size_));
  read_end_ = offset_;
  uint64_t step = kFirstStepBytes;
  uint64_t wanted = offset_ + step;
  while (true) {
    RETURN_IF_ERROR(ReadTo(std::min(wanted, size_)));
    const uint64_t before = offset_;
    RETURN_IF_ERROR(VisitWhatWasRead(visit));
    const uint64_t end = NextRecordEnd();
    if (end <= read_end_) return absl::OkStatus();
    step = std::min(2 * step, kGreatestStepBytes);
    wanted = std::max(end, offset_ + step);
    const uint64_t done = before - before % kPageBytes;
    memory_.Release(done, offset_ - offset_ % kPageBytes - done);
  }
}

absl::Status LogTail::ReadTo(uint64_t end) {
  if (end <= read_end_) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const size_t read,
      file_.Read(read_end_,
                 absl::MakeSpan(memory_.data() + read_end_, end - read_end_)));
  read_end_ += read;
  // Its writer has cut it to its records meanwhile.
  if (read_end_ < end) size_ = read_end_;
  return absl::OkStatus();
}

absl::Status LogTail::VisitWhatWasRead(Visit visit) {
  SegmentScanner scanner(std::string_view(memory_.data(), read_end_), seed_,
                         /*check_bodies=*/true, SegmentKind::kLog, offset_);
  std::vector<RecordView> records;
  RecordView record;
  while (scanner.Next(&record) == SegmentScanner::Step::kRecord) {
    // Else it belongs behind something that is still to come.
    if (record.header.sequence != last_ + 1) break;
    records.clear();
    if (record.header.kind == RecordKind::kBatch) {
      // The frame is valid only with all of its records.
      records.resize(record.header.body);
      for (RecordView& each : records) scanner.Next(&each);
    } else {
      records.push_back(record);
    }
    const Sequence sequence =
        last_ + 1 +
        (record.header.kind == RecordKind::kBatch ? records.size() : 0);
    RETURN_IF_ERROR(visit({records, scanner.offset(), sequence}));
    last_ = sequence;
    offset_ = scanner.offset();
  }
  return absl::OkStatus();
}

uint64_t LogTail::NextRecordEnd() const {
  const std::string_view rest(memory_.data() + offset_, read_end_ - offset_);
  if (rest.size() < kMaxRecordHeaderBytes) {
    return std::min(offset_ + kMaxRecordHeaderBytes, size_);
  }
  RecordHeader header;
  if (!DecodeRecordHeader(rest, size_ - offset_, RecordSeed(seed_, offset_),
                          &header)) {
    return 0;
  }
  return offset_ + header.record_size();
}

}  // namespace stave
