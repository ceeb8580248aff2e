#ifndef STAVE_BENCHMARKS_LIMITS_REGISTER_H_
#define STAVE_BENCHMARKS_LIMITS_REGISTER_H_

#include <vector>

#include "benchmarks/limits/limits.h"

namespace stave::bench {

// Makes benchmarks of the limits, named "Limit/" and what they are: so they are
// measured in the run of what they limit, and stand in its table. One in GB/s
// has its figure in a column of its own, and no time.
void RegisterLimits(const std::vector<Limit>& limits);

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_LIMITS_REGISTER_H_
