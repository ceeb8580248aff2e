#ifndef STAVE_BENCHMARKS_WORKLOAD_TICKS_H_
#define STAVE_BENCHMARKS_WORKLOAD_TICKS_H_

#include <chrono>
#include <cstdint>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace stave::bench {

// A clock that is read once an operation, so it has to be cheap: the
// processor's own counter where there is one, which takes 10 ns where the
// system's clock takes 27. Its ticks are told in nanoseconds by
// NanosecondsPerTick alone.
inline uint64_t NowTicks() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<uint64_t>(
      std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

// Measured once, against the system's clock. Thread-safe.
double NanosecondsPerTick();

// What this thread, and what the whole process, has taken of processors so far.
double ThreadSeconds();
double ProcessSeconds();

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_WORKLOAD_TICKS_H_
