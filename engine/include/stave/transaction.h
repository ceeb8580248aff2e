#ifndef STAVE_TRANSACTION_H_
#define STAVE_TRANSACTION_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "stave/iterator.h"
#include "stave/options.h"

namespace stave {

class Store;

// Reads and writes of a Store that take effect all together, at one instant,
// or not at all. Made by Store::Begin; Store::Update does all of what follows,
// and the loop around it, by itself.
//
//   std::unique_ptr<stave::Transaction> transfer = store->Begin();
//   absl::StatusOr<std::string> balance = transfer->Get("alice");
//   if (!balance.ok()) return balance.status();
//   if (absl::Status put = transfer->Put("alice", Less(*balance)); !put.ok()) {
//     return put;
//   }
//   absl::Status status = transfer->Commit();
//   if (absl::IsAborted(status)) { ... }  // "alice" was changed: try again
//
// It reads the store as it was at Begin, as at a Snapshot, and its own writes
// on top of that. Nobody else sees those before Commit, which makes them one
// batch. It takes no lock, so it never waits for another transaction and there
// are no deadlocks; Commit instead fails with Aborted, and the message names
// the key, if anything that the transaction has read was changed since Begin:
// a key that it asked for, there or not, or any key within the bounds of one of
// its iterators. So transactions are strictly serializable: all that commit
// could have been done one after another, each at the instant of its Commit.
// What it only writes never aborts it, nor does what others do to keys that it
// hasn't read (but a read with ReadOptions::refresh_ttl may change a key). One
// that only reads always commits.
//
// Expiry is judged by the time of Begin; that a key has expired since, and has
// been removed for that alone, is no change.
//
// While it lives it costs what a Snapshot does, and copies of what it has
// written and of the keys that it has read.
//
// Errors, beside those of Store:
//   FailedPrecondition  Commit or Rollback has been called, or the store was
//                       closed or is read-only (where a transaction may read)
//   InvalidArgument     keys and values as in limits.h; Commit: all of it is
//                       more than kMaxBatchBytes
//
// For one thread at a time, the const calls too; the one of Store::View may be
// shared by threads. May outlive the store. The destructor is a Rollback.
class Transaction {
 public:
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // NotFound if there is no such key.
  absl::StatusOr<std::string> Get(std::string_view key) const;
  // Into the caller's string, whose memory is used again.
  absl::Status Get(std::string_view key, std::string* value) const;
  absl::StatusOr<bool> Exists(std::string_view key) const;

  // Visits the keys as they are for the transaction right now, its own writes
  // included; those that it makes later are not seen. The bounds are what the
  // transaction has read then, however far the iterator gets. Of `options`,
  // `snapshot` must be null: else InvalidArgument.
  absl::StatusOr<std::unique_ptr<Iterator>> NewIterator(
      const ReadOptions& options = {}) const;

  // The key expires `ttl`, which must be positive, after this call.
  absl::Status Put(std::string_view key, std::string_view value,
                   absl::Duration ttl = absl::InfiniteDuration());
  // Expires at a point in time, as WriteOptions::expire_at.
  absl::Status PutUntil(std::string_view key, std::string_view value,
                        absl::Time expire_at);
  // Whether there is such a key or not: this doesn't read.
  absl::Status Delete(std::string_view key);

  // Ends the transaction, whatever it returns. OK: all of it is in the store,
  // and on disk as after Store::Write; with `sync`, on the device, and all that
  // it has read, too. Of `options` only `sync` is used. Aborted, or any other
  // error: nothing of it is, unless a sync has failed, see Store.
  absl::Status Commit(const WriteOptions& options = {});
  // Ends the transaction without a trace.
  absl::Status Rollback();

 private:
  friend class Store;
  struct Work;
  explicit Transaction(std::unique_ptr<Work> work);

  std::unique_ptr<Work> work_;  // null when the transaction has ended
};

}  // namespace stave

#endif  // STAVE_TRANSACTION_H_
