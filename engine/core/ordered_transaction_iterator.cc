#include "engine/core/ordered_transaction_iterator.h"

#include <iterator>
#include <optional>
#include <utility>

namespace stave {

OrderedTransactionIterator::OrderedTransactionIterator(
    std::shared_ptr<const Instant> instant,
    std::shared_ptr<const WriteSet> writes, const ReadOptions& options)
    : writes_(std::move(writes)),
      now_(absl::FromUnixMillis(instant->now_ms)),
      stored_(std::move(instant), options) {
  const KeyRange range(options);
  const std::optional<std::string> end = range.end();
  writes_begin_ = writes_->lower_bound(range.begin());
  writes_end_ = end.has_value() ? writes_->lower_bound(*end) : writes_->end();
  // Bounds may be the wrong way round.
  if (end.has_value() && *end <= range.begin()) writes_end_ = writes_begin_;
  written_ = writes_end_;
}

void OrderedTransactionIterator::SeekToFirst() {
  stored_.SeekToFirst();
  written_ = writes_begin_;
  GoForward();
}

void OrderedTransactionIterator::SeekToLast() {
  stored_.SeekToLast();
  written_ = writes_end_;
  GoBackward();
}

void OrderedTransactionIterator::Seek(std::string_view key) {
  stored_.Seek(key);
  written_ = FirstWritten(key);
  GoForward();
}

void OrderedTransactionIterator::Next() {
  if (!goes_forward_) {
    const std::string from = std::string(key()) + '\0';
    stored_.TurnFrom(from);
    written_ = FirstWritten(from);
  } else if (!is_at_written_) {
    stored_.Next();
  }
  GoForward();
}

void OrderedTransactionIterator::Prev() {
  if (goes_forward_) {
    const std::string before(key());
    stored_.TurnBefore(before);
    written_ = FirstWritten(before);
  } else if (!is_at_written_) {
    stored_.Prev();
  }
  GoBackward();
}

WriteSet::const_iterator OrderedTransactionIterator::FirstWritten(
    std::string_view key) const {
  if (writes_begin_ == writes_end_) return writes_end_;
  if (key <= writes_begin_->first) return writes_begin_;
  if (key > std::prev(writes_end_)->first) return writes_end_;
  return writes_->lower_bound(key);
}

void OrderedTransactionIterator::GoForward() {
  goes_forward_ = true;
  is_at_written_ = false;
  while (stored_.status().ok() && written_ != writes_end_) {
    const std::string& key = written_->first;
    if (stored_.Valid() && stored_.key() < key) return;
    if (stored_.Valid() && stored_.key() == key) stored_.Next();
    at_ = written_++;
    if (!at_->second.IsLive(now_)) continue;
    is_at_written_ = true;
    return;
  }
}

void OrderedTransactionIterator::GoBackward() {
  goes_forward_ = false;
  is_at_written_ = false;
  while (stored_.status().ok() && HasWrittenBefore()) {
    const WriteSet::const_iterator last = std::prev(written_);
    if (stored_.Valid() && stored_.key() > last->first) return;
    if (stored_.Valid() && stored_.key() == last->first) stored_.Prev();
    at_ = written_ = last;
    if (!at_->second.IsLive(now_)) continue;
    is_at_written_ = true;
    return;
  }
}

std::string_view OrderedTransactionIterator::key() const {
  return is_at_written_ ? std::string_view(at_->first) : stored_.key();
}

std::string_view OrderedTransactionIterator::value() const {
  return is_at_written_ ? std::string_view(at_->second.value) : stored_.value();
}

absl::Time OrderedTransactionIterator::expiry() const {
  return is_at_written_ ? at_->second.expire_at : stored_.expiry();
}

}  // namespace stave
