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

absl::Status VisitLog(SegmentScanner* scanner, LogPlace* place,
                      LogVisit visit) {
  std::vector<RecordView> records;
  RecordView record;
  while (scanner->Next(&record) == SegmentScanner::Step::kRecord) {
    // Else it belongs behind something that is still to come.
    if (record.header.sequence != place->sequence + 1) break;
    Sequence sequence = record.header.sequence;
    records.clear();
    if (record.header.kind == RecordKind::kBatch) {
      // The frame is valid only with all of its records, but a device may fail
      // to read them once more.
      records.resize(record.header.body);
      for (RecordView& each : records) {
        const auto step = scanner->Next(&each);
        if (step != SegmentScanner::Step::kRecord) return absl::OkStatus();
      }
      sequence += records.size();
    } else {
      records.push_back(record);
    }
    RETURN_IF_ERROR(visit({records, scanner->offset(), sequence}));
    *place = {scanner->offset(), sequence};
  }
  return absl::OkStatus();
}

absl::Status LogTail::Visit(LogVisit visit) {
  ASSIGN_OR_RETURN(size_, file_.Size());
  size_ = std::min({size_, limit_, kMaxSegmentSizeBytes});
  if (size_ <= place_.offset) return absl::OkStatus();
  ASSIGN_OR_RETURN(memory_, MemoryRange::Reserve(size_));
  read_end_ = place_.offset;
  uint64_t step = kFirstStepBytes;
  uint64_t wanted = place_.offset + step;
  while (true) {
    RETURN_IF_ERROR(ReadTo(std::min(wanted, size_)));
    const uint64_t before = place_.offset;
    SegmentScanner scanner(std::string_view(memory_.data(), read_end_), seed_,
                           /*check_bodies=*/true, SegmentKind::kLog, before);
    RETURN_IF_ERROR(VisitLog(&scanner, &place_, visit));
    const uint64_t end = NextRecordEnd();
    if (end <= read_end_) return absl::OkStatus();
    step = std::min(2 * step, kGreatestStepBytes);
    wanted = std::max(end, place_.offset + step);
    const uint64_t done = before - before % kPageBytes;
    memory_.Release(done, place_.offset - place_.offset % kPageBytes - done);
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

uint64_t LogTail::NextRecordEnd() const {
  const std::string_view rest(memory_.data() + place_.offset,
                              read_end_ - place_.offset);
  if (rest.size() < kMaxRecordHeaderBytes) {
    return std::min(place_.offset + kMaxRecordHeaderBytes, size_);
  }
  RecordHeader header;
  if (!DecodeRecordHeader(rest, size_ - place_.offset,
                          RecordSeed(seed_, place_.offset), &header)) {
    return 0;
  }
  return place_.offset + header.record_size();
}

}  // namespace stave
