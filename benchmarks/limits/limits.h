#ifndef STAVE_BENCHMARKS_LIMITS_LIMITS_H_
#define STAVE_BENCHMARKS_LIMITS_LIMITS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace stave::bench {

// What no store on this machine can be faster than.
struct Limit {
  std::string_view name;
  std::string_view unit;  // "ns" or "us" for one, or "GB/s"
  std::function<absl::StatusOr<double>()> measure;  // in this unit
};

// Of bytes that a cache of the processor has.
std::vector<Limit> ProcessorLimits();
// Of random places in a GiB of memory, which each takes while it is measured.
std::vector<Limit> MemoryLimits();
// Of a file in `directory`, of 256 MiB at most, which is removed.
std::vector<Limit> FileLimits(const std::string& directory);

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_LIMITS_LIMITS_H_
