#ifndef STAVE_SNAPSHOT_H_
#define STAVE_SNAPSHOT_H_

namespace stave {

// A store as it was at one instant, that of Store::GetSnapshot: reads and
// iterators whose ReadOptions::snapshot names it find what was there then,
// whatever is written, merged or has expired since.
//
//   std::shared_ptr<const stave::Snapshot> then = store->GetSnapshot();
//   store->Put("user:1", "Bob");
//   store->Get("user:1", {.snapshot = then.get()});  // as it was before
//
// Expiry is judged by that time, too. A batch or transaction is in it as a
// whole or not at all.
//
// A read at it costs what every read does, and a look at what has changed
// since, under a lock that writers take too while any snapshot lives.
//
// Taking one takes microseconds, however large the store is. While it lives,
// the first change of each key after it costs about 100 bytes of memory
// (Statistics::snapshot_bytes) and some 0.4 us, and the segments that there
// were then keep their files, also when merges have replaced them
// (Statistics::pinned_bytes). All of this is given back with the last owner;
// an iterator is an owner, too.
//
// Immutable, and may be shared by threads. It may be kept, and given up, after
// Store::Close, but no longer read at: FailedPrecondition then. It belongs to
// the Store object that made it; for another it is InvalidArgument, even if
// that one has the same directory open.
class Snapshot {
 public:
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 protected:
  Snapshot() = default;
  ~Snapshot() = default;
};

}  // namespace stave

#endif  // STAVE_SNAPSHOT_H_
