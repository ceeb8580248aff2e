#ifndef STAVE_BENCHMARKS_WORKLOAD_LATENCY_HISTOGRAM_H_
#define STAVE_BENCHMARKS_WORKLOAD_LATENCY_HISTOGRAM_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace stave::bench {

// Counts durations, in any unit, exactly up to 64 and beyond that to within a
// 32nd. Thread-compatible.
class LatencyHistogram {
 public:
  void Add(uint64_t duration) {
    ++counts_[IndexOf(duration)];
    ++count_;
    max_ = std::max(max_, duration);
  }
  void Add(const LatencyHistogram& other);

  uint64_t count() const { return count_; }
  uint64_t max() const { return max_; }

  // The least duration that at least `share` (0 to 1) of all are not above, to
  // that precision and never more than max(). 0 if there are none.
  uint64_t Quantile(double share) const;

 private:
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

  std::vector<uint64_t> counts_ = std::vector<uint64_t>(kSlots);
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_WORKLOAD_LATENCY_HISTOGRAM_H_
