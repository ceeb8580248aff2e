#ifndef STAVE_ENGINE_CORE_TRANSACTION_ITERATOR_H_
#define STAVE_ENGINE_CORE_TRANSACTION_ITERATOR_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/core/instant.h"
#include "engine/core/key_range.h"
#include "engine/core/log_iterator.h"
#include "engine/core/write_set.h"
#include "stave/iterator.h"
#include "stave/options.h"

namespace stave {

// What a transaction sees: first the store's keys that it has not written, then
// those that it has. Shares in all it needs, so it outlives the transaction.
class TransactionIterator final : public Iterator {
 public:
  // `writes` does not change any more.
  TransactionIterator(std::shared_ptr<const Instant> instant,
                      std::shared_ptr<const WriteSet> writes,
                      const ReadOptions& options);

  void SeekToFirst() override;
  void Next() override;
  void Seek(std::string_view key) override;
  void SeekToLast() override;
  void Prev() override;
  bool Valid() const override { return stored_.Valid() || IsAtWritten(); }
  std::string_view key() const override;
  std::string_view value() const override;
  absl::Time expiry() const override;
  absl::Status status() const override { return stored_.status(); }

 private:
  bool IsAtWritten() const { return written_ != writes_->end(); }
  void BeginAgain();
  // From where it is to the next key that is to be visited.
  void Settle();

  const std::shared_ptr<const WriteSet> writes_;
  const KeyRange range_;
  const absl::Time now_;
  LogIterator stored_;
  bool is_in_store_ = true;
  WriteSet::const_iterator written_;  // at the end while it is in the store
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_TRANSACTION_ITERATOR_H_
