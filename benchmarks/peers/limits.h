#ifndef STAVE_BENCHMARKS_PEERS_LIMITS_H_
#define STAVE_BENCHMARKS_PEERS_LIMITS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace stave::bench {

// What no store on this machine can be faster than.
struct Limit {
  std::string_view name;
  double value = 0;
  std::string_view unit;
};

// Takes some seconds, a GiB of memory and 256 MiB in `directory`.
absl::StatusOr<std::vector<Limit>> MeasureLimits(const std::string& directory);

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_PEERS_LIMITS_H_
