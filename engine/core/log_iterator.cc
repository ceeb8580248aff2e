#include "engine/core/log_iterator.h"

#include <utility>

#include "engine/base/durability_site.h"
#include "engine/base/epoch.h"
#include "engine/base/status_macros.h"
#include "engine/core/damage_map.h"

namespace stave {

LogIterator::LogIterator(std::shared_ptr<const Instant> instant,
                         const ReadOptions& options)
    : instant_(std::move(instant)),
      state_(*instant_->state),
      verify_checksums_(options.verify_checksums),
      range_(options) {}

LogIterator::~LogIterator() = default;

void LogIterator::SeekToFirst() {
  status_ = left_out_ = absl::OkStatus();
  part_ = 0;
  scanner_ = nullptr;
  FillAhead();
  TakeValue();
}

void LogIterator::Next() {
  Advance();
  TakeValue();
}

void LogIterator::Advance() {
  ++position_;
  if (position_ >= ahead_count_) FillAhead();
}

// Before anybody asks for it: who stands on a key may have its value.
void LogIterator::TakeValue() {
  for (; Valid(); Advance()) {
    const RecordView& record = Current();
    if (record.header.compression == Compression::kNone) [[likely]] {
      value_ = record.value;
      return;
    }
    const absl::StatusOr<std::string_view> value =
        state_.ValueOf(*ahead_[position_].part->segment, record.offset,
                       record.stored(), &restored_);
    if (value.ok()) {
      value_ = *value;
      return;
    }
    if (!state_.IsLeftOut(value.status())) return Fail(value.status());
    left_out_.Update(value.status());
  }
}

void LogIterator::FillAhead() {
  position_ = ahead_count_ = 0;
  while (ahead_count_ == 0) {
    const size_t candidates = CollectCandidates();
    if (candidates == 0) return;
    EpochGuard guard;
    for (size_t i = 0; i < candidates; ++i) {
      if (ahead_[i].part->is_all_live) continue;
      state_.keydir->Prefetch({ahead_[i].record.key, ahead_[i].hash});
    }
    for (size_t i = 0; i < candidates; ++i) {
      const absl::StatusOr<bool> was_live = WasLive(ahead_[i]);
      if (!was_live.ok()) {
        status_ = was_live.status();  // those before it can still be visited
        break;
      }
      if (!*was_live) continue;
      if (ahead_count_ != i) ahead_[ahead_count_] = ahead_[i];
      ++ahead_count_;
    }
  }
}

// Outside of any epoch: it may pass over much of the log, and wait for a disk.
size_t LogIterator::CollectCandidates() {
  for (Candidate& each : ahead_) each.record.memory = nullptr;
  size_t count = 0;
  while (count < kAhead && NextRecord(&ahead_[count].record)) {
    if (!IsWanted(ahead_[count].record)) continue;
    Candidate& candidate = ahead_[count++];
    candidate.part = &instant_->parts[part_];
    if (!candidate.part->is_all_live) {
      candidate.hash = (*state_.hasher)(candidate.record.key);
      state_.keydir->PrefetchDirectory(candidate.hash);
    }
    const Candidate& first = ahead_.front();
    if (candidate.part != first.part ||
        SegmentScanner::AreManyBytes(first.record, candidate.record)) {
      break;
    }
  }
  return count;
}

bool LogIterator::NextRecord(RecordView* record) {
  while (status_.ok()) {
    if (scanner_ == nullptr && !OpenPart()) return false;
    const auto step = scanner_->Next(record);
    if (step == SegmentScanner::Step::kRecord) return true;
    if (!scanner_->read_status().ok()) {
      Fail(scanner_->read_status());
      return false;
    }
    const Instant::Part& part = instant_->parts[part_];
    if (step == SegmentScanner::Step::kBadRecord ||
        scanner_->offset() != part.bytes.end) {
      Fail(state_.Damage(*part.segment, scanner_->offset(),
                         "wrong checksum of a record"));
      return false;
    }
    scanner_ = nullptr;
    ++part_;
  }
  return false;
}

bool LogIterator::OpenPart() {
  if (part_ >= instant_->parts.size()) {
    if (state_.damage != nullptr) {
      status_ = state_.damage->CheckComplete(state_.directory);
    }
    return false;
  }
  const Instant::Part& part = instant_->parts[part_];
  // Also of what is passed over: its key, which is in the body, is the reason
  // to do so, and when Open took a hint file's word, nobody has seen it yet.
  scanner_ = std::make_unique<SegmentScanner>(
      *part.segment, part.bytes.end,
      DURABILITY_SITE(kIteratorBodyCheck, verify_checksums_), part.bytes.begin);
  return true;
}

bool LogIterator::IsWanted(const RecordView& record) const {
  const RecordHeader& header = record.header;
  if (header.kind != RecordKind::kPut) return false;
  if (instant_->HadExpired(header)) return false;
  const std::string_view key = record.key;
  if (state_.damage != nullptr &&
      state_.damage->MayHide(key.size(), header.sequence) != nullptr) {
    return false;
  }
  return range_.Contains(key);
}

absl::StatusOr<bool> LogIterator::WasLive(const Candidate& candidate) const {
  if (candidate.part->is_all_live) return true;
  const RecordView& record = candidate.record;
  const Location here = candidate.part->segment->LocationOf(record.offset);
  const KeydirEntry present = state_.keydir->Find({record.key, candidate.hash});
  if (!present.absent() && present.location() == here) return true;
  const KeydirEntry then = instant_->EntryThen(candidate.hash, present);
  if (then.absent()) return false;
  // A merge may have moved it before that entry was replaced, or since.
  if (then.location() == here) return true;
  ASSIGN_OR_RETURN(const Sequence sequence, state_.SequenceIfMoved(then));
  return sequence == record.header.sequence;
}

void LogIterator::Fail(absl::Status status) {
  status_ = std::move(status);
  position_ = ahead_count_ = 0;
}

absl::Time LogIterator::expiry() const {
  const RecordHeader& header = Current().header;
  return header.expires ? absl::FromUnixMillis(header.expire_at_ms)
                        : absl::InfiniteFuture();
}

void LogIterator::Seek(std::string_view) { NoOrder(); }
void LogIterator::SeekToLast() { NoOrder(); }
void LogIterator::Prev() { NoOrder(); }

void LogIterator::NoOrder() {
  Fail(absl::FailedPreconditionError(
      "the hash keydir has no order: only SeekToFirst and Next are possible"));
}

}  // namespace stave
