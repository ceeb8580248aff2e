#ifndef STAVE_ENGINE_INDEX_KEYDIR_H_
#define STAVE_ENGINE_INDEX_KEYDIR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/key_hash.h"
#include "engine/base/types.h"

namespace stave {

// What the keydir knows of a key's last record, in 48 bits: its location, its
// size and whether it expires. A default-constructed entry says "absent".
class KeydirEntry {
 public:
  // Sizes are kept exactly, in units of 8 bytes, up to this many bytes.
  static constexpr uint64_t kMaxExactSize = 1008;
  // Where the bits of the location begin.
  static constexpr int kLocationShift = 8;

  constexpr KeydirEntry() = default;
  // `record_size` is the whole record's, padding included, so at least 24.
  static constexpr KeydirEntry Live(Location location, uint64_t record_size,
                                    bool expires) {
    uint64_t units = record_size / kRecordAlignment;
    if (record_size > kMaxExactSize) units = kLargeSize;
    return KeydirEntry(location.unit << kLocationShift | units << 1 |
                       uint64_t{expires});
  }
  // A tombstone at `location`; stands in the keydir during recovery only.
  static constexpr KeydirEntry Tombstone(Location location) {
    return KeydirEntry(location.unit << kLocationShift | kTombstoneSize << 1);
  }
  static constexpr KeydirEntry FromBits(uint64_t bits) {
    return KeydirEntry(bits);
  }

  constexpr bool absent() const { return bits_ == 0; }
  constexpr bool tombstone() const { return size_units() == kTombstoneSize; }
  constexpr Location location() const {
    return Location{bits_ >> kLocationShift};
  }
  constexpr bool expires() const { return (bits_ & 1) != 0; }
  // The record's size in bytes, or 0 where only its header knows.
  constexpr uint64_t exact_size() const {
    return size_units() == kLargeSize ? 0 : size_units() * kRecordAlignment;
  }
  constexpr uint64_t bits() const { return bits_; }

  friend constexpr bool operator==(KeydirEntry a, KeydirEntry b) {
    return a.bits_ == b.bits_;
  }

 private:
  static constexpr uint64_t kTombstoneSize = 1;
  static constexpr uint64_t kLargeSize = 127;

  constexpr explicit KeydirEntry(uint64_t bits) : bits_(bits) {}
  constexpr uint64_t size_units() const { return bits_ >> 1 & 127; }

  uint64_t bits_ = 0;
};

// A key as the keydirs take it. The bytes are borrowed for the call.
struct KeyRef {
  std::string_view bytes;
  KeyHash hash;
};

// A key in a copy of a keydir: 16 bytes, as checkpoints have it.
struct KeydirSlot {
  static constexpr int kTagShift = 48;

  KeydirEntry entry() const {
    return KeydirEntry::FromBits(tagged_entry &
                                 ((uint64_t{1} << kTagShift) - 1));
  }

  uint64_t prefix = 0;        // of the key's hash
  uint64_t tagged_entry = 0;  // the hash's tag, above the entry's 48 bits
};
static_assert(sizeof(KeydirSlot) == 16);

// Keys that lie together: those whose stretched prefixes (hash_stretch.h)
// begin with the same bits.
struct KeydirPage {
  uint64_t begin = 0;  // the least of such stretched prefixes
  int bits = 0;        // how many are the same
  uint32_t keys = 0;
};

// Entries of neighbours, in the byte order of their keys, copied out of a
// keydir; with all of the keys, or with the first and the last alone.
class KeyRun {
 public:
  enum class Keys { kAll, kEnds };
  explicit KeyRun(Keys keys) : has_all_keys_(keys == Keys::kAll) {}

  bool has_all_keys() const { return has_all_keys_; }
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  KeydirEntry entry(size_t index) const { return entries_[index]; }
  // Only with all keys.
  std::string_view key(size_t index) const {
    const size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(keys_).substr(begin, ends_[index] - begin);
  }
  // Of one that is not empty.
  const std::string& first() const { return first_; }
  const std::string& last() const { return last_; }

  void Append(KeydirEntry entry) { entries_.push_back(entry); }
  void Append(std::string_view key, KeydirEntry entry) {
    keys_.append(key);
    ends_.push_back(keys_.size());
    entries_.push_back(entry);
  }
  void SetFirst(std::string first) { first_ = std::move(first); }
  void SetLast(std::string last) { last_ = std::move(last); }
  void Clear() {
    entries_.clear();
    keys_.clear();
    ends_.clear();
  }

 private:
  const bool has_all_keys_;
  std::vector<KeydirEntry> entries_;
  std::string keys_;
  std::vector<size_t> ends_;  // of each key in keys_
  std::string first_;
  std::string last_;
};

class OrderedLeaves;

// What only a keydir that knows its keys' bytes can do. Who copies holds an
// EpochGuard. Nothing is remembered from one call to the next, so keys may come
// and go in between.
class KeyOrder {
 public:
  virtual ~KeyOrder() = default;

  // Appends the first keys that are not less than `from`, `most` of them if
  // there are so many, to a run that is empty. A key that is there all the
  // while, and lies between `from` and the last one appended, is not left out.
  virtual void CopyFrom(std::string_view from, size_t most,
                        KeyRun* run) const = 0;
  // Appends, in byte order too, the last keys that are less than `before`, or
  // of all that there are, some, but not more than `most`; none if there is
  // none.
  virtual void CopyBefore(std::optional<std::string_view> before, size_t most,
                          KeyRun* run) const = 0;

  // What Keydir::Offer does, for many keys, which are in byte order; of equal
  // ones each is offered. No guard is needed.
  struct Offered {
    KeyRef key;
    KeydirEntry entry;
  };
  virtual absl::Status OfferInOrder(
      absl::Span<const Offered> offers,
      absl::FunctionRef<bool(KeydirEntry candidate, KeydirEntry present)>
          supersedes) = 0;

  // Keys, in byte order, that part all keys into stretches of some thousand.
  virtual std::vector<std::string> Partings() const = 0;

  // Fills a keydir without keys with those of `stretches`, which follow one
  // another in byte order (DataLoss if they don't), and takes their leaves.
  // ResourceExhausted when memory has run out. After an error there is no more
  // use for this keydir. No guard is needed.
  virtual absl::Status Restore(absl::Span<OrderedLeaves> stretches) = 0;
};

// What checkpoints are made of, and restored to, while nobody changes the
// keydir, where it is one of hashes; of the other KeyOrder does it.
class KeydirCopier {
 public:
  virtual ~KeydirCopier() = default;

  // Parts that are copied one by one. The upper 10 bits of a stretched prefix
  // are the number of the key's part.
  static constexpr size_t kParts = 1024;
  static constexpr size_t PartOf(uint64_t stretched) { return stretched >> 54; }

  // How many keys a part has.
  virtual uint64_t KeysIn(size_t part) const = 0;

  // Appends those pages of a part that have keys to `pages`, in their order,
  // and their keys to `slots`.
  virtual void CopyPart(size_t part, std::vector<KeydirPage>* pages,
                        std::vector<KeydirSlot>* slots) = 0;

  // Says that about so many keys are going to be restored.
  virtual void ExpectKeys(uint64_t keys) = 0;

  // Fills a part that has no keys with what CopyPart has returned. DataLoss
  // for what it can't have returned; ResourceExhausted when memory has run
  // out. After an error there is no more use for this keydir.
  virtual absl::Status RestorePart(size_t part,
                                   absl::Span<const KeydirPage> pages,
                                   absl::Span<const KeydirSlot> slots) = 0;
};

// Maps each live key to its entry, in memory.
//
// Thread-safe. Find takes no lock and writes no shared memory; its caller
// holds an EpochGuard. Changes of one key are ordered by a lock of the part of
// the keydir that the key is in, held for the length of a call; callbacks
// run under it and must not call the keydir.
class Keydir {
 public:
  struct Statistics {
    uint64_t keys = 0;   // tombstones of a recovery included
    uint64_t bytes = 0;  // reserved: pages, free and retired ones, directory
  };

  virtual ~Keydir() = default;

  // Brings the key's place nearer to the processor; changes nothing.
  virtual void Prefetch(const KeyRef& key) const = 0;

  // The same of what Prefetch has to wait for, if it can be told by the hash,
  // for who has many keys. Needs no EpochGuard.
  virtual void PrefetchDirectory(const KeyHash& hash) const = 0;

  // The key's entry, absent when there is none.
  virtual KeydirEntry Find(const KeyRef& key) const = 0;

  // Makes `entry` the key's, and returns the one that it replaces.
  // ResourceExhausted, and nothing changed, when memory has run out.
  virtual absl::StatusOr<KeydirEntry> Put(const KeyRef& key,
                                          KeydirEntry entry) = 0;

  // Removes the key, and returns the entry that it had.
  virtual KeydirEntry Remove(const KeyRef& key) = 0;

  // Makes `desired` the key's entry (absent: removes it) if the present one
  // is exactly `expected`, which is not absent; returns whether it was (I6).
  virtual bool CompareAndSwap(const KeyRef& key, KeydirEntry expected,
                              KeydirEntry desired) = 0;

  // Makes `candidate` the key's entry if it has none or `supersedes(present)`.
  virtual absl::Status Offer(
      const KeyRef& key, KeydirEntry candidate,
      absl::FunctionRef<bool(KeydirEntry present)> supersedes) = 0;

  // Visits each entry of part `part` of `parts` and removes those for which
  // `keep` is false. Parts are disjoint and together everything, so that
  // threads can share the work.
  virtual void Sweep(size_t part, size_t parts,
                     absl::FunctionRef<bool(KeydirEntry)> keep) = 0;

  virtual Statistics GetStatistics() const = 0;

  // Null where the keydir does not know the bytes of its keys: it looks at the
  // hash of a KeyRef alone then, else at the bytes alone.
  virtual KeyOrder* order() { return nullptr; }
  // Null where the keydir has an order.
  virtual KeydirCopier* copier() { return nullptr; }
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_KEYDIR_H_
