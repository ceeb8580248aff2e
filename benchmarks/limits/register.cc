#include "benchmarks/limits/register.h"

#include <string>

#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"

namespace stave::bench {
namespace {

void Report(const Limit& limit, benchmark::State& state) {
  for (auto _ : state) {
    const absl::StatusOr<double> value = limit.measure();
    if (!value.ok()) {
      state.SkipWithError(value.status().ToString().c_str());
      return;
    }
    if (limit.unit == "GB/s") {
      state.counters["GB/s"] = *value;
      state.SetIterationTime(0);
    } else {
      state.SetIterationTime(*value * (limit.unit == "us" ? 1e-6 : 1e-9));
    }
  }
}

}  // namespace

void RegisterLimits(const std::vector<Limit>& limits) {
  for (const Limit& limit : limits) {
    benchmark::RegisterBenchmark(
        std::string("Limit/").append(limit.name).c_str(),
        [limit](benchmark::State& state) { Report(limit, state); })
        ->Iterations(1)
        ->UseManualTime();
  }
}

}  // namespace stave::bench
