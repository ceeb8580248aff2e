#include "benchmarks/workload/ticks.h"

#include <time.h>

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

double Seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

double ThreadSeconds() { return Seconds(CLOCK_THREAD_CPUTIME_ID); }
double ProcessSeconds() { return Seconds(CLOCK_PROCESS_CPUTIME_ID); }

double NanosecondsPerTick() {
  static const double kNanoseconds = Measure();
  return kNanoseconds;
}

}  // namespace stave::bench
