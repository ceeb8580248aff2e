// What compression costs and brings: a store of 100,000 keys with a thousand
// bytes of made-up words each, uncompressed, with zstd and with lz4.
//
// Each benchmark prints operations a second, and how far values shrank. Stores
// are made beneath $STAVE_BENCHMARK_DIR, or else $TMPDIR, or /tmp, and removed
// afterwards.

#include <cstdint>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "benchmarks/key_counts.h"
#include "benchmarks/limits/limits.h"
#include "benchmarks/limits/register.h"
#include "benchmarks/temporary_store.h"
#include "stave/options.h"
#include "stave/statistics.h"
#include "stave/store.h"

namespace stave {
namespace {

// A thousand bytes of words, a few of which are much more frequent.
std::string Prose(Picker* picker) {
  std::string prose;
  while (prose.size() < 1000) {
    uint64_t word =
        (picker->Pick(picker->Pick(100) + 1) + 1) * 0x9E3779B97F4A7C15u;
    for (uint64_t letters = 2 + word % 9; letters > 0; --letters) {
      prose += static_cast<char>('a' + (word >>= 5) % 26);
    }
    prose += ' ';
  }
  return prose;
}

std::vector<std::string> SomeProse() {
  Picker picker;
  std::vector<std::string> values;
  for (int i = 0; i < 1000; ++i) values.push_back(Prose(&picker));
  return values;
}

Options CompressionOptions(const benchmark::State& state) {
  Options options;
  options.compression = static_cast<Compression>(state.range(0));
  // The values are the same thousand ones again and again.
  options.compression_dictionary_bytes = 0;
  return options;
}

void PutProse(uint64_t keys, const std::vector<std::string>& values,
              TemporaryStore* store) {
  for (uint64_t i = 0; i < keys; ++i) {
    Check((*store)->Put(Key(i), values[i % values.size()]));
  }
}

void Put(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(1));
  const std::vector<std::string> values = SomeProse();
  TemporaryStore store(CompressionOptions(state));
  for (auto _ : state) PutProse(keys, values, &store);
  const Statistics statistics = store->GetStatistics();
  state.counters["ratio"] = static_cast<double>(statistics.value_bytes) /
                            static_cast<double>(statistics.stored_value_bytes);
  ReportRate(state, state.iterations() * keys);
}

void Get(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(1));
  TemporaryStore store(CompressionOptions(state));
  PutProse(keys, SomeProse(), &store);
  std::string value;
  Picker picker;
  for (auto _ : state) Check(store->Get(Key(picker.Pick(keys)), &value));
  ReportRate(state, state.iterations());
}

void RegisterAll() {
  bench::RegisterLimits(bench::ProcessorLimits());
  for (const int64_t keys : KeyCounts({100'000})) {
    for (const Compression compression :
         {Compression::kNone, Compression::kZstd, Compression::kLz4}) {
      const auto add = [&](const char* name,
                           void (*function)(benchmark::State&)) {
        return benchmark::RegisterBenchmark(name, function)
            ->ArgNames({"compression", "keys"})
            ->Args({static_cast<int64_t>(compression), keys})
            ->UseRealTime();
      };
      add("Put", Put)->Iterations(1)->Unit(benchmark::kMillisecond);
      add("Get", Get);
    }
  }
}

}  // namespace
}  // namespace stave

int main(int argc, char** argv) {
  stave::RegisterAll();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
