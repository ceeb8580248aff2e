#ifndef STAVE_CHANGE_FEED_H_
#define STAVE_CHANGE_FEED_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace stave {

class Store;

// A place in the changes of a store: behind the one with this sequence. To go
// on there later, keep both numbers, the sequence as the last thing that is
// done for its change.
//
// Sequences number what is in the log, changes and some records of the store's
// own, and grow from change to change. Each recovery, which is an open after
// any end but Close, begins a new incarnation, since a power loss may have
// taken changes that were not synced: their sequences are given to others then.
// What was kept is the same as before, so positions up to there stay good.
struct FeedPosition {
  uint64_t incarnation = 0;  // 0: the present one
  uint64_t sequence = 0;     // both 0: the oldest position there is

  friend bool operator==(const FeedPosition&, const FeedPosition&) = default;
};

enum class ChangeKind { kPut, kDelete };

// The changes of a store, one after another, in the order in which they became
// visible. Made by Store::NewChangeFeed.
//
//   absl::StatusOr<std::unique_ptr<stave::ChangeFeed>> feed =
//       store->NewChangeFeed(last);
//   if (!feed.ok()) return feed.status();
//   while (true) {
//     absl::StatusOr<bool> more = (*feed)->Next(absl::Seconds(1));
//     if (!more.ok()) return more.status();
//     if (*more) Use((*feed)->key(), (*feed)->value());
//     last = (*feed)->position();
//   }
//
// What comes: each put and each delete that has been acknowledged, once, also
// those that later ones have replaced; a put of an expiry (ExpireAt, Persist,
// a read with ReadOptions::refresh_ttl, Increment) as the put that it is. That
// a key expires is no change, since expire_at() has told of it, and merges
// change nothing. The changes of a batch or transaction come in its order,
// without others in between, and all of them are there once one is.
//
// A change may come before it is on the device. If a power loss takes it away,
// the position of who has read it is OutOfRange from then on. Whoever must not
// act on such a change calls the writer's Store::Sync between Next and acting.
//
// From when on: the log is kept until merges take parts of it. The oldest
// position is behind the last change that any of them has taken; from there on
// a feed is complete. Options::feed_retention_bytes keeps so much of the log
// from merges. An open feed holds nothing back: the one segment that its change
// is in keeps its file while it is there (Statistics::pinned_bytes), and no
// more than that.
//
// Errors:
//   OutOfRange          merges have taken changes behind the position, or a
//                       recovery has cut it off, or it is ahead of the store.
//                       The message has the oldest position. To catch up,
//                       begin a feed from {}, then read the whole store by an
//                       iterator, then go on with that feed: it has some of
//                       what the iterator had, and all that came after it
//   DataLoss            bytes of the log are wrong
//   FailedPrecondition  the store was closed, or see Store::Refresh
//
// For one thread at a time. May outlive the store.
class ChangeFeed {
 public:
  ~ChangeFeed();
  ChangeFeed(const ChangeFeed&) = delete;
  ChangeFeed& operator=(const ChangeFeed&) = delete;

  // Goes to the next change; false if there is none before `timeout` has
  // passed. It looks for one each ten milliseconds or more often; in a
  // read-only store by Store::Refresh. After an error, or false, the feed is
  // where it was, and may be asked again.
  absl::StatusOr<bool> Next(absl::Duration timeout = absl::ZeroDuration());

  // Of the change that the last Next has gone to; of none after another answer.
  // The views are valid until the next call of Next, also after Store::Close. A
  // delete has no value.
  uint64_t sequence() const;
  ChangeKind kind() const;
  std::string_view key() const;
  std::string_view value() const;
  // When the key expires, InfiniteFuture if never.
  absl::Time expire_at() const;
  // False while more changes of the same batch are to come.
  bool ends_batch() const;

  // Where a later feed has to begin to go on behind this change; before the
  // first one, the position that was asked for, or that {} stands for.
  FeedPosition position() const;

 private:
  friend class Store;
  class Reader;
  explicit ChangeFeed(std::unique_ptr<Reader> reader);

  const std::unique_ptr<Reader> reader_;
};

}  // namespace stave

#endif  // STAVE_CHANGE_FEED_H_
