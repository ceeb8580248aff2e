#ifndef STAVE_BENCHMARKS_KEY_COUNTS_H_
#define STAVE_BENCHMARKS_KEY_COUNTS_H_

#include <cstdint>
#include <vector>

namespace stave {

// The sizes that a benchmark measures, in keys: those in $STAVE_BENCHMARK_KEYS
// ("50000000", "1000,2000"), else `usual`. Ends the program where that is no
// list of positive numbers.
std::vector<int64_t> KeyCounts(std::vector<int64_t> usual);

}  // namespace stave

#endif  // STAVE_BENCHMARKS_KEY_COUNTS_H_
