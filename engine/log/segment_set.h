#ifndef STAVE_ENGINE_LOG_SEGMENT_SET_H_
#define STAVE_ENGINE_LOG_SEGMENT_SET_H_

#include <atomic>
#include <cstdint>
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

  // Gives up a range that no segment was added for; it is used again if none
  // was reserved after it.
  void ReturnRange(Location first, uint64_t size);

  // Adds `segment`, whose range was reserved here, behind all others in log
  // order, and takes a share in owning it.
  void Add(std::shared_ptr<Segment> segment);

  // Gives up the share in an empty segment, whose range no keydir names.
  void Remove(const Segment* segment);

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

  // All segments in log order.
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

  std::atomic<Segment*>* table() const {
    return reinterpret_cast<std::atomic<Segment*>*>(table_.data());
  }

  // Zero-filled, so all entries are null pointers at first.
  MemoryRange table_;
  mutable Mutex mutex_;
  std::vector<std::shared_ptr<Segment>> segments_ ABSL_GUARDED_BY(mutex_);
  // Granule 0 stays empty: no location is 0.
  uint64_t next_granule_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_SEGMENT_SET_H_
