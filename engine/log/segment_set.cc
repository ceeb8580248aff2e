#include "engine/log/segment_set.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "stave/limits.h"

namespace stave {

absl::StatusOr<std::unique_ptr<SegmentSet>> SegmentSet::Create() {
  ASSIGN_OR_RETURN(MemoryRange table,
                   MemoryRange::Reserve(kGranules * sizeof(Segment*)));
  return std::unique_ptr<SegmentSet>(new SegmentSet(std::move(table)));
}

absl::StatusOr<Location> SegmentSet::ReserveRange(uint64_t size) {
  const uint64_t granules = GranulesFor(size);
  MutexLock lock(&mutex_);
  if (granules > kGranules - next_granule_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the store has reached its limit of ", kMaxStoreBytes,
                     " bytes of segments"));
  }
  const Location first{next_granule_ << kGranuleUnitBits};
  next_granule_ += granules;
  return first;
}

void SegmentSet::ReturnRange(Location first, uint64_t size) {
  const uint64_t granule = first.unit >> kGranuleUnitBits;
  MutexLock lock(&mutex_);
  if (granule + GranulesFor(size) == next_granule_) next_granule_ = granule;
}

void SegmentSet::Add(std::shared_ptr<Segment> segment) {
  const uint64_t first = segment->LocationOf(0).unit >> kGranuleUnitBits;
  const uint64_t granules = GranulesFor(segment->capacity());
  for (uint64_t i = first; i < first + granules; ++i) {
    table()[i].store(segment.get(), std::memory_order_release);
  }
  MutexLock lock(&mutex_);
  segments_.push_back(std::move(segment));
}

size_t SegmentSet::GranuleCount() const {
  MutexLock lock(&mutex_);
  return next_granule_;
}

void SegmentSet::Remove(const Segment* segment) {
  MutexLock lock(&mutex_);
  for (auto it = segments_.begin(); it != segments_.end(); ++it) {
    if (it->get() != segment) continue;
    segments_.erase(it);
    return;
  }
}

std::vector<std::shared_ptr<Segment>> SegmentSet::All() const {
  MutexLock lock(&mutex_);
  return segments_;
}

}  // namespace stave
