#ifndef STAVE_ENGINE_LOG_SEGMENT_SET_H_
#define STAVE_ENGINE_LOG_SEGMENT_SET_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/memory_range.h"
#include "engine/base/mutex.h"
#include "engine/base/types.h"
#include "engine/log/segment.h"

namespace stave {

// The open segments of a store, and the one space of locations that they
// share: each segment has a range of whole granules, so that a table by
// granule leads from a location to its segment.
//
// Thread-safe. Find takes no lock.
class SegmentSet {
 public:
  static absl::StatusOr<std::unique_ptr<SegmentSet>> Create();

  // A range for a segment of up to `size` bytes. ResourceExhausted when the
  // store has reached kMaxStoreBytes.
  absl::StatusOr<Location> ReserveRange(uint64_t size);

  // Gives up a range, or the rest of one, that no segment was added for.
  void ReturnRange(Location first, uint64_t size);
  // Gives up what a reserved range of `size` bytes has too much for `needed`.
  void ShrinkRange(Location first, uint64_t size, uint64_t needed);

  // Adds `segment`, whose range was reserved here, behind all others in log
  // order, and takes a share in owning it.
  void Add(std::shared_ptr<Segment> segment);

  // Gives up the share in an empty segment, whose range no keydir names.
  void Remove(const Segment* segment);

  // ---- What a merge does; one at a time ----

  // Makes its output findable, though it is not listed yet.
  void Stage(std::shared_ptr<Segment> output);
  // Lists the outputs, which were staged, behind segment `after`, and takes
  // the inputs from the list, at one instant: whoever asks for the list gets
  // the records that were merged once. No keydir names the inputs any more,
  // and no reader who might have seen it do so is left. They are leaving now.
  void Install(const std::vector<std::shared_ptr<Segment>>& outputs,
               SegmentId after,
               const std::vector<std::shared_ptr<Segment>>& inputs);
  // Those that are leaving and that nobody else owns or pins any more, or, if
  // `all` is set, all of them. Their ranges may be used again.
  std::vector<std::shared_ptr<Segment>> TakeLeft(bool all);

  // What a follower does: lists `now`, which were all added or staged, in this
  // order, at one instant. Those that are not among them are leaving; keydir
  // and readers let go of them before TakeLeft is called.
  void Relist(std::vector<std::shared_ptr<Segment>> now);

  // What the segments' files take.
  struct Usage {
    uint64_t file_bytes = 0;  // of all, those that are leaving included
    // Of those that are leaving, or that merges leave alone.
    uint64_t pinned_bytes = 0;
    // Of the rest: what the running merge will free; what no record has yet.
    uint64_t merging_bytes = 0;
    uint64_t ahead_bytes = 0;
    uint64_t mappings = 0;
    uint64_t mapped_bytes = 0;  // of addresses
    uint64_t open_files = 0;
  };
  Usage GetUsage() const;

  // Locations of one granule lie in one segment. Granules are numbered from 0
  // to below GranuleCount().
  static size_t GranuleOf(Location location) {
    return location.unit >> kGranuleUnitBits;
  }
  size_t GranuleCount() const;
  Segment* SegmentOfGranule(size_t granule) const {
    return table()[granule].load(std::memory_order_acquire);
  }

  // The segment that `location` lies in, which has been added. Borrowed.
  Segment* Find(Location location) const {
    return SegmentOfGranule(GranuleOf(location));
  }

  // All listed segments: of two records of a key, the one in the later segment
  // is newer.
  std::vector<std::shared_ptr<Segment>> All() const;

 private:
  // A granule is 1 MiB.
  static constexpr int kGranuleUnitBits = 17;
  static constexpr uint64_t kGranuleBytes = kRecordAlignment
                                            << kGranuleUnitBits;
  static constexpr uint64_t kGranules = uint64_t{1}
                                        << (kLocationBits - kGranuleUnitBits);

  static uint64_t GranulesFor(uint64_t size) {
    return size / kGranuleBytes + (size % kGranuleBytes != 0 ? 1 : 0);
  }

  explicit SegmentSet(MemoryRange table) : table_(std::move(table)) {}

  void SetTable(const Segment& segment, Segment* to);
  void Free(uint64_t granule, uint64_t count)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::atomic<Segment*>* table() const {
    return reinterpret_cast<std::atomic<Segment*>*>(table_.data());
  }

  // Zero-filled, so all entries are null pointers at first.
  MemoryRange table_;
  mutable Mutex mutex_;
  std::vector<std::shared_ptr<Segment>> segments_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Segment>> staged_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Segment>> leaving_ ABSL_GUARDED_BY(mutex_);
  // Granule 0 stays empty: no location is 0.
  uint64_t next_granule_ ABSL_GUARDED_BY(mutex_) = 1;
  // Granules below it that are free: the first of each run, and their number.
  std::map<uint64_t, uint64_t> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_SEGMENT_SET_H_
