// Checksums of a record header, a small record, a page and a large value,
// beside copies of as many bytes.
//
//   bazel run -c opt //benchmarks:checksum_benchmark

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "benchmark/benchmark.h"
#include "benchmarks/limits/limits.h"
#include "benchmarks/limits/register.h"
#include "engine/base/checksum.h"
#include "engine/base/checksum_internal.h"

namespace stave {
namespace {

using Extend = uint32_t (*)(uint32_t crc, std::string_view bytes);

void ReportRate(benchmark::State& state) {
  state.counters["GB/s"] =
      benchmark::Counter(static_cast<double>(state.range(0)) / 1e9,
                         benchmark::Counter::kIsIterationInvariantRate);
}

// Each checksum begins where the last one ended: the time until the answer.
template <Extend extend>
void BM_Latency(benchmark::State& state) {
  const std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  uint32_t crc = 0;
  for (auto _ : state) benchmark::DoNotOptimize(crc = extend(crc, bytes));
  ReportRate(state);
}

// Independent checksums, which the processor may overlap.
template <Extend extend>
void BM_Throughput(benchmark::State& state) {
  const std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(extend(0, bytes));
  ReportRate(state);
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int size : {24, 128, 1 << 10, 64 << 10}) benchmark->Arg(size);
}

BENCHMARK_TEMPLATE(BM_Latency, ExtendCrc32c)->Apply(Sizes);
BENCHMARK_TEMPLATE(BM_Throughput, ExtendCrc32c)->Apply(Sizes);
BENCHMARK_TEMPLATE(BM_Throughput, internal::ExtendCrc32cByTables)->Apply(Sizes);

}  // namespace
}  // namespace stave

int main(int argc, char** argv) {
  stave::bench::RegisterLimits(stave::bench::ProcessorLimits());
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
