#include "engine/core/transaction_iterator.h"

#include <utility>

namespace stave {

TransactionIterator::TransactionIterator(std::shared_ptr<const Instant> instant,
                                         std::shared_ptr<const WriteSet> writes,
                                         const ReadOptions& options)
    : writes_(std::move(writes)),
      range_(options),
      now_(absl::FromUnixMillis(instant->now_ms)),
      stored_(std::move(instant), options),
      written_(writes_->end()) {}

void TransactionIterator::SeekToFirst() {
  BeginAgain();
  stored_.SeekToFirst();
  Settle();
}

void TransactionIterator::Next() {
  is_in_store_ ? stored_.Next() : static_cast<void>(++written_);
  Settle();
}

void TransactionIterator::Settle() {
  if (is_in_store_) {
    while (stored_.Valid() && writes_->contains(stored_.key())) stored_.Next();
    if (stored_.Valid() || !stored_.status().ok()) return;
    is_in_store_ = false;
    written_ = writes_->begin();
  }
  while (IsAtWritten() &&
         !(written_->second.IsLive(now_) && range_.Contains(written_->first))) {
    ++written_;
  }
}

void TransactionIterator::Seek(std::string_view key) {
  BeginAgain();
  stored_.Seek(key);
}

void TransactionIterator::SeekToLast() {
  BeginAgain();
  stored_.SeekToLast();
}

void TransactionIterator::Prev() {
  BeginAgain();
  stored_.Prev();
}

void TransactionIterator::BeginAgain() {
  is_in_store_ = true;
  written_ = writes_->end();
}

std::string_view TransactionIterator::key() const {
  return is_in_store_ ? stored_.key() : std::string_view(written_->first);
}

std::string_view TransactionIterator::value() const {
  return is_in_store_ ? stored_.value()
                      : std::string_view(written_->second.value);
}

absl::Time TransactionIterator::expiry() const {
  return is_in_store_ ? stored_.expiry() : written_->second.expire_at;
}

}  // namespace stave
