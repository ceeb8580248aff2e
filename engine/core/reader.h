#ifndef STAVE_ENGINE_CORE_READER_H_
#define STAVE_ENGINE_CORE_READER_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/base/types.h"
#include "engine/core/instant.h"
#include "engine/core/state.h"
#include "stave/options.h"
#include "stave/pinned_value.h"

namespace stave {

// What a key had when somebody looked.
struct SeenKey {
  // By which one can tell whether the key has changed since: as long as `value`
  // is kept, no other record can get this one's location.
  KeydirEntry entry;
  bool exists = false;  // it is there, and has not expired
  PinnedValue value;    // as it is stored
  Compression compression = Compression::kNone;
  absl::Time expire_at = absl::InfiniteFuture();
  absl::Duration ttl = absl::InfiniteDuration();  // what was left of it
};

// The read path: hash, one slot, one record. Takes no lock and writes no
// memory that others read; at a snapshot it takes the overlay's lock, for a
// moment. Thread-safe. Errors are those of store.h; NotFound has no message, so
// that an absent key costs no allocation.
class Reader {
 public:
  explicit Reader(const State* state) : state_(*state) {}

  absl::Status Get(std::string_view key, const ReadOptions& options,
                   std::string* value) const;
  absl::StatusOr<PinnedValue> GetPinned(std::string_view key,
                                        const ReadOptions& options) const;
  absl::StatusOr<bool> Exists(std::string_view key,
                              const ReadOptions& options) const;

  // What is left of the key's time.
  absl::StatusOr<absl::Duration> Ttl(std::string_view key) const;

  // For those who want to change what they see. An absent key is no error.
  absl::StatusOr<SeenKey> Look(std::string_view key) const;
  // The value that was seen: where it lies, or restored, in `*buffer`.
  absl::StatusOr<std::string_view> ValueOf(const SeenKey& seen,
                                           std::string* buffer) const;

  // What `options` ask for; null for the present.
  absl::StatusOr<const Instant*> InstantOf(const ReadOptions& options) const {
    if (options.snapshot == nullptr) return nullptr;
    return Instant::Of(*options.snapshot, state_);
  }
  bool Expired(const RecordHeader& header, const Instant* then) const {
    return then == nullptr ? state_.Expired(header) : then->HadExpired(header);
  }

  // ---- The steps of a Get, under the caller's EpochGuard ----

  // A key's record; all empty where the key is absent.
  struct Found {
    KeydirEntry entry;
    Segment* segment = nullptr;
    RecordView record;
  };
  static absl::Status CheckKey(std::string_view key);
  // `then` is null for the present.
  KeydirEntry FindEntry(const KeyRef& key, const Instant* then) const;
  // The rest needs no guard where the segment is pinned. Asks for the record's
  // memory before it is looked at.
  void Prefetch(KeydirEntry entry) const;
  // The same by loads, for many records in a row: the processor waits for all
  // of them at a time, and does not give a load up, as it does a prefetch,
  // where the page's address has to be looked up first. See RecordsAhead.
  void Touch(KeydirEntry entry) const;
  // Reads the record at found->entry and makes sure that it is the key's. Says
  // nothing of its expiry, nor whether its value's bytes are right.
  absl::Status ReadRecord(std::string_view key, Found* found) const;
  // The second half of that, for a record that was read already.
  absl::Status CheckRecord(std::string_view key, const Found& found) const;
  absl::Status CheckBody(const ReadOptions& options, const Found& found) const;

 private:
  absl::Status Find(std::string_view key, const ReadOptions& options,
                    Found* found) const;

  // The value as it is stored.
  static PinnedValue Pin(const Found& found);
  // As many of the record's bytes as may be asked for ahead; nothing if it is
  // not mapped.
  std::string_view Beginning(KeydirEntry entry) const;
  // Looks again where `entry`'s record was found expired: the clock was read
  // after the entry, and the key may have been given more time in between. True
  // if it has the same entry still.
  bool IsStill(const KeyRef& key, const Instant* then,
               KeydirEntry* entry) const;
  absl::Duration TtlOf(const Found& found) const;
  absl::Status WrongBody(const Found& found) const;
  // DataLoss if damage may have held a later record of the key.
  absl::Status CheckHidden(std::string_view key, Sequence sequence) const;

  const State& state_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_READER_H_
