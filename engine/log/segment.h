#ifndef STAVE_ENGINE_LOG_SEGMENT_H_
#define STAVE_ENGINE_LOG_SEGMENT_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/mutex.h"
#include "engine/base/types.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"

namespace stave {

// An open segment: its file, mapped for reading or read by calls (ReadMode),
// and what is known of it. Owns the file and the mapping; a SegmentWriter adds
// records to the last one. Records are got through a SegmentScanner, one after
// another, or through State::ReadAt.
//
// Thread-safe. Bytes below the writer's position never change, so whoever
// holds a segment may read the records that it knows of without a lock.
//
// Lifetime: made by Adopt, which returns the owners' pointer. The segment
// lives until the last owner and the last pin are gone. Pins are for what
// outlives a call and must not write a cache line that other threads write:
// they are counted by stripes.
class Segment : public std::enable_shared_from_this<Segment> {
 public:
  struct Parts {
    SegmentHeader header;
    std::string name;
    std::unique_ptr<File> file;
    // Null if the segment is to be read by calls; then `file` stays open, and
    // `capacity` says how long the file may become.
    std::unique_ptr<FileMapping> mapping;
    uint64_t capacity = 0;
    Location first;  // of offset 0
    // A mapping of a file that another segment has mapped before.
    bool replaces_another = false;
  };
  static std::shared_ptr<Segment> Adopt(Parts parts);

  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  SegmentId id() const { return header_.id; }
  const SegmentHeader& header() const { return header_; }
  const std::string& name() const { return name_; }
  // Of a segment that is mapped, null once it is sealed: a mapping needs no
  // open file, and a process may have few. Only who seals and who appends may
  // ask.
  File* file() const { return file_.get(); }
  // Whether it has an open file; anybody may ask.
  bool has_file() const { return counters_.has_file; }
  // Nobody appends any more: forbids stores, closes a file that is mapped.
  void EndAppends();
  FileMapping* mapping() const { return mapping_.get(); }

  bool is_mapped() const { return data_ != nullptr; }
  // Bytes of the file, as far as they exist, if it is mapped; else null.
  const char* data() const { return data_; }
  // For a segment that is not mapped: fills `to`, or as much of it as the file
  // has from `offset` on; returns the number of bytes. DataLoss if the device
  // has an error.
  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> to) const;
  // Of such a segment: the same of what is in memory already, see File.
  size_t ReadCached(uint64_t offset, absl::Span<char> to) const {
    return file_->ReadCached(offset, to);
  }
  // Of such a segment: these bytes will be read soon; only a hint.
  void WillNeed(uint64_t offset, uint64_t size) const {
    file_->WillNeed(offset, size);
  }
  // Where every record ends at the latest.
  uint64_t capacity() const { return capacity_; }
  // Of a segment that is mapped.
  std::string_view bytes_from(uint64_t offset) const {
    return std::string_view(data_ + offset, capacity_ - offset);
  }

  // Whether it may have records that other segments had before, from which
  // entries were moved here.
  bool may_hold_moved() const {
    return replaces_another_ || header_.kind == SegmentKind::kMerged;
  }

  uint32_t seed() const { return seed_; }
  uint32_t SeedAt(uint64_t offset) const { return RecordSeed(seed_, offset); }
  Location LocationOf(uint64_t offset) const {
    return Location{first_.unit + offset / kRecordAlignment};
  }
  uint64_t OffsetOf(Location location) const {
    return (location.unit - first_.unit) * kRecordAlignment;
  }

  // Where its records end now; grows while the segment is active.
  std::atomic<uint64_t>& end() { return counters_.end; }
  // Bytes of live records. Changed by who changes the keydir.
  std::atomic<uint64_t>& live_bytes() { return counters_.live_bytes; }
  // Bytes of records that are no key's, frames and marks, as far as somebody
  // has counted them: no more than there are. Changed with the append lock
  // held.
  std::atomic<uint64_t>& keyless_bytes() { return counters_.keyless_bytes; }
  // live_bytes() may be more than there are: a merge is moving entries from
  // here, or a checkpoint has said so, which can't tell of large records.
  std::atomic<bool>& may_have_less() { return counters_.may_have_less; }
  // Whether each record up to `end` was its key's last one. Of a segment of
  // this process's log, with the append lock held.
  bool IsAllLive(uint64_t end) const;
  // Length of the file, preallocated space included.
  std::atomic<uint64_t>& file_bytes() { return counters_.file_bytes; }
  // Whether a SegmentWriter may still add records.
  std::atomic<bool>& growing() { return counters_.growing; }

  // Length of its hint file, 0 while it has none.
  std::atomic<uint64_t>& hint_bytes() { return counters_.hint_bytes; }

  // No live record is worth looking at before this time because it may have
  // expired, in milliseconds of Unix time.
  static constexpr int64_t kNoExpiry = INT64_MAX;
  int64_t next_expiry_ms() const {
    return counters_.next_expiry_ms.load(std::memory_order_relaxed);
  }
  void NoteExpiry(int64_t at_ms) {
    int64_t known_ms = next_expiry_ms();
    while (at_ms < known_ms &&
           !counters_.next_expiry_ms.compare_exchange_weak(known_ms, at_ms)) {
    }
  }
  void ForgetExpiries() { counters_.next_expiry_ms = kNoExpiry; }
  // No record before this offset will yet expire. Of those that have, none is
  // in the keydir.
  std::atomic<uint64_t>& all_expired_before() {
    return counters_.all_expired_before;
  }

  // Bytes of tombstones that the merge which wrote this segment had to keep.
  std::atomic<uint64_t>& kept_tombstone_bytes() {
    return counters_.kept_tombstone_bytes;
  }
  // Merges leave it alone, for change feeds.
  std::atomic<bool>& retained() { return counters_.retained; }
  // Damage was found in it: merges leave it alone (I5).
  std::atomic<bool>& quarantined() { return counters_.quarantined; }
  // The running merge will take it out of the list, if nothing fails.
  std::atomic<bool>& being_merged() { return counters_.being_merged; }

  // Whether there is a pin. False stays so when nobody can pin any more.
  bool IsPinned() const;

  // The caller makes sure that an owner is left while Pin runs.
  void Pin();
  void Unpin();

 private:
  static constexpr size_t kStripes = 8;
  struct alignas(64) Stripe {
    std::atomic<int64_t> pins{0};
  };
  struct alignas(64) Counters {
    std::atomic<uint64_t> end{kSegmentHeaderBytes};
    std::atomic<uint64_t> live_bytes{0};
    std::atomic<uint64_t> keyless_bytes{0};
    std::atomic<bool> may_have_less{false};
    std::atomic<uint64_t> file_bytes{0};
    std::atomic<bool> growing{false};
    std::atomic<bool> has_file{false};
    std::atomic<uint64_t> hint_bytes{0};
    std::atomic<uint64_t> kept_tombstone_bytes{0};
    std::atomic<bool> retained{false};
    std::atomic<bool> quarantined{false};
    std::atomic<bool> being_merged{false};
    std::atomic<int64_t> next_expiry_ms{kNoExpiry};
    std::atomic<uint64_t> all_expired_before{kSegmentHeaderBytes};
  };

  explicit Segment(Parts parts);
  ~Segment() = default;
  // No owner is left: destroys the segment now or with the last Unpin.
  void Retire();
  bool LastPinIsGone();
  void Destroy();
  Stripe& MyStripe();

  // Read by every Get; nothing that changes shares their cache line.
  const char* const data_;
  const uint64_t capacity_;
  const Location first_;
  const uint32_t seed_;
  const SegmentHeader header_;
  const bool replaces_another_;
  const std::string name_;
  const std::unique_ptr<FileMapping> mapping_;

  std::unique_ptr<File> file_;
  Counters counters_;
  std::array<Stripe, kStripes> stripes_;
  std::atomic<bool> retired_{false};
  Mutex retire_mutex_;
  bool destroyed_ ABSL_GUARDED_BY(retire_mutex_) = false;
};

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_SEGMENT_H_
