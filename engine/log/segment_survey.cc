#include "engine/log/segment_survey.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/checksum.h"
#include "engine/format/compression.h"
#include "engine/format/segment_header.h"

namespace stave {
namespace {

constexpr uint64_t kFrameBytes = kRecordHeaderBytes;

class Surveyor {
 public:
  Surveyor(FileWindow* window, const SegmentToSurvey& segment)
      : window_(*window), segment_(segment) {
    if (is_log() && segment.first > 0) last_ = segment.first - 1;
  }

  SegmentSurvey Run() {
    while (at_ < length() && Step()) {
    }
    if (batch_.has_value()) CloseBatch();
    EndOrphans();
    survey_.summary.length = at_;
    survey_.used_bytes = std::max(survey_.used_bytes, at_);
    survey_.last_known =
        is_log() ? last_.value_or(0) : survey_.summary.greatest_sequence;
    survey_.unreadable = window_.unreadable();
    survey_.read_error = window_.read_error();
    return std::move(survey_);
  }

 private:
  // A batch whose frame is sound, so that its extent is known.
  struct Batch {
    ByteRange bytes;
    Sequence first = 0;  // the frame's
    Sequence last = 0;
    uint64_t changes = 0;
    bool whole = true;
  };

  // Sound records behind a bad range in which a frame may have been, up to the
  // next place that is in no batch for sure.
  struct Orphans {
    uint64_t begin = 0;
    uint64_t changes = 0;
    bool is_a_guess = false;
    bool torn = false;  // there was more damage since
  };

  // Else the output of a merge: no sequence tells where another one belongs, so
  // there is no last_, and there are neither batches nor marks.
  bool is_log() const { return segment_.kind == SegmentKind::kLog; }
  uint64_t length() const { return std::min(segment_.length, window_.size()); }
  uint64_t end() const { return batch_ ? batch_->bytes.end : length(); }

  // Goes on by a record or a bad range; false if there is no record any more.
  bool Step() {
    if (batch_.has_value() && at_ == batch_->bytes.end) {
      CloseBatch();
      return true;
    }
    RecordHeader header;
    if (!HeaderAt(at_, &header) || !IsNext(header.sequence)) return Resume();
    if (header.sequence >= segment_.sequence_end) return false;
    if (is_log() && header.kind == RecordKind::kBatch && !batch_.has_value()) {
      OpenBatch(header);
    } else {
      TakeRecord(header);
    }
    if (is_log()) last_ = header.sequence;
    return true;
  }

  bool HeaderAt(uint64_t offset, RecordHeader* header) {
    const std::string_view bytes = window_.At(offset, kMaxRecordHeaderBytes);
    if (!DecodeRecordHeader(bytes, end() - offset,
                            RecordSeed(segment_.seed, offset), header)) {
      return false;
    }
    std::memcpy(checksum_, bytes.data(), sizeof(checksum_));
    return header->sequence > 0;
  }

  bool IsNext(Sequence sequence) const {
    return !last_.has_value() || sequence == *last_ + 1;
  }

  void TakeRecord(const RecordHeader& header) {
    const uint64_t offset = at_;
    at_ += header.record_size();
    const bool change =
        header.kind == RecordKind::kPut || header.kind == RecordKind::kDelete;
    if (batch_.has_value() && !change) {
      return AddBadRecord(offset, header,
                          "a record that has no place in a batch");
    }
    if (!is_log() && !change) {
      return AddBadRecord(offset, header,
                          "a record that has no place in a merge's output");
    }
    if (!change) EndOrphans(offset);
    if (const char* problem = CheckBody(offset, header)) {
      return AddBadRecord(offset, header, problem);
    }
    if (const absl::Status status = TryToRestore(offset, header);
        !status.ok()) {
      AddBadRecord(offset, header, std::string(status.message()));
      survey_.bad.back().is_whole = true;
      return;
    }
    if (!change) NoteMark(offset + header.header_size());
    Count(header);
    survey_.changes += change;
    if (batch_.has_value()) batch_->changes += change;
    if (orphans_.has_value()) orphans_->changes += change;
  }

  const char* CheckBody(uint64_t offset, const RecordHeader& header) {
    uint64_t at = offset + header.header_size();
    const uint64_t body_end = at + header.body_size();
    uint32_t crc = 0;
    while (at < body_end) {
      const std::string_view bytes =
          window_.From(at, 1).substr(0, body_end - at);
      if (bytes.empty()) return "the file became shorter";
      crc = ExtendCrc32c(crc, bytes);
      at += bytes.size();
    }
    if (crc != header.body) return "wrong checksum of a record's body";
    const uint64_t padding = offset + header.record_size() - body_end;
    if (padding > 0 && window_.At(body_end, padding).find_first_not_of('\0') !=
                           std::string_view::npos) {
      return "wrong padding of a record";
    }
    return nullptr;
  }

  // Of a record whose checksums are right. A file that became shorter since is
  // found out by others.
  absl::Status TryToRestore(uint64_t offset, const RecordHeader& header) {
    if (header.compression == Compression::kNone) return absl::OkStatus();
    const uint64_t value_at = offset + header.header_size() + header.key_size;
    std::string stored;
    while (stored.size() < header.value_size) {
      const std::string_view bytes = window_.From(value_at + stored.size(), 1);
      if (bytes.empty()) break;
      stored += bytes.substr(0, header.value_size - stored.size());
    }
    const StoredValue value{header.compression, stored};
    const absl::StatusOr<size_t> size = PlainSize(value);
    if (!size.ok()) return size.status();
    const uint32_t id = DictionaryOf(value);
    if (id != 0 && segment_.dictionaries->Find(id) == nullptr) {
      LackingRecords& lacking = survey_.lacking[id];
      if (lacking.records++ == 0) lacking.first_offset = offset;
      return absl::OkStatus();
    }
    const auto plain = std::make_unique_for_overwrite<char[]>(*size);
    return Restore(value, *segment_.dictionaries, *size, plain.get());
  }

  // What HeaderAt has read last.
  void Count(const RecordHeader& header) {
    survey_.summary.Account(header.sequence,
                            std::string_view(checksum_, sizeof(checksum_)));
  }

  void NoteMark(uint64_t body_offset) {
    SyncMark mark;
    if (!DecodeSyncMark(window_.At(body_offset, kSyncMarkBytes), &mark)) return;
    uint64_t& length = survey_.synced_lengths[mark.segment];
    length = std::max(length, mark.length);
    survey_.clock_floor_ms =
        std::max(survey_.clock_floor_ms, mark.clock_floor_ms);
  }

  // ---- Batches ----

  void OpenBatch(const RecordHeader& frame) {
    EndOrphans();
    survey_.has_batches = true;
    Count(frame);
    batch_ = Batch{{at_, at_ + kFrameBytes + frame.value_size},
                   frame.sequence,
                   frame.sequence + frame.body};
    at_ += kFrameBytes;
  }

  void CloseBatch() {
    if (batch_->whole && *last_ != batch_->last) {
      AddBad({batch_->bytes, "a batch with a wrong number of records",
              batch_->first, batch_->last});
    }
    if (!batch_->whole) {
      survey_.left_out.push_back(
          {batch_->bytes, batch_->last, batch_->changes, false});
    }
    last_ = batch_->last;
    batch_.reset();
  }

  void BeginOrphans(const BadRange& bad) {
    const bool one = bad.first != 0 && bad.first == bad.last;
    // The only record of this size.
    const bool frame = one && bad.bytes.size() == kFrameBytes;
    if (frame) {
      EndOrphans(bad.bytes.begin);
      survey_.has_batches = true;
    }
    if (orphans_.has_value()) {
      orphans_->torn = true;
    } else if (frame || !(one || HidesChangesAlone(bad))) {
      orphans_ = Orphans{bad.bytes.end, 0, !frame, !frame};
    }
  }

  bool HidesChangesAlone(const BadRange& bad) const {
    return bad.first != 0 && segment_.hinted_changes != nullptr &&
           segment_.hinted_changes(bad.bytes) == bad.last - bad.first + 1;
  }

  void EndOrphans() { EndOrphans(at_); }
  void EndOrphans(uint64_t end) {
    if (orphans_.has_value() && orphans_->torn && orphans_->begin < end) {
      survey_.left_out.push_back({{orphans_->begin, end},
                                  last_.value_or(0),
                                  orphans_->changes,
                                  orphans_->is_a_guess});
    }
    orphans_.reset();
  }

  // ---- What is bad ----

  void AddBad(BadRange bad) {
    if (batch_.has_value()) batch_->whole = false;
    survey_.bad.push_back(std::move(bad));
  }

  void AddBadRecord(uint64_t offset, const RecordHeader& header,
                    std::string_view what) {
    BadRange bad{
        {offset, at_}, std::string(what), header.sequence, header.sequence};
    bad.header_is_sound = true;
    bad.header = header;
    bad.key =
        std::string(window_.At(offset + header.header_size(), header.key_size));
    if (orphans_.has_value()) orphans_->torn = true;
    AddBad(std::move(bad));
  }

  // There is no record where one should be.
  bool Resume() {
    RecordHeader header;
    const uint64_t found = FindNext(&header);
    if (found == end() && !batch_.has_value()) {
      if (orphans_.has_value()) orphans_->torn |= survey_.used_bytes > at_;
      return false;
    }
    BadRange bad{{at_, found}, "wrong checksum of a record's header"};
    at_ = found;
    if (!is_log()) {
      bad.last = segment_.greatest;
      AddBad(std::move(bad));
      return true;
    }
    if (last_.has_value()) bad.first = *last_ + 1;
    bad.last = found == end() ? batch_->last : header.sequence - 1;
    if (!batch_.has_value()) BeginOrphans(bad);
    last_ = bad.last;
    AddBad(std::move(bad));
    return true;
  }

  // The first place behind at_ where a record stands that can be the next one
  // behind a bad range; end() if there is none.
  uint64_t FindNext(RecordHeader* header) {
    NoteUsed(window_.At(at_, kRecordAlignment), at_);
    uint64_t at = at_ + kRecordAlignment;
    while (at < end()) {
      const std::string_view bytes =
          window_.From(at, kMaxRecordHeaderBytes).substr(0, end() - at);
      if (bytes.empty()) break;
      // Where headers are cut off, more is read first.
      const size_t whole = at + bytes.size() == end()
                               ? bytes.size()
                               : bytes.size() - kMaxRecordHeaderBytes + 1;
      for (size_t i = 0; i < whole; i += kRecordAlignment) {
        const std::string_view here = bytes.substr(i, kMaxRecordHeaderBytes);
        NoteUsed(here.substr(0, kRecordAlignment), at + i);
        if (here.size() >= kRecordHeaderBytes &&
            MayBeRecordHeader(here.data()) && HeaderAt(at + i, header) &&
            CanFollow(at + i, header->sequence)) {
          return at + i;
        }
      }
      at += AlignRecord(whole);
    }
    return end();
  }

  // At least one record is hidden, and each takes the space of a header.
  bool CanFollow(uint64_t at, Sequence sequence) const {
    if (sequence == 0) return false;
    if (batch_.has_value() && sequence > batch_->last) return false;
    if (!last_.has_value()) return true;
    const uint64_t most = (at - at_) / kRecordHeaderBytes;
    return sequence > *last_ + 1 && sequence - *last_ - 1 <= most;
  }

  void NoteUsed(std::string_view bytes, uint64_t offset) {
    const size_t last = bytes.find_last_not_of('\0');
    if (last == std::string_view::npos) return;
    survey_.used_bytes = std::max(survey_.used_bytes, offset + last + 1);
  }

  FileWindow& window_;
  const SegmentToSurvey segment_;
  uint64_t at_ = kSegmentHeaderBytes;
  char checksum_[4] = {};         // of the last header that was read
  std::optional<Sequence> last_;  // the last sequence that is known of
  std::optional<Batch> batch_;
  std::optional<Orphans> orphans_;
  SegmentSurvey survey_;
};

}  // namespace

SegmentSurvey SurveySegment(FileWindow* window,
                            const SegmentToSurvey& segment) {
  return Surveyor(window, segment).Run();
}

}  // namespace stave
