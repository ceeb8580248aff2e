#include "engine/log/segment_set.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/durability_site.h"
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
  for (auto run = free_.begin(); run != free_.end(); ++run) {
    if (run->second < granules) continue;
    const auto [first, count] = *run;
    free_.erase(run);
    if (count > granules) free_.emplace(first + granules, count - granules);
    return Location{first << kGranuleUnitBits};
  }
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
  MutexLock lock(&mutex_);
  Free(first.unit >> kGranuleUnitBits, GranulesFor(size));
}

void SegmentSet::ShrinkRange(Location first, uint64_t size, uint64_t needed) {
  const uint64_t kept = GranulesFor(needed);
  MutexLock lock(&mutex_);
  Free((first.unit >> kGranuleUnitBits) + kept, GranulesFor(size) - kept);
}

// Joins the run with its neighbours, so that large segments find room too.
void SegmentSet::Free(uint64_t granule, uint64_t count) {
  if (count == 0) return;
  auto next = free_.lower_bound(granule);
  if (next != free_.end() && granule + count == next->first) {
    count += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == granule) {
      granule = previous->first;
      count += previous->second;
      free_.erase(previous);
    }
  }
  if (granule + count == next_granule_) {
    next_granule_ = granule;
  } else {
    free_.emplace(granule, count);
  }
}

void SegmentSet::SetTable(const Segment& segment, Segment* to) {
  const uint64_t first = segment.LocationOf(0).unit >> kGranuleUnitBits;
  const uint64_t granules = GranulesFor(segment.capacity());
  for (uint64_t i = first; i < first + granules; ++i) {
    table()[i].store(to, std::memory_order_release);
  }
}

void SegmentSet::Add(std::shared_ptr<Segment> segment) {
  SetTable(*segment, segment.get());
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
    SetTable(*segment, nullptr);
    Free(segment->LocationOf(0).unit >> kGranuleUnitBits,
         GranulesFor(segment->capacity()));
    segments_.erase(it);
    return;
  }
}

void SegmentSet::Stage(std::shared_ptr<Segment> output) {
  SetTable(*output, output.get());
  MutexLock lock(&mutex_);
  staged_.push_back(std::move(output));
}

void SegmentSet::Install(const std::vector<std::shared_ptr<Segment>>& outputs,
                         SegmentId after,
                         const std::vector<std::shared_ptr<Segment>>& inputs) {
  MutexLock lock(&mutex_);
  const auto place = std::find_if(
      segments_.begin(), segments_.end(),
      [after](const auto& segment) { return segment->id() == after; });
  segments_.insert(place + 1, outputs.begin(), outputs.end());
  staged_.clear();
  for (const std::shared_ptr<Segment>& input : inputs) {
    segments_.erase(std::find(segments_.begin(), segments_.end(), input));
    leaving_.push_back(input);
  }
}

void SegmentSet::Relist(std::vector<std::shared_ptr<Segment>> now) {
  MutexLock lock(&mutex_);
  const auto is_listed = [&now](const std::shared_ptr<Segment>& segment) {
    return std::find(now.begin(), now.end(), segment) != now.end();
  };
  staged_.erase(std::remove_if(staged_.begin(), staged_.end(), is_listed),
                staged_.end());
  for (const std::shared_ptr<Segment>& segment : segments_) {
    if (!is_listed(segment)) leaving_.push_back(segment);
  }
  segments_ = std::move(now);
}

std::vector<std::shared_ptr<Segment>> SegmentSet::TakeLeft(bool all) {
  MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<Segment>> left;
  for (auto it = leaving_.begin(); it != leaving_.end();) {
    // Who is not an owner now will never be one: nothing leads here any more.
    const bool held =
        DURABILITY_SITE(kRangeHeld, it->use_count() > 1 || (*it)->IsPinned());
    if (!all && held) {
      ++it;
      continue;
    }
    // Who holds it may look it up by its location, after Close, too.
    if (!held) {
      SetTable(**it, nullptr);
      Free((*it)->LocationOf(0).unit >> kGranuleUnitBits,
           GranulesFor((*it)->capacity()));
    }
    left.push_back(std::move(*it));
    it = leaving_.erase(it);
  }
  return left;
}

SegmentSet::Usage SegmentSet::GetUsage() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  Usage usage;
  MutexLock lock(&mutex_);
  for (const auto* list : {&segments_, &staged_, &leaving_}) {
    for (const std::shared_ptr<Segment>& segment : *list) {
      const uint64_t bytes = segment->file_bytes().load(kRelaxed);
      usage.file_bytes += bytes;
      if (segment->is_mapped()) {
        ++usage.mappings;
        usage.mapped_bytes += segment->capacity();
      }
      if (segment->has_file()) ++usage.open_files;
      if (list == &leaving_ || segment->retained().load(kRelaxed) ||
          segment->quarantined().load(kRelaxed)) {
        usage.pinned_bytes += bytes;
      } else if (segment->being_merged().load(kRelaxed)) {
        usage.merging_bytes += bytes;
      } else if (segment->growing().load(kRelaxed)) {
        const uint64_t end = segment->end().load(kRelaxed);
        usage.ahead_bytes += bytes > end ? bytes - end : 0;
      }
    }
  }
  return usage;
}

std::vector<std::shared_ptr<Segment>> SegmentSet::All() const {
  MutexLock lock(&mutex_);
  return segments_;
}

}  // namespace stave
