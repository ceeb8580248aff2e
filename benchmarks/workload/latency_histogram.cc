#include "benchmarks/workload/latency_histogram.h"

#include <cmath>

namespace stave::bench {

void LatencyHistogram::Add(const LatencyHistogram& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

uint64_t LatencyHistogram::Quantile(double share) const {
  const auto wanted =
      static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted && seen > 0) return std::min(LargestOf(i), max_);
  }
  return 0;
}

uint64_t LatencyHistogram::LargestOf(size_t index) {
  const size_t group = index >> kPrecisionBits;
  if (group < 2) return index;
  const size_t shift = group - 1;
  const uint64_t first = index - (shift << kPrecisionBits);
  return ((first + 1) << shift) - 1;
}

}  // namespace stave::bench
