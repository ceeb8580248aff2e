#ifndef STAVE_TESTS_MODEL_OPERATION_H_
#define STAVE_TESTS_MODEL_OPERATION_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stave {

// What a write, alone or in a batch, does to its key.
struct Change {
  static constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

  std::string key;
  std::string value;
  bool is_delete = false;
  // How long the key lives, and whether the store is told so, or when it
  // expires: only a moment may have passed, which is 0 or less here.
  int64_t ttl_ms = kForever;
  bool as_moment = false;
  // Of a comparison.
  std::optional<std::string> expected;
  // Of an increment.
  int64_t delta = 0;
};

// Something that is done to a store, and as well to a model of it: plain data,
// so that it can be done twice, and later, and in another process.
struct Operation {
  enum Kind : size_t {
    // Changes.
    kPut,
    kPutThatExpires,
    kDelete,
    kCompareAndSet,
    kIncrement,
    kExpireAt,      // kForever: Persist
    kGetAndExpire,  // a get that refreshes
    kWrite,
    kTransact,  // reads `key` and makes `changes`, in a transaction
    kSync,
    // Questions.
    kGet,
    kGetPinned,
    kExists,
    kTtl,
    kMultiGet,
    kVisit,         // all keys, by an iterator
    kHoldIterator,  // which is asked what it visits by a kVisitHeld
    kVisitHeld,
    kHoldSnapshot,
    kGetAtSnapshot,    // of one that is held, if its store is still open
    kVisitAtSnapshot,  // the same
    kHoldValue,
    kReadHeld,
    kCount,
    kMerge,         // changes nothing that a question could see
    kBackup,        // which is opened, and asked for all that is in it
    kFollow,        // by a read-only store, which is asked the same
    kReadFeed,      // to its end: what a copy that makes these changes has then
    kSaveSnapshot,  // to a file, which is asked for all that is in it
    // What is done not by a call, but around the store.
    kPassTime,
    kReopen,
    kKill,  // as if its process were killed; then it is opened again
    kKinds  // their number
  };

  Kind kind = kGet;
  std::vector<Change> changes;  // all but kWrite and kTransact have one
  bool sync = false;
  bool all = false;  // of a merge: what has a little dead in it too
  std::string key;   // of a question; of visits and kHoldIterator: a prefix
  std::vector<std::string> keys;  // of kMultiGet
  uint64_t which = 0;             // of what is held, or of formats; any number
  int64_t time_ms = 0;  // that passes; by which the date is set while closed
};

// Whether the store may be another afterwards.
inline bool IsChange(Operation::Kind kind) {
  return kind <= Operation::kTransact;
}
inline bool IsCall(Operation::Kind kind) { return kind < Operation::kPassTime; }

// A key's value and when it expires, Change::kForever if never.
struct Held {
  std::string value;
  int64_t expire_at_ms = Change::kForever;
  // Of a model: how many bytes a store keeps for the value; 0: as many as it
  // has.
  uint64_t stored_bytes = 0;

  friend bool operator==(const Held& a, const Held& b) {
    return a.value == b.value && a.expire_at_ms == b.expire_at_ms;
  }
};
using Contents = std::map<std::string, Held>;

// What an operation that succeeds tells who asked for it. What its kind does
// not speak of stays as it is here.
struct Answer {
  bool found = false;  // kDelete too
  std::string value;   // a number's text; the name of an error that may be
  // Whether a sync has made durable what the answer depends on. Not by a write
  // that was refused, nor by a read.
  bool is_covered_by_sync = true;
  Contents contents;
  // kTransact: somebody else had changed what it read, so it has done nothing.
  bool aborted = false;
  uint64_t keys = 0;
  uint64_t live_bytes = 0;
  // Of a model: how many of these are of keys that have expired. A merge may
  // have removed some of them.
  uint64_t expired_keys = 0;
  uint64_t expired_bytes = 0;
};

// Whether a store may answer so where a model answers `expected`.
bool Fits(const Answer& answer, const Answer& expected);

// For messages.
const char* NameOf(Operation::Kind kind);
std::string Describe(const Operation& operation);
std::string Describe(const Answer& answer);

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_OPERATION_H_
