#ifndef STAVE_ENGINE_CORE_ORDERED_TRANSACTION_ITERATOR_H_
#define STAVE_ENGINE_CORE_ORDERED_TRANSACTION_ITERATOR_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/core/instant.h"
#include "engine/core/key_range.h"
#include "engine/core/ordered_iterator.h"
#include "engine/core/write_set.h"
#include "stave/iterator.h"
#include "stave/options.h"

namespace stave {

// What a transaction sees where keys have an order: its own writes in their
// places among the store's keys, which they hide. Shares in all it needs, so it
// outlives the transaction.
class OrderedTransactionIterator final : public Iterator {
 public:
  // `writes` does not change any more.
  OrderedTransactionIterator(std::shared_ptr<const Instant> instant,
                             std::shared_ptr<const WriteSet> writes,
                             const ReadOptions& options);

  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(std::string_view key) override;
  void Next() override;
  void Prev() override;
  bool Valid() const override {
    return stored_.status().ok() && (is_at_written_ || stored_.Valid());
  }
  std::string_view key() const override;
  std::string_view value() const override;
  absl::Time expiry() const override;
  absl::Status status() const override { return stored_.status(); }

 private:
  // To the first key that is visited of those at or behind both, or to the last
  // one of those at stored_ or before, and before written_.
  void GoForward();
  void GoBackward();
  // The first change in range of a key that is not less.
  WriteSet::const_iterator FirstWritten(std::string_view key) const;
  bool HasWrittenBefore() const { return written_ != writes_begin_; }

  const std::shared_ptr<const WriteSet> writes_;
  const absl::Time now_;
  OrderedIterator stored_;
  // The changes in range.
  WriteSet::const_iterator writes_begin_;
  WriteSet::const_iterator writes_end_;
  // Going forward: the first change that may come next. Going backward: the one
  // behind that.
  WriteSet::const_iterator written_;
  WriteSet::const_iterator at_;  // where it is, if is_at_written_
  bool is_at_written_ = false;
  bool goes_forward_ = true;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_ORDERED_TRANSACTION_ITERATOR_H_
