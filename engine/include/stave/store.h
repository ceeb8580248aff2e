#ifndef STAVE_STORE_H_
#define STAVE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "stave/backup.h"
#include "stave/change_feed.h"
#include "stave/iterator.h"
#include "stave/limits.h"
#include "stave/merge.h"
#include "stave/options.h"
#include "stave/pinned_value.h"
#include "stave/snapshot.h"
#include "stave/statistics.h"
#include "stave/transaction.h"
#include "stave/write_batch.h"

namespace stave {

// A persistent map from keys to values, both any bytes, in a directory.
//
//   absl::StatusOr<std::unique_ptr<stave::Store>> store =
//       stave::Store::Open("/var/lib/example");
//   if (!store.ok()) return store.status();
//   absl::Status put = (*store)->Put("user:1", "Alice");
//   absl::StatusOr<std::string> name = (*store)->Get("user:1");
//
// Thread-safe, all of it. Reads take no lock, but see Snapshot and MultiGet,
// and wait for no writer but for one that is just making a batch visible that
// has their key; ReadOptions::refresh_ttl makes a read a write as well. Writes
// never wait for one another's flush, but are slowed when merges can't keep up
// with them (Options::max_space_amplification).
//
// What is on disk when a write returns OK: the record is in the operating
// system's page cache, so a process that is killed right then loses nothing;
// a background thread brings it to the device within Options::sync_interval.
// With WriteOptions::sync it is on the device before the call returns. After a
// power loss the store equals its state after some prefix of the writes, at or
// past the last one that was brought to the device.
//
// Errors, in every call:
//   NotFound            no such key (absent or expired), or no such store
//   InvalidArgument     a limit of limits.h or a malformed argument
//   Aborted             CompareAndSet: the key has another value. A transaction
//                       has read what has changed since
//   OutOfRange          Increment: more than a number of 64 bits can be.
//                       NewChangeFeed: no such position, or no more
//   DataLoss            bytes on disk are wrong, or, with ReadMode::kPread, the
//                       device can't read them; the message has file, offset
//   ResourceExhausted   the disk, or the memory, is full; nothing was written,
//                       and writes go on when there is space again. Deletes
//                       have Options::reserve_bytes then
//   Unavailable         another process or Store has the directory open
//   FailedPrecondition  the store is closed, was opened read-only, or became
//                       read-only because a sync failed: the message then has
//                       that first error, and reopening is the remedy
//   PermissionDenied    the operating system refused, as it says
//   Internal            any other error of the operating system
//
// Memory that is full means mappings of files and the index. What operator new
// can't give, for a copy of a value say, ends the process by std::bad_alloc, as
// is usual where no exceptions are used. A limit on the size of files
// (RLIMIT_FSIZE) is an error only for a process that ignores SIGXFSZ; else that
// signal ends it.
//
// A child process that fork() has made must not use the parent's store, nor
// close or destroy it: its background threads are not there, a lock that one
// of them held stays locked, and what the child wrote would overwrite what the
// parent writes. The directory stays locked until the child, too, has ended or
// called exec.
//
// Keys are found by 80 bits of a keyed hash. Two keys of one store that agree
// in all 80 can't both be kept: a read of the older one then fails with
// Internal instead of returning the other's value. With n keys the odds that
// any such pair exists are n^2 / 2^81: 4e-7 for 10^9 keys.
class Store {
 public:
  // Opens the store in `directory`, and creates it there if need be.
  //
  // A store that was not closed is recovered: everything that was acknowledged
  // before the process was killed is there. A record that was being written
  // when the machine stopped is cut off at the end of the log;
  // Statistics::bytes_cut_at_open tells how much. Wrong bytes that Open meets
  // anywhere else are DataLoss: nothing is changed then. Verify and Repair
  // (verify.h), or Options::open_damaged, are what to do about it. Open does
  // not read segments that have a valid hint file; wrong bytes in one of these
  // are DataLoss for those who read them.
  //
  // InvalidArgument if `directory` is empty or names something else than a
  // directory, or if it holds a store of a format version that this one does
  // not know, or what looks like another program's store; a file of a store's
  // name that is none can't be told from a damaged one, and is DataLoss. A
  // directory that is refused so stays as it is. Unavailable if it is open
  // already; NotFound as create_if_missing says; FailedPrecondition if a first
  // backup to this directory was not finished.
  static absl::StatusOr<std::unique_ptr<Store>> Open(
      std::string_view directory, const Options& options = {});

  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  // Closes the store. Call Close to learn of errors.
  ~Store();

  // Brings everything to the device, gives back preallocated space and the
  // lock. Calls that run at the same time end first; later ones return
  // FailedPrecondition. Idempotent: later calls return what the first one did.
  absl::Status Close();

  // Adds the key or replaces its value. Clears an earlier expiry unless
  // `options.ttl` sets one.
  absl::Status Put(std::string_view key, std::string_view value,
                   const WriteOptions& options = {});

  // Removes the key. True: there was one. False: there was none, and nothing
  // was written but, for a key that had expired, a record that says so; with
  // `sync` OK means that its absence is on the device, which may take a flush
  // and a note of it in the log. Of `options` only `sync` is used.
  absl::StatusOr<bool> Delete(std::string_view key,
                              const WriteOptions& options = {});

  // Applies all of `batch` at one instant, or nothing of it: once any read has
  // seen a part of it, later reads see all of it, and so does recovery.
  // Of `options` only `sync` is used; the batch's operations have expiries of
  // their own.
  absl::Status Write(const WriteBatch& batch, const WriteOptions& options = {});

  // ---- Writes that depend on what their key has ----
  //
  // Each is atomic: it has one instant, between its call and its return, at
  // which it reads and writes, also against every other write, of batches too.
  // No lock is held while a value is read; where another write of the key comes
  // in between, the call begins again by itself. On any error nothing has
  // changed. An expired key is absent. With `sync`, OK means that all the
  // answer depends on is on the device, also when nothing had to be written;
  // after an error of that sync nobody knows whether the write will last.

  // Replaces the value if it is `expected` (nullopt: adds the key if there is
  // none), byte for byte. Aborted if it is not: at some instant of the call the
  // key did have another value, or was or was not there. Clears the expiry
  // unless `options` set one, as Put.
  //
  //   absl::Status taken = store->CompareAndSet("lock", std::nullopt, "me");
  //   if (absl::IsAborted(taken)) return "another has it";
  absl::Status CompareAndSet(std::string_view key,
                             std::optional<std::string_view> expected,
                             std::string_view desired,
                             const WriteOptions& options = {});

  // Adds `delta`, which may be negative, to the number that the key's value is,
  // and returns the sum. Numbers are decimal text, an optional '-' and digits,
  // of 64 bits with sign; an absent key counts as 0. Keeps the key's expiry
  // unless `options` set one. InvalidArgument: the value is no such text.
  // OutOfRange: it, or the sum, needs more than 64 bits.
  absl::StatusOr<int64_t> Increment(std::string_view key, int64_t delta,
                                    const WriteOptions& options = {});

  // Makes the key expire at `when`, rounded down to the millisecond; a time
  // that has passed makes it absent, InfiniteFuture is Persist. Writes the
  // key's record again, value and all, unless it expires just then already.
  // NotFound if there is no such key. Of `options` only `sync` is used.
  absl::Status ExpireAt(std::string_view key, absl::Time when,
                        const WriteOptions& options = {});
  // The same, `ttl` from now by the store's time (see WriteOptions::ttl), which
  // may be ahead of the machine's. InvalidArgument unless `ttl` is positive.
  absl::Status Expire(std::string_view key, absl::Duration ttl,
                      const WriteOptions& options = {});
  // Takes the key's expiry away, if it has one. Otherwise as ExpireAt.
  absl::Status Persist(std::string_view key, const WriteOptions& options = {});
  // How long the key will live yet, to the millisecond: more than zero, and
  // InfiniteDuration if it has no expiry. NotFound if there is no such key.
  absl::StatusOr<absl::Duration> Ttl(std::string_view key);

  // Brings every write that returned before this call to the device.
  absl::Status Sync();

  absl::StatusOr<std::string> Get(std::string_view key,
                                  const ReadOptions& options = {});
  // Into the caller's string, whose memory is used again. Not OK: *value is
  // unspecified.
  absl::Status Get(std::string_view key, std::string* value,
                   const ReadOptions& options = {});
  // Without a copy, see PinnedValue.
  absl::StatusOr<PinnedValue> GetPinned(std::string_view key,
                                        const ReadOptions& options = {});
  // Answered from memory unless the key has an expiry.
  absl::StatusOr<bool> Exists(std::string_view key,
                              const ReadOptions& options = {});

  // Reads many keys as of one instant, several times as fast as Get does one
  // after another where the store is larger than the processor's cache: memory
  // is asked for ahead. Calls visit(i, value) once for each keys[i], or
  // visit(i, error) with what Get would have returned. The view lives until
  // that visit returns; `visit` may call the store. Keys may repeat.
  //
  // Takes no lock unless writers go on changing these very keys, or go on
  // removing keys and some of these are absent: after a few tries they then
  // wait for one look at all of them, about 20 ns a key.
  //
  //   store->MultiGet(keys, [&](size_t i, absl::StatusOr<std::string_view> v) {
  //     if (v.ok()) values[i] = std::string(*v);
  //   });
  void MultiGet(
      absl::Span<const std::string_view> keys,
      absl::FunctionRef<void(size_t, absl::StatusOr<std::string_view>)> visit,
      const ReadOptions& options = {});

  // A consistent view of all keys as of now, or of the snapshot that `options`
  // name; see Iterator.
  absl::StatusOr<std::unique_ptr<Iterator>> NewIterator(
      const ReadOptions& options = {});

  // The store as it is now, to be read later by ReadOptions::snapshot; see
  // Snapshot. Never null.
  std::shared_ptr<const Snapshot> GetSnapshot();

  // Begins a transaction, see there. Never null; where the store is closed, the
  // transaction's calls say so.
  std::unique_ptr<Transaction> Begin();
  // Calls `body` with a transaction and commits it; where that is Aborted, does
  // it again, up to a hundred times, with pauses that grow up to 2 ms. So
  // `body` should have no effects but on its transaction, and must not end it.
  // Its error ends it all, and is returned. Of `options` only `sync` is used.
  //
  //   absl::Status status = store->Update([&](stave::Transaction& t) {
  //     absl::StatusOr<std::string> n = t.Get("visits");
  //     if (!n.ok() && !absl::IsNotFound(n.status())) return n.status();
  //     return t.Put("visits", std::to_string(n.ok() ? std::stoi(*n) + 1 : 1));
  //   });
  absl::Status Update(absl::FunctionRef<absl::Status(Transaction&)> body,
                      const WriteOptions& options = {});
  // Calls `body` once, with a transaction that reads the store as it is now, in
  // one instant, and returns what it returns. Never Aborted.
  absl::Status View(absl::FunctionRef<absl::Status(const Transaction&)> body);

  // Frees the space of dead records now: copies what is live in segments that
  // have much that is dead (see MergeOptions) and removes them. Waits for a
  // merge that is running in the background. When it returns OK the result is
  // on the device, and what was removed is gone, but for segments that a
  // snapshot, a transaction, an iterator, a PinnedValue or a backup keeps.
  // Reads and writes go on meanwhile.
  //
  // DataLoss, with file and offset, if a segment is damaged: it stays as it
  // is. ResourceExhausted if the disk has no room for the copies; Cancelled
  // when the store is closed meanwhile. After an error nothing is lost, and
  // what was merged before it remains merged.
  absl::Status Merge(const MergeOptions& options = {});
  // What Merge would do, and why; in a read-only store, what a writer's Merge
  // would have done when it was opened. Changes nothing.
  absl::StatusOr<MergePlan> PlanMerge(const MergeOptions& options = {}) const;

  // Holds back merges in the background, of which none runs when this returns,
  // until ResumeMerge has been called as often. Meanwhile nothing keeps the
  // bound of Options::max_space_amplification, and nobody is slowed.
  void PauseMerge();
  void ResumeMerge();

  // Makes `directory` a backup of this store as it is at one instant of the
  // call. Reads and writes go on meanwhile; merges, too, once the instant is
  // taken, but what the backup still needs is not removed. Also for stores that
  // were opened read-only, beside the process that writes.
  //
  // A backup is a store: Open opens it, and Backup from there brings it back to
  // where it came from, or elsewhere. The directory is made if there is none;
  // its parent must exist. A second backup to the same place adds what is new
  // since, and removes what is no longer needed: it becomes the present store,
  // and what it was before is gone.
  //
  // Segments that are complete never change. So they are shared with the backup
  // (hard links) where `directory` is on the same file system: that takes no
  // space and little time, and keeps the bytes whatever the store does later;
  // but a device that fails takes both. Elsewhere they are copied. Whatever is
  // added is read once, all of it, and every checksum compared.
  //
  // What is on disk when it returns OK: the whole backup is on its device.
  // After an error the backup is what it was before; so it is after a crash, or
  // else it is the new one, and the next call removes what is left over. A
  // first backup that was not finished does not open.
  //
  // DataLoss, with file and offset, if a segment is damaged.
  // FailedPrecondition if there is something else in `directory` than a backup
  // of this store, or if that was written to since, and in stores that were
  // opened damaged. Unavailable if it is open. Cancelled when the store is
  // closed meanwhile. One backup runs at a time; others wait.
  absl::Status Backup(std::string_view directory,
                      const BackupOptions& options = {});

  // Writes all pairs, as they are at one instant of the call, to `file`, which
  // other programs can read; `stave snapshot load` brings them into a store.
  // Options::snapshot_file has a thread do so at intervals. Reads and writes go
  // on meanwhile; it costs what an iterator does that walks the store up to
  // three times, and takes no memory that grows with it, but for what a
  // snapshot remembers of what is changed meanwhile.
  //
  //   absl::Status saved = store->SaveSnapshot("data.json");
  //   saved = store->SaveSnapshot("data.bin", stave::SnapshotFormat::kBinary);
  //
  // What is on disk when it returns OK: the whole snapshot, by that name, for
  // its owner alone (mode 0600). It is written to NAME.unfinished beside it,
  // and takes the place of what had the name before when it is complete and on
  // the device. So after an error, or a crash, the file is what it was before,
  // or the new one; what a crash has left beside it the next save removes.
  // Nobody else may save to the same file meanwhile. Its directory must exist.
  //
  // InvalidArgument if the format has no place for what there is (expiries in
  // kBinaryV1, more than 2^32 - 1 pairs in both binary ones), for a file in a
  // store's directory, where there is something else than a file, be it a
  // symbolic link, and for a name of more than 244 bytes, which leaves no room
  // for ".unfinished". NotFound without the directory; DataLoss, with file and
  // offset, if a record is damaged; ResourceExhausted if the disk is full;
  // Cancelled when the store is closed meanwhile. One save runs at a time;
  // others wait.
  absl::Status SaveSnapshot(std::string_view file,
                            SnapshotFormat format = SnapshotFormat::kJson);

  // The changes of the store behind `from`, also those that later ones have
  // replaced; see ChangeFeed. OutOfRange: some of them can't be read any more,
  // or there is no such position. In a read-only store it calls Refresh first.
  absl::StatusOr<std::unique_ptr<ChangeFeed>> NewChangeFeed(
      FeedPosition from = {});

  // For read-only stores, which follow a writer in another process so: OK means
  // that all writes which had returned there before this call are seen from now
  // on, whether they are on the device or not. It reads the log from where the
  // last call has left it, so it costs as much as there is new, and some
  // 30 us. Options::refresh_interval has it called by a thread.
  //
  // Readers go on meanwhile, and see what the writer's readers saw: one change
  // after another, each batch as a whole. Snapshots and iterators stay what
  // they were. But where merges have taken records that this store had not
  // read, which takes a writer that rewrites much of its store between two
  // calls, all of the call is one change, and readers wait for its end if they
  // meet something new. The writer is never held up, nor does it know of this:
  // segments that it removes are read on here, and keep their space, until the
  // next call.
  //
  // A writer that closes the store, or is killed, and one that comes after it,
  // are followed like any other. FailedPrecondition, from then on by all calls,
  // with a message that says why: a recovery after a power loss has cut off
  // what this store has shown, or the directory has another store now, as that
  // of a backup after each Backup; open it again. NotFound: the store's files
  // were removed; what was seen can be read on, and so after any other error.
  // DataLoss, with file and offset: wrong bytes. FailedPrecondition, too, if
  // the store can be written to, or was opened damaged.
  absl::Status Refresh();

  Statistics GetStatistics() const;

  // Looks at how values are stored, dead ones too: at all of them in a store
  // of up to 16 MiB, else at the beginnings of all segments. Takes
  // milliseconds, or where that is not in memory as long as it takes to read.
  ValueSample SampleValues();

 private:
  friend class ChangeFeed;
  friend class Transaction;
  class Engine;
  explicit Store(std::shared_ptr<Engine> engine);

  // Transactions share it, and find it closed once the store has gone.
  const std::shared_ptr<Engine> engine_;
};

}  // namespace stave

#endif  // STAVE_STORE_H_
