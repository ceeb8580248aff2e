#include "engine/core/ordered_iterator.h"

#include <algorithm>
#include <utility>

#include "engine/base/durability_site.h"
#include "engine/base/epoch.h"
#include "engine/core/damage_map.h"
#include "engine/log/segment.h"

namespace stave {
namespace {

// Windows grow, since some want ten keys and others all.
constexpr size_t kLeastKeys = 32;
constexpr size_t kGrowth = 4;
constexpr size_t kMostKeys = 256;
constexpr size_t kTouchedAtOnce = RecordsAhead::kMost;

}  // namespace

OrderedIterator::OrderedIterator(std::shared_ptr<const Instant> instant,
                                 const ReadOptions& options)
    : instant_(std::move(instant)),
      state_(*instant_->state),
      reader_(instant_->state.get()),
      order_(*state_.keydir->order()),
      verify_checksums_(options.verify_checksums),
      first_(KeyRange(options).begin()),
      end_(KeyRange(options).end()),
      ahead_(&state_, &reader_) {}

void OrderedIterator::SeekToFirst() { Seek(first_); }

void OrderedIterator::BeginWalk() {
  left_out_ = absl::OkStatus();
  BeginTurn();
}

void OrderedIterator::BeginTurn() {
  status_ = absl::OkStatus();
  most_ = 0;
}

void OrderedIterator::SeekToLast() {
  BeginWalk();
  LookBefore(end_);
  GoBackward();
}

void OrderedIterator::Seek(std::string_view key) {
  BeginWalk();
  TurnFrom(key);
}

void OrderedIterator::TurnFrom(std::string_view key) {
  BeginTurn();
  LookFrom(std::string(std::max<std::string_view>(key, first_)));
  GoForward();
}

void OrderedIterator::TurnBefore(std::string_view key) {
  BeginTurn();
  LookBefore(end_.has_value() && *end_ < key ? end_ : Bound(key));
  GoBackward();
}

void OrderedIterator::Next() {
  ++position_;
  GoForward();
}

void OrderedIterator::Prev() { GoBackward(); }

void OrderedIterator::GoForward() {
  is_valid_ = false;
  while (true) {
    for (; position_ < entries_.size(); ++position_) {
      is_valid_ = Load();
      if (is_valid_ || !status_.ok()) return;
    }
    if (!window_end_.has_value()) return End();
    LookFrom(*std::move(window_end_));
  }
}

void OrderedIterator::GoBackward() {
  is_valid_ = false;
  while (true) {
    while (position_ > 0) {
      --position_;
      is_valid_ = Load();
      if (is_valid_ || !status_.ok()) return;
    }
    if (window_begin_ <= first_) return End();
    LookBefore(std::move(window_begin_));
  }
}

void OrderedIterator::End() {
  if (state_.damage == nullptr) return;
  status_ = state_.damage->CheckComplete(state_.directory);
  status_.Update(left_out_);
}

void OrderedIterator::BeginWindow() {
  pins_.Clear();
  entries_.clear();
  ends_.Clear();
  touched_begin_ = touched_end_ = 0;
  most_ = std::clamp(kGrowth * most_, kLeastKeys, kMostKeys);
}

// The keydir is asked first and the overlay second: whoever changes a key does
// so in the other order.
void OrderedIterator::LookFrom(std::string from) {
  BeginWindow();
  position_ = 0;
  EpochGuard guard;
  order_.CopyFrom(from, most_, &ends_);
  std::vector<std::string> changed = ChangedFrom(from);
  // Most of the time that is all, and nobody needs the keys.
  const bool are_in_range =
      !ends_.empty() && !(end_.has_value() && ends_.last() >= *end_);
  if (changed.empty() && are_in_range) {
    AddAll(ends_);
    window_begin_ = std::move(from);
    window_end_ = ends_.last() + '\0';  // the least key behind it
    return;
  }
  KeyRun run(KeyRun::Keys::kAll);
  order_.CopyFrom(from, most_, &run);
  changed = ChangedFrom(from);
  // Up to here all is known.
  Bound last;
  if (!run.empty()) last = run.last();
  if (changed.size() == most_ &&
      (!last.has_value() || changed.back() < *last)) {
    last = changed.back();
  }
  AddKeys(run, changed, std::nullopt, last);
  window_begin_ = std::move(from);
  window_end_ = std::move(last);
  if (!window_end_.has_value()) return;
  window_end_->push_back('\0');
  if (end_.has_value() && *window_end_ >= *end_) window_end_.reset();
}

void OrderedIterator::LookBefore(Bound before) {
  BeginWindow();
  EpochGuard guard;
  KeyRun run(KeyRun::Keys::kAll);
  order_.CopyBefore(before, most_, &run);
  std::vector<std::string> changed;
  if (instant_->layer != nullptr) {
    changed = instant_->layer->ChangedBefore(before, most_);
  }
  // From here on all is known.
  Bound first;
  if (!run.empty()) first = run.first();
  if (changed.size() == most_ &&
      (!first.has_value() || changed.front() > *first)) {
    first = changed.front();
  }
  AddKeys(run, changed, first, std::nullopt);
  window_begin_ = first.has_value() ? *std::move(first) : first_;
  window_end_ = before == end_ ? std::nullopt : std::move(before);
  position_ = entries_.size();
}

void OrderedIterator::AddKeys(const KeyRun& run,
                              const std::vector<std::string>& changed,
                              const Bound& first, const Bound& last) {
  auto other = changed.begin();
  size_t at = 0;
  while (at < run.size() || other != changed.end()) {
    std::string_view key;
    KeydirEntry entry;
    if (other == changed.end() || (at < run.size() && run.key(at) <= *other)) {
      key = run.key(at);
      entry = run.entry(at++);
      if (other != changed.end() && key == *other) ++other;
    } else {
      key = *other++;
    }
    if (key < first_ || (first.has_value() && key < *first)) continue;
    if (end_.has_value() && key >= *end_) return;
    if (last.has_value() && key > *last) return;
    // Where no key has changed, none here has.
    if (!changed.empty()) {
      entry = instant_->EntryThen((*state_.hasher)(key), entry);
    }
    if (!entry.absent()) AddEntry(entry);
  }
}

void OrderedIterator::AddAll(const KeyRun& run) {
  for (size_t i = 0; i < run.size(); ++i) AddEntry(run.entry(i));
}

std::vector<std::string> OrderedIterator::ChangedFrom(
    std::string_view from) const {
  if (instant_->layer == nullptr) return {};
  return instant_->layer->ChangedFrom(from, most_);
}

void OrderedIterator::AddEntry(KeydirEntry entry) {
  entries_.push_back(entry);
  pins_.Add(state_.segments->Find(entry.location()));
}

void OrderedIterator::Touch() {
  if (touched_begin_ <= position_ && position_ < touched_end_) return;
  touched_begin_ = position_ - position_ % kTouchedAtOnce;
  touched_end_ = std::min(touched_begin_ + kTouchedAtOnce, entries_.size());
  for (size_t i = touched_begin_; i < touched_end_; ++i) {
    ahead_.Ask(i, entries_[i]);
  }
}

bool OrderedIterator::Load() {
  Touch();
  const KeydirEntry entry = entries_[position_];
  Segment* segment = state_.segments->Find(entry.location());
  if (!ahead_.Take(position_, &record_)) {
    status_ = state_.ReadAt(entry, &segment, &record_);
  }
  if (!status_.ok()) return false;
  const RecordHeader& header = record_.header;
  if (instant_->HadExpired(header)) return false;
  if (state_.damage != nullptr &&
      state_.damage->MayHide(header.key_size, header.sequence) != nullptr) {
    return false;
  }
  if (DURABILITY_SITE(kIteratorBodyCheck, verify_checksums_) &&
      !BodyMatches(header, record_.key, record_.value)) {
    status_ = state_.Damage(*segment, segment->OffsetOf(entry.location()),
                            "wrong checksum of a record's body");
    return false;
  }
  const absl::StatusOr<std::string_view> value =
      state_.ValueOf(*segment, record_.offset, record_.stored(), &restored_);
  if (value.ok()) {
    value_ = *value;
  } else if (state_.IsLeftOut(value.status())) {
    left_out_.Update(value.status());
  } else {
    status_ = value.status();
  }
  return value.ok();
}

absl::Time OrderedIterator::expiry() const {
  const RecordHeader& header = record_.header;
  return header.expires ? absl::FromUnixMillis(header.expire_at_ms)
                        : absl::InfiniteFuture();
}

}  // namespace stave
