#include "stave/change_feed.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/base/status_macros.h"
#include "engine/base/steady_time.h"
#include "engine/core/engine.h"
#include "engine/core/log_history.h"
#include "engine/format/record.h"
#include "engine/index/keydir.h"
#include "engine/log/segment_scanner.h"
#include "stave/store.h"

namespace stave {
namespace {

// How long it sleeps between two looks: doubling, so that what comes soon is
// found soon.
constexpr absl::Duration kShortestSleep = absl::Microseconds(50);
constexpr absl::Duration kLongestSleep = absl::Milliseconds(10);

}  // namespace

// Walks the segments of the log, one at a time, which it holds meanwhile. What
// there is to be read is asked for only where it has come to an end.
class ChangeFeed::Reader {
 public:
  explicit Reader(std::shared_ptr<Store::Engine> engine)
      : engine_(std::move(engine)) {}

  absl::Status Begin(FeedPosition from) {
    if (engine_->is_read_only()) RETURN_IF_ERROR(engine_->Refresh());
    // In this order: what is sealed is in the view then.
    const ManifestState manifest = engine_->Listed();
    ASSIGN_OR_RETURN(const Store::Engine::LogView view, engine_->ViewLog());
    if (from == FeedPosition()) from.sequence = manifest.merged_through;
    if (from.incarnation == 0) from.incarnation = IncarnationOf(manifest);
    if (!IsOfThisLog(manifest, from)) {
      return OutOfRange(from, "a recovery has cut off the log in front of it");
    }
    if (from.sequence > view.last) {
      return OutOfRange(from, "it is ahead of the store");
    }
    if (from.sequence < manifest.merged_through) {
      return OutOfRange(from, "merges have taken what came next");
    }
    position_ = {IncarnationOf(manifest), from.sequence};
    read_through_ = from.sequence;
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Next(absl::Duration timeout) {
    const absl::Duration begin = SteadyNow();
    for (absl::Duration sleep = kShortestSleep;; sleep *= 2) {
      ASSIGN_OR_RETURN(const bool found, TryNext());
      if (found) return true;
      const absl::Duration left = timeout - (SteadyNow() - begin);
      if (left <= absl::ZeroDuration()) return false;
      sleep = std::min(sleep, kLongestSleep);
      absl::SleepFor(std::min(sleep, left));
    }
  }

  const RecordView& record() const { return record_; }
  std::string_view value() const { return value_; }
  const FeedPosition& position() const { return position_; }
  bool ends_batch() const {
    return record_.offset + record_.header.record_size() >= batch_end_;
  }

 private:
  absl::StatusOr<bool> TryNext() {
    bool is_fresh = !engine_->is_read_only();
    while (true) {
      ASSIGN_OR_RETURN(bool found, NextInSegment());
      if (found) return true;
      ASSIGN_OR_RETURN(const bool goes_on, GoOn());
      if (goes_on) continue;
      if (is_fresh) return false;
      RETURN_IF_ERROR(engine_->Refresh());
      is_fresh = true;
    }
  }

  absl::StatusOr<bool> NextInSegment() {
    if (scanner_ == nullptr) return false;
    RecordView record;
    while (scanner_->Next(&record) == SegmentScanner::Step::kRecord) {
      const RecordKind kind = record.header.kind;
      if (kind == RecordKind::kBatch) {
        batch_end_ = record.offset + record.header.record_size();
      }
      if (record.header.sequence <= read_through_) continue;
      read_through_ = record.header.sequence;
      if (kind != RecordKind::kPut && kind != RecordKind::kDelete) continue;
      ASSIGN_OR_RETURN(value_,
                       engine_->state().ValueOf(*segment_, record.offset,
                                                record.stored(), &restored_));
      record_ = record;
      // Not that of a mark, which a power loss may take.
      position_.sequence = read_through_;
      return true;
    }
    if (scanner_->offset() == end_) return false;
    return engine_->state().Damage(*segment_, scanner_->offset(),
                                   scanner_->problem());
  }

  // Whether there is more to read, and if so, where. That it is published is
  // known here: the log is looked at between changes.
  absl::StatusOr<bool> GoOn() {
    ASSIGN_OR_RETURN(const Store::Engine::LogView view, engine_->ViewLog());
    position_.incarnation = view.incarnation;
    bool is_listed = false;
    for (const Instant::Part& part : view.parts) {
      if (segment_ == nullptr || part.segment->id() != segment_->id()) continue;
      is_listed = true;
      if (part.bytes.end > end_) return ReadOn(part.segment, end_, part.bytes);
    }
    // A merge has taken it, but the rest of it is here.
    if (segment_ != nullptr && !is_listed && segment_->end() > end_) {
      return ReadOn(segment_, end_, {end_, segment_->end()});
    }
    if (view.last <= read_through_) return false;
    // After the look at the log: what was not there then is counted here.
    if (engine_->Listed().merged_through > read_through_) {
      return OutOfRange(position_, "merges have taken what came next");
    }
    ASSIGN_OR_RETURN(const Instant::Part* const next, NextPart(view));
    if (next == nullptr) {
      read_through_ = view.last;  // merges have taken marks alone
      return false;
    }
    batch_end_ = 0;
    return ReadOn(next->segment, kSegmentHeaderBytes, next->bytes);
  }

  // The one in which, or behind which, the log goes on.
  absl::StatusOr<const Instant::Part*> NextPart(
      const Store::Engine::LogView& view) const {
    const Instant::Part* next = nullptr;
    for (const Instant::Part& part : view.parts) {
      ASSIGN_OR_RETURN(const Sequence first, FirstSequence(*part.segment));
      if (first > read_through_ + 1 && next != nullptr) break;
      next = IsCurrent(part) ? nullptr : &part;
      if (first > read_through_) break;
    }
    return next;
  }

  bool IsCurrent(const Instant::Part& part) const {
    return segment_ != nullptr && part.segment->id() == segment_->id();
  }

  bool ReadOn(std::shared_ptr<Segment> segment, uint64_t from,
              ByteRange bytes) {
    record_ = RecordView();  // it may lie in what is let go of now
    value_ = {};
    segment_ = std::move(segment);
    end_ = bytes.end;
    scanner_ = std::make_unique<SegmentScanner>(*segment_, end_,
                                                /*check_bodies=*/true, from);
    return true;
  }

  absl::StatusOr<Sequence> FirstSequence(const Segment& segment) const {
    const auto first = KeydirEntry::Live(
        segment.LocationOf(kSegmentHeaderBytes), kLeastRecordBytes,
        /*expires=*/false);
    Segment* found = nullptr;
    RecordView record;
    RETURN_IF_ERROR(engine_->state().ReadKeyAt(first, &found, &record));
    return record.header.sequence;
  }

  absl::Status OutOfRange(const FeedPosition& position,
                          std::string_view why) const {
    const ManifestState manifest = engine_->Listed();
    return absl::OutOfRangeError(absl::StrCat(
        "no feed can go on from incarnation ", position.incarnation,
        ", sequence ", position.sequence, ": ", ToAbsl(why),
        "; the oldest position is incarnation ", IncarnationOf(manifest),
        ", sequence ", manifest.merged_through));
  }

  const std::shared_ptr<Store::Engine> engine_;
  FeedPosition position_;
  Sequence read_through_ = 0;         // from position_ on, what is no change
  std::shared_ptr<Segment> segment_;  // null at first
  std::unique_ptr<SegmentScanner> scanner_;
  uint64_t end_ = 0;  // of what the scanner reads
  uint64_t batch_end_ = 0;
  RecordView record_;
  std::string_view value_;  // in the record, or in restored_
  std::string restored_;
};

ChangeFeed::ChangeFeed(std::unique_ptr<Reader> reader)
    : reader_(std::move(reader)) {}
ChangeFeed::~ChangeFeed() = default;

absl::StatusOr<bool> ChangeFeed::Next(absl::Duration timeout) {
  return reader_->Next(timeout);
}

uint64_t ChangeFeed::sequence() const {
  return reader_->record().header.sequence;
}

ChangeKind ChangeFeed::kind() const {
  return reader_->record().header.kind == RecordKind::kDelete
             ? ChangeKind::kDelete
             : ChangeKind::kPut;
}

std::string_view ChangeFeed::key() const { return reader_->record().key; }
std::string_view ChangeFeed::value() const { return reader_->value(); }

absl::Time ChangeFeed::expire_at() const {
  const RecordHeader& header = reader_->record().header;
  return header.expires ? absl::FromUnixMillis(header.expire_at_ms)
                        : absl::InfiniteFuture();
}

bool ChangeFeed::ends_batch() const { return reader_->ends_batch(); }
FeedPosition ChangeFeed::position() const { return reader_->position(); }

absl::StatusOr<std::unique_ptr<ChangeFeed>> Store::NewChangeFeed(
    FeedPosition from) {
  auto reader = std::make_unique<ChangeFeed::Reader>(engine_);
  RETURN_IF_ERROR(reader->Begin(from));
  return std::unique_ptr<ChangeFeed>(new ChangeFeed(std::move(reader)));
}

}  // namespace stave
