#include "benchmarks/workload/ticks.h"

namespace stave::bench {
namespace {

using Clock = std::chrono::steady_clock;

double Measure() {
  const Clock::time_point start = Clock::now();
  const uint64_t first = NowTicks();
  Clock::time_point end = start;
  while (end - start < std::chrono::milliseconds(10)) end = Clock::now();
  const uint64_t ticks = NowTicks() - first;
  return std::chrono::duration<double, std::nano>(end - start).count() /
         static_cast<double>(ticks);
}

}  // namespace

double NanosecondsPerTick() {
  static const double kNanoseconds = Measure();
  return kNanoseconds;
}

}  // namespace stave::bench
