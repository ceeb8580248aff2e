#ifndef STAVE_ITERATOR_H_
#define STAVE_ITERATOR_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace stave {

// Visits the keys of a store as they were at the instant of
// Store::NewIterator, or of ReadOptions::snapshot: each key that was live then,
// and is within the bounds of ReadOptions, once: in byte order if the store was
// opened with KeydirKind::kOrdered, else in no promised order.
//
//   auto it = store->NewIterator();
//   if (!it.ok()) return it.status();
//   for ((*it)->SeekToFirst(); (*it)->Valid(); (*it)->Next()) {
//     Use((*it)->key(), (*it)->value());
//   }
//   if (absl::Status status = (*it)->status(); !status.ok()) return status;
//
// Holds the segments that it reads: their files stay until it is destroyed.
// It may be used after Store::Close, and moved between threads, by one thread
// at a time. Writers never wait for it. While it lives it costs what a Snapshot
// does, see there.
class Iterator {
 public:
  virtual ~Iterator() = default;

  // Goes to the first key; call this, or another seek, before anything else.
  virtual void SeekToFirst() = 0;
  // To the next key. Requires Valid().
  virtual void Next() = 0;

  // The hash keydir has no order, so there these three are not possible:
  // afterwards Valid() is false and status() FailedPrecondition. With an order:
  //
  //   for ((*it)->Seek("user:7"); (*it)->Valid(); (*it)->Prev()) { ... }
  //
  // To the first key within the bounds that is not less than `key`.
  virtual void Seek(std::string_view key) = 0;
  // To the last key.
  virtual void SeekToLast() = 0;
  // To the key before this one. Requires Valid().
  virtual void Prev() = 0;

  // Whether there is a key here. When it becomes false, status() tells the end
  // (OK) from an error.
  virtual bool Valid() const = 0;

  // Of the present key; valid until the iterator moves or is destroyed.
  // Require Valid().
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  // When the present key expires; absl::InfiniteFuture() when it does not.
  virtual absl::Time expiry() const = 0;

  // DataLoss, with file and offset, if bytes that should hold a record are
  // wrong.
  virtual absl::Status status() const = 0;
};

}  // namespace stave

#endif  // STAVE_ITERATOR_H_
