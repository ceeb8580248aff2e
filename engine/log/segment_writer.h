#ifndef STAVE_ENGINE_LOG_SEGMENT_WRITER_H_
#define STAVE_ENGINE_LOG_SEGMENT_WRITER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/mutex.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/record.h"
#include "engine/fs/file_system.h"
#include "engine/log/segment.h"
#include "engine/log/space_gate.h"
#include "stave/options.h"

namespace stave {

// A record before it has its place. The bytes are borrowed.
struct PendingRecord {
  RecordHeader header;  // all but the sequence
  std::string_view key;
  std::string_view value;

  uint64_t size() const { return header.record_size(); }
};

// Adds records at the end of one segment.
//
// Space is reserved ahead of the tail in steps that double from kLeastStepBytes
// to kGreatestStepBytes, or are less where a SpaceGate gives less, and never
// past the capacity. Where the file system keeps that promise (I14) records are
// stored into the mapped file, else, also where it refuses to reserve space,
// written.
//
// Append and what describes its result are for one thread at a time; Extend,
// PopulateAhead and the accessors of atomics may run beside it.
class SegmentWriter {
 public:
  // Larger ones would be felt: the space bound counts a step at once, so
  // writers would go from full speed to waiting for merges within one put.
  static constexpr uint64_t kGreatestStepBytes = uint64_t{16} << 20;
  static constexpr uint64_t kLeastStepBytes = uint64_t{1} << 20;

  struct Settings {
    SegmentHeader header;
    uint64_t capacity = 0;                  // at least header and one record
    Location range;                         // reserved for `capacity` bytes
    uint64_t first_step = kLeastStepBytes;  // cut to the capacity
    bool mapped = false;  // has no effect on segments that are not mapped
    ReadMode read_mode = ReadMode::kMap;
  };

  // Makes the segment's file with its header; both are durable when this
  // returns OK, the file's name once the directory is synced. On an error no
  // file is left.
  static absl::StatusOr<std::unique_ptr<SegmentWriter>> Create(
      Directory* directory, const Settings& settings);

  // Goes on where `summary` ends, in a file that is exactly that long.
  static std::unique_ptr<SegmentWriter> Resume(std::shared_ptr<Segment> segment,
                                               const SegmentSummary& summary,
                                               bool mapped);

  // Whether `size` more bytes are within the capacity.
  bool HasRoom(uint64_t size) const {
    return size <= segment_->capacity() - summary_.length;
  }

  // Makes sure that `size` more bytes have space: ResourceExhausted, and
  // nothing changed, if the disk is full; Unavailable if `gate` has no room.
  absl::Status Reserve(uint64_t size) {
    return Reserve(size, nullptr, SpaceGate::Claim::kAlways);
  }
  absl::Status Reserve(uint64_t size, SpaceGate* gate, SpaceGate::Claim claim);

  // Adds a record in space that Reserve has promised; returns its offset.
  // An error leaves the segment as it was.
  absl::StatusOr<uint64_t> Append(const PendingRecord& record,
                                  Sequence sequence);
  // The frame of a batch; its records are appended after it.
  absl::StatusOr<uint64_t> AppendFrame(uint64_t body_bytes, uint32_t records,
                                       Sequence sequence);

  // Takes back all that was appended since the summary was `summary`, which
  // nobody has been told of.
  absl::Status RewindTo(const SegmentSummary& summary);

  const SegmentSummary& summary() const { return summary_; }
  // The summary's length, for other threads.
  uint64_t length() const {
    return segment_->end().load(std::memory_order_acquire);
  }
  const std::shared_ptr<Segment>& segment() const { return segment_; }

  // Reserves the next step if the tail is near the end of the last one.
  absl::Status ExtendAhead(SpaceGate* gate = nullptr);
  enum class Pages { kSmall, kHuge };
  // Makes pages for the next `window` bytes behind the tail present; huge ones
  // where they fit. By one thread at a time.
  void PopulateAhead(uint64_t window, Pages pages);
  // Begins to bring the huge pages that are full to the device. By the same.
  void StartSync();
  // Syncs of what is appended from here on, or soon, write huge pages. For who
  // populates.
  bool huge_pages_lie_ahead() const { return length() < huge_end_; }

  // Cuts the file to its records; nothing may be appended afterwards, except
  // by another writer that resumes.
  absl::Status Trim();

 private:
  SegmentWriter(std::shared_ptr<Segment> segment, const SegmentSummary& summary,
                bool mapped, uint64_t allocated);

  absl::Status ReserveUnmapped(uint64_t end, SpaceGate* gate,
                               SpaceGate::Claim claim);
  absl::Status AllocateThrough(uint64_t end, SpaceGate* gate,
                               SpaceGate::Claim claim);
  absl::Status Allocate(uint64_t end, uint64_t most)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(allocate_mutex_);
  absl::StatusOr<uint64_t> Put(RecordHeader header, std::string_view key,
                               std::string_view value, uint64_t size);

  const std::shared_ptr<Segment> segment_;
  // Records are stored through the mapping; else written.
  std::atomic<bool> mapped_;
  SegmentSummary summary_;

  Mutex allocate_mutex_;
  bool trimmed_ ABSL_GUARDED_BY(allocate_mutex_) = false;
  std::atomic<uint64_t> allocated_;  // changed under allocate_mutex_
  std::atomic<uint64_t> populated_;  // changed by PopulateAhead alone
  uint64_t huge_end_ = 0;            // of it, too

  // Held by who populates, as the file goes when the segment is sealed.
  Mutex ahead_mutex_;
  bool has_ended_ ABSL_GUARDED_BY(ahead_mutex_) = false;
  uint64_t sync_started_ ABSL_GUARDED_BY(ahead_mutex_) = 0;
};

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_SEGMENT_WRITER_H_
