#ifndef STAVE_OPTIONS_H_
#define STAVE_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace stave {

class Clock;
class FileSystem;
class Snapshot;

// How values are made smaller: not, with zstd (smaller), or with lz4 (faster).
enum class Compression : uint8_t { kNone = 0, kZstd = 1, kLz4 = 2 };

// What a snapshot file looks like: text, for other programs; or binary, whose
// version 2 has expiries and a checksum, and version 1 neither. FORMAT.md has
// all three; `stave snapshot load` reads them.
enum class SnapshotFormat : uint8_t { kJson = 0, kBinary = 1, kBinaryV1 = 2 };

// What a store knows of its keys while it is open. On disk there is no
// difference: each open may choose.
enum class KeydirKind {
  // Hashes alone: at most 20 bytes of memory a key, however long it is. Keys
  // have no order.
  kHash,
  // The keys' bytes, in byte order: iterators go both ways and to any key.
  // Takes about 18 bytes a key and those that it does not share with the key
  // before it. A Get takes about a quarter longer, a Put of a new key three or
  // four times as long. Hint files know no keys: what no keydir checkpoint of
  // this kind covers, Open reads record by record, and refuses damage there.
  kOrdered,
};

// How a store's segments are read.
enum class ReadMode {
  // Mapped into memory: the fastest by far, and a value can be looked at where
  // it lies. Takes addresses for all of the store; a page that the device can't
  // read ends the process (SIGBUS), as it does in every program that maps it.
  kMap,
  // By calls (pread), into memory of the reader's: for little address space,
  // network file systems, and devices that may fail, whose errors are DataLoss
  // then, of that call alone. A Get of cached data takes about three times as
  // long, a PinnedValue is a copy, writes are calls as well, and each segment
  // is an open file, of which a process may have few (RLIMIT_NOFILE). MultiGet
  // and ordered iterators let the device read many records at a time. Hint
  // files are read into memory, too: a quarter of them, or 8 MiB, at a time
  // while a store is opened, and all that a merge asks where keys were deleted,
  // 16 bytes a key.
  kPread,
};

// How a store is opened. Everything may differ from one open to the next.
struct Options {
  // ---- Behaviour ----

  // Open makes the directory (mode 0700; its parent must exist) and the store
  // in it if there is none. When false, a missing store is NotFound.
  bool create_if_missing = true;

  // Open fails with FailedPrecondition if there is a store already. Means
  // nothing together with read_only.
  bool error_if_exists = false;

  // Takes no lock and changes no byte in the directory, so it works beside a
  // running writer and shows what was in the log when it was opened, or at the
  // last Store::Refresh. Writes return FailedPrecondition. Never creates a
  // store.
  bool read_only = false;

  // With read_only: how often a thread calls Store::Refresh. Must be positive.
  // InfiniteDuration: nobody does but you. Has no effect without
  // background_threads.
  absl::Duration refresh_interval = absl::InfiniteDuration();

  // Opens, for reading alone, also a store that Open refuses because bytes of
  // its records are wrong, or a dictionary is missing, without which the values
  // that need it are DataLoss; what is sound can be read then. A damaged range
  // may have held the last record of any key, and what is shown is never an
  // older value: Get of a key is DataLoss if a record that was lost could be a
  // later one of this key, and so is Get of a key that isn't there. Sequences
  // and the sizes of what was lost narrow that down; a key's bytes don't, since
  // they may be damaged as well. So keys written after the damage are read as
  // ever, and most of the others can't be; Repair keeps more. An iterator
  // visits the keys that can be read, and ends with DataLoss. Without a sound
  // manifest such a store can't be opened either. It takes twice the time of an
  // open.
  bool open_damaged = false;

  // How long an acknowledged write may wait until a background thread has
  // brought it to the device; what a power loss can take away. A process that
  // is killed loses nothing, whatever this is. ZeroDuration: every write waits
  // for the device, as with WriteOptions::sync. InfiniteDuration: only Sync,
  // Close, WriteOptions::sync and the end of a segment do it. Shorter means
  // more device flushes.
  absl::Duration sync_interval = absl::Seconds(1);

  // The files of segments take no more than this times the bytes of live
  // records, and two segments (or the largest record, if that is more) beside
  // that; see Statistics::segment_bytes, less pinned_bytes. Merges keep it so,
  // and slow writers down where they can't follow. A bound nearer to 1 means
  // that more is copied: at 1.5 about 0.7 bytes for each byte that is
  // overwritten at random. At least kMinSpaceAmplification.
  double max_space_amplification = 1.5;

  // Whether keys have an order in memory, see there.
  KeydirKind keydir = KeydirKind::kHash;

  // Merges run by themselves. When false only Store::Merge frees space, and
  // nothing keeps the bound.
  bool background_merge = true;

  // How much of the end of the log is kept for change feeds: merges leave its
  // latest complete segments alone, so many that they have this many bytes, or
  // all of it from the last merge on. These count as Statistics::pinned_bytes,
  // so the files of segments take as much beside what the bound allows. 0: a
  // feed is complete from the last merge on.
  uint64_t feed_retention_bytes = 0;

  // Threads that sync, prepare segments, populate pages ahead of writers, make
  // hint files behind them, and merge. When false the calls that need this
  // work do it themselves, which makes a run repeatable and each of those
  // calls slower; sync_interval then has no effect unless it is zero.
  bool background_threads = true;

  // Space that the store keeps for a full disk, in the file RESERVE: this much
  // for deletes (at most sixteen segments' size), and what a merge of one
  // segment takes besides. When the disk is full, puts are ResourceExhausted;
  // deletes, and batches of nothing else, give up the reserve and go on. While
  // it is given up, a put must first make it again: so puts go on once there
  // is space for both. 0: no reserve, and a full disk refuses deletes too. Not
  // used where the file system can't reserve space.
  uint64_t reserve_bytes = uint64_t{4} << 20;

  // The memory that the store may take for its keys (Statistics::memory_bytes:
  // the keydir, and what snapshots and iterators remember). Beyond it a write
  // of a key that isn't there yet is ResourceExhausted, and so is a batch that
  // has one; nothing is written then. All else goes on: reads, overwrites,
  // deletes, merges; and new keys do, once there is room. A store that has more
  // when it is opened opens, complete. The keydir grows in steps, and is looked
  // at each 256 KiB of the log, so up to a few percent, or a megabyte, more may
  // be taken; a batch is taken whole. Pages of mapped files, which the system
  // takes back when it needs them, and compression's buffers are not counted.
  // 0: as much as the system gives; what it doesn't give is ResourceExhausted,
  // too. Has no effect in a read-only store.
  uint64_t memory_budget_bytes = 0;

  // A file to which a thread saves the whole store, as Store::SaveSnapshot
  // does, each time that the interval has passed since Open or its last save,
  // unless nothing was written since that save. A save that fails leaves the
  // file as it was and is tried again an interval later; Statistics tell of it,
  // and nothing else comes of it. Close saves nothing, and ends a save that is
  // under way. What a process that was killed has left beside the file is
  // removed when the store is opened, or by the next save. A relative path is
  // looked up at each save. Best have the file on another file system: on one
  // that is nearly full a save takes space that writes need, until it fails;
  // none begins while what is left is kept for deletes. Empty: no thread, and
  // no file.
  //
  // InvalidArgument, before a store is made, if the interval is not positive,
  // for a file where SaveSnapshot never saves one, and without
  // background_threads. Has no effect in a read-only store.
  std::string snapshot_file = {};
  absl::Duration snapshot_interval = absl::Minutes(5);
  SnapshotFormat snapshot_format = SnapshotFormat::kJson;

  // ---- Performance ----

  // Largest size of a segment file, from kMinSegmentSizeBytes to
  // kMaxSegmentSizeBytes; a record or batch that is larger gets a segment of
  // its own size. New segments are smaller while the store is small:
  // an eighth of its live bytes, at least 1 MiB. Larger segments mean fewer
  // files and larger steps in which space can be freed.
  uint64_t segment_size_bytes = uint64_t{256} << 20;

  // How segments are read, see there.
  ReadMode read_mode = ReadMode::kMap;

  // How many bytes merges read and write a second at most, the two together; 0:
  // as many as they can. A merge pauses after each piece that it has copied, so
  // its share of the device and of the processors is less, and it takes longer.
  // It does not pause where the space bound leaves no time for that, nor while
  // PauseMerge, Backup, Close or another Store::Merge wait for its end. An
  // output is synced as a whole once it is complete, which the device may see
  // as more at once. Has no effect without background_threads. (Even without a
  // limit, merges in the background rest half of the time as long as that
  // slows no writer.)
  uint64_t merge_bytes_per_second = 0;

  // How new values are compressed, each by itself, before any lock is taken.
  // Those shorter than the threshold, and those of which it wouldn't save an
  // eighth, are stored as they are. Records say how they are stored: those that
  // are there are read whatever this is, and merges copy them as they are.
  // Sizes in Statistics, and what counts for the space bound, are of what is
  // stored. It costs time where values are written and where they are read, and
  // a PinnedValue of a compressed value is a copy. Each thread that writes
  // keeps some memory for zstd, a few MiB by default and 90 MiB at the highest
  // level.
  Compression compression = Compression::kNone;
  uint64_t compression_threshold_bytes = 128;
  // zstd's, from 1 to kMaxCompressionLevel; 0 is its default. Higher ones take
  // longer to write. lz4 has none.
  int compression_level = 0;
  // With kZstd, the size of the dictionary that the store gets: what its values
  // have in common, which none of them need say again then, so that small ones
  // shrink, too; package descriptions of 800 bytes to 38%, not to 63%. 0: none;
  // else from kMinCompressionDictionaryBytes to kMaxCompressionDictionaryBytes.
  // It is made once, of values that were put, and kept in the store for good:
  // when segments with 16 times its size of them have been sealed, by a thread
  // in the background (or, without background_threads, by a writer), and only
  // if it saves a sixteenth. That takes up to 100 times its size of memory.
  // What was written before stays as it is. Where there is one, any size but 0
  // means that one, and records that need it are read whatever the options are.
  // Larger ones save little more, and take longer to write with.
  size_t compression_dictionary_bytes = size_t{16} << 10;

  // Threads that read hint files and segments while a store is opened, at most
  // kMaxRecoveryThreads; 0 means one for each processor. Where the operating
  // system makes no more of them, Open goes on with those there are. While Open
  // runs each takes up to 24 MiB of memory, and all of them no more than six
  // bytes a record.
  int recovery_threads = 0;

  // Stores of at least so many keys have a keydir checkpoint, with which the
  // next open by the same kind of keydir is many times faster than from hint
  // files or records: their keys, 16 bytes each, or in order 10 bytes and those
  // that a key does not share with the one before it. Close writes one if a
  // 64th of what an interval is, see below, was written since the last one, and
  // takes longer by as much as that takes.
  uint64_t checkpoint_min_keys = uint64_t{1} << 16;

  // How much is written to the log and by merges between one checkpoint and
  // the next, which a thread writes in the background; at least three times
  // the checkpoint's own bytes. After a kill the next open reads a checkpoint
  // and then what was written since: about a second's work for 512 MiB of
  // small records. Less means shorter opens then, and more bytes written.
  uint64_t checkpoint_interval_bytes = uint64_t{512} << 20;

  // ---- For tests and simulation; not owned, must outlive the store, and its
  // transactions ----

  // nullptr: the operating system's files.
  FileSystem* file_system = nullptr;
  // nullptr: the operating system's clocks.
  Clock* clock = nullptr;
};

struct ReadOptions {
  // Reads what was there when this was taken; null: what is there now. Has to
  // live until the call has returned. InvalidArgument if it is another store's.
  const Snapshot* snapshot = nullptr;

  // Checks the checksum of the value's bytes at each read: wrong bytes are
  // DataLoss. Without it only the record's header is checked; that saves about
  // 8 ns for 128 bytes.
  bool verify_checksums = true;

  // More than zero: a key that is read and that has an expiry lives this long
  // from now. To write nothing for most reads, that is done only where it
  // moves the expiry by a quarter of this or more, so at most about four times
  // in a period; each time the key's record is written again, value and all.
  // It does not wait for the device, is no error of the read where it can't be
  // done (a full disk), and may be lost as any write without `sync`. Keys
  // without an expiry get none. InfiniteDuration: expiries go away. Negative:
  // InvalidArgument. Has no effect on iterators, at a snapshot, or in a
  // read-only store.
  absl::Duration refresh_ttl = absl::ZeroDuration();

  // For iterators: keys k with lower_bound <= k < upper_bound (where they are
  // not empty) that start with `prefix`, all by bytes. The strings are copied.
  std::string_view lower_bound = {};
  std::string_view upper_bound = {};
  std::string_view prefix = {};
};

struct WriteOptions {
  // Returns only when the write, and everything that its answer depends on,
  // is on the device. Calls that wait at the same time share one flush.
  bool sync = false;

  // The key expires this long after the write, to the millisecond; it is
  // absent from then on. Must be positive. InfiniteDuration: never.
  //
  // Time is the store's: the machine's, but never before what the store has
  // seen, so that a clock set back brings no key back. If the clock was once
  // ahead while this store was written to, the store's time stays there until
  // the machine's has come that far, and keys live longer by as much.
  //
  // A key that has expired is absent at once. Its record counts as live until
  // a thread has come by, a few seconds later, or Store::Merge; where a segment
  // has few such keys, when an eighth of it has expired.
  absl::Duration ttl = absl::InfiniteDuration();

  // The same as a point in time, rounded down to the millisecond; of the two
  // the earlier one counts. A time that has passed makes the key absent.
  absl::Time expire_at = absl::InfiniteFuture();
};

}  // namespace stave

#endif  // STAVE_OPTIONS_H_
