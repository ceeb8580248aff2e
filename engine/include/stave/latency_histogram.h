#ifndef STAVE_LATENCY_HISTOGRAM_H_
#define STAVE_LATENCY_HISTOGRAM_H_

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace stave {

// Counts durations, in any unit, exactly below 64 and from there on to within
// a 32nd. Takes 15 KB from the first one on. Thread-compatible.
//
//   const stave::LatencyHistogram gets = store->GetStatistics().get_ns;
//   std::cout << gets.Quantile(0.99) << " ns\n";
class LatencyHistogram {
 public:
  void Add(uint64_t duration) {
    if (counts_.empty()) [[unlikely]]
      counts_.resize(kSlots);
    ++counts_[IndexOf(duration)];
    ++count_;
    sum_ += duration;
    max_ = std::max(max_, duration);
  }
  void Add(const LatencyHistogram& other);
  // Adds durations that were counted elsewhere: counts[IndexOf(each)], for
  // kSlots slots, their sum, and the longest.
  template <typename Counts>
  void AddCounts(const Counts& counts, uint64_t sum, uint64_t max);

  uint64_t count() const { return count_; }
  uint64_t sum() const { return sum_; }
  uint64_t max() const { return max_; }

  // The least duration that at least `share` (0 to 1) of all are not above, to
  // that precision and never more than max(). 0 if there are none.
  uint64_t Quantile(double share) const;

  // Calls visit(largest, count) for each slot that has any, from the shortest
  // durations on: `count` of them are at most `largest`, and in no earlier
  // slot. All powers of two less one are the largest of their slots.
  template <typename Visit>
  void ForEachSlot(const Visit& visit) const {
    for (size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] > 0) visit(LargestOf(i), counts_[i]);
    }
  }

  // ---- Slots, for those who count elsewhere ----

  static constexpr int kPrecisionBits = 5;
  static constexpr size_t kSlots = size_t{65 - kPrecisionBits}
                                   << kPrecisionBits;

  // The highest bit chooses a group, the five below it the slot in it.
  static size_t IndexOf(uint64_t duration) {
    const int shift = std::max(
        0, static_cast<int>(std::bit_width(duration)) - 1 - kPrecisionBits);
    return (static_cast<size_t>(shift) << kPrecisionBits) + (duration >> shift);
  }
  // The largest duration that is counted in this slot.
  static uint64_t LargestOf(size_t index);

 private:
  std::vector<uint64_t> counts_;  // by slot; empty while there are none
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t max_ = 0;
};

inline void LatencyHistogram::Add(const LatencyHistogram& other) {
  if (other.count_ > 0) AddCounts(other.counts_, other.sum_, other.max_);
}

template <typename Counts>
void LatencyHistogram::AddCounts(const Counts& counts, uint64_t sum,
                                 uint64_t max) {
  counts_.resize(kSlots);
  for (size_t i = 0; i < kSlots; ++i) {
    const uint64_t count = counts[i];
    counts_[i] += count;
    count_ += count;
  }
  sum_ += sum;
  max_ = std::max(max_, max);
}

inline uint64_t LatencyHistogram::Quantile(double share) const {
  const auto wanted =
      static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted && seen > 0) return std::min(LargestOf(i), max_);
  }
  return 0;
}

inline uint64_t LatencyHistogram::LargestOf(size_t index) {
  const size_t group = index >> kPrecisionBits;
  if (group < 2) return index;
  const size_t shift = group - 1;
  const uint64_t first = index - (shift << kPrecisionBits);
  return ((first + 1) << shift) - 1;
}

}  // namespace stave

#endif  // STAVE_LATENCY_HISTOGRAM_H_
