#ifndef STAVE_ENGINE_CORE_STATE_H_
#define STAVE_ENGINE_CORE_STATE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/engine_clock.h"
#include "engine/base/key_hash.h"
#include "engine/core/damage_map.h"
#include "engine/core/publication.h"
#include "engine/format/compression.h"
#include "engine/format/dictionary.h"
#include "engine/index/keydir.h"
#include "engine/index/version_overlay.h"
#include "engine/log/segment_scanner.h"
#include "engine/log/segment_set.h"
#include "stave/options.h"

namespace stave {

// What a store is made of for those who read it. Shared by the store and by
// what may outlive it; all parts are thread-safe.
struct State {
  std::string directory;  // for messages
  ReadMode read_mode = ReadMode::kMap;
  std::unique_ptr<EngineClock> clock;
  std::unique_ptr<KeyHasher> hasher;
  std::unique_ptr<SegmentSet> segments;
  std::unique_ptr<Keydir> keydir;
  VersionOverlay overlay;
  // Without which some values can't be restored.
  std::unique_ptr<DictionarySet> dictionaries =
      std::make_unique<DictionarySet>();
  // Of all live records. Changed under the log's append lock, unlike the counts
  // of single segments, between which merges move records.
  std::atomic<uint64_t> live_bytes{0};
  // Of all records that were live at some time.
  std::atomic<uint64_t> largest_record{0};
  Publication publication;
  // Whether a key has, or had, an expiry.
  std::atomic<bool> has_expiries{false};
  // Keys that went because they had expired, with no record in the log.
  std::atomic<uint64_t> expired_keys_removed{0};
  // Of a store that was opened damaged; else null.
  std::unique_ptr<const DamageMap> damage;

  // The size of a live record, padding included: from the entry if that is
  // exact, else from the record's header; DataLoss if that can't be read.
  absl::StatusOr<uint64_t> SizeOf(KeydirEntry entry) const;

  // Counts a record of `size` bytes in `segment` as live, or no longer. Call
  // with the log's append lock held.
  void AddLive(Segment* segment, uint64_t size) {
    segment->live_bytes().fetch_add(size, std::memory_order_relaxed);
    live_bytes.store(live_bytes.load(std::memory_order_relaxed) + size,
                     std::memory_order_relaxed);
  }
  void SubtractLive(Segment* segment, uint64_t size) {
    segment->live_bytes().fetch_sub(size, std::memory_order_relaxed);
    live_bytes.store(live_bytes.load(std::memory_order_relaxed) - size,
                     std::memory_order_relaxed);
  }
  // The same for a record that something has taken the place of, if there was
  // one. Where its size can't be read it goes on being counted, up to the next
  // open.
  void SubtractReplaced(KeydirEntry replaced);

  void NoteRecordSize(uint64_t size) {
    uint64_t largest = largest_record.load(std::memory_order_relaxed);
    while (size > largest && !largest_record.compare_exchange_weak(
                                 largest, size, std::memory_order_relaxed)) {
    }
  }

  // Reads the record at `entry`, without its body's checksum. DataLoss if its
  // header is wrong, or the device has an error.
  absl::Status ReadAt(KeydirEntry entry, Segment** segment,
                      RecordView* record) const {
    return ReadPartAt(entry, RecordPart::kValue, segment, record);
  }
  // The same, and says nothing of the value, which may be large.
  absl::Status ReadKeyAt(KeydirEntry entry, Segment** segment,
                         RecordView* record) const {
    return ReadPartAt(entry, RecordPart::kKey, segment, record);
  }

  // The value of the record at `offset`, whose body is right: where it lies, or
  // restored, in `*buffer`. DataLoss if it can't be restored.
  absl::StatusOr<std::string_view> ValueOf(const Segment& segment,
                                           uint64_t offset,
                                           const StoredValue& stored,
                                           std::string* buffer) const;
  // The same in memory of its own; `*size` is the value's.
  absl::StatusOr<std::unique_ptr<char[]>> CopyOf(const Segment& segment,
                                                 uint64_t offset,
                                                 const StoredValue& stored,
                                                 size_t* size) const;
  // Whether who walks goes on behind a value for which these say so: in a store
  // that was opened damaged, whose dictionary may be what is missing.
  bool IsLeftOut(const absl::Status& status) const {
    return damage != nullptr && absl::IsDataLoss(status);
  }

  // The sequence of the record at `entry` if it may have been moved to where it
  // lies, as to a merge's output, else 0. DataLoss if it can't be read. Call
  // within an epoch.
  absl::StatusOr<Sequence> SequenceIfMoved(KeydirEntry entry) const;
  // Saves what a key has now for those who look back. Call within an epoch,
  // with the log's append lock held.
  void SaveVersion(const KeyRef& key, KeydirEntry present,
                   bool has_expired = false);

  // DataLoss that names the place.
  absl::Status Damage(const Segment& segment, uint64_t offset,
                      std::string_view what) const;

  bool Expired(const RecordHeader& header) const {
    return header.expires &&
           clock->HasExpired(header.expire_at_ms, clock->NowMs());
  }

 private:
  absl::Status ReadPartAt(KeydirEntry entry, RecordPart part, Segment** segment,
                          RecordView* record) const;
  absl::Status DamageIfLoss(const Segment& segment, uint64_t offset,
                            const absl::Status& status) const;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_STATE_H_
