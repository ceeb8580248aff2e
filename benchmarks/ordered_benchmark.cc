// A store with the ordered keydir beside one with the hash keydir: puts of new
// keys, gets, overwrites, alone and in batches, and for the ordered one scans
// of 100 records from a random key and of everything; and the bytes a key that
// the keydir takes (keys of 16 bytes in no order share some 5 with their
// neighbours, of a million). Values of 100 bytes. All times are of the
// processor.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "benchmark/benchmark.h"
#include "benchmarks/key_counts.h"
#include "benchmarks/limits/limits.h"
#include "benchmarks/limits/register.h"
#include "benchmarks/temporary_store.h"
#include "stave/iterator.h"
#include "stave/options.h"
#include "stave/store.h"
#include "stave/write_batch.h"

namespace stave {
namespace {

constexpr int kScanned = 100;
constexpr int kInABatch = 100;

uint64_t Scatter(uint64_t number) {
  number += 0x9E3779B97F4A7C15u;
  number ^= number >> 12;
  number ^= number << 25;
  number ^= number >> 27;
  return number * 0x2545F4914F6CDD1Du;
}

std::string KeyOf(uint64_t number) {
  char key[17];
  std::snprintf(key, sizeof(key), "%016llx",
                static_cast<unsigned long long>(Scatter(number)));
  return key;
}

KeydirKind KindOf(const benchmark::State& state) {
  return state.range(0) == 0 ? KeydirKind::kHash : KeydirKind::kOrdered;
}

Options OptionsOf(const benchmark::State& state) {
  Options options;
  options.keydir = KindOf(state);
  return options;
}

void PutAll(const benchmark::State& state, TemporaryStore* store) {
  const std::string value(kValueBytes, 'v');
  for (int64_t i = 0; i < state.range(1); ++i) {
    Check((*store)->Put(KeyOf(static_cast<uint64_t>(i)), value));
  }
}

// One for all benchmarks that want such a store.
TemporaryStore& Filled(const benchmark::State& state) {
  static std::unique_ptr<TemporaryStore> store;
  static int64_t kind = -1, keys = -1;
  if (kind != state.range(0) || keys != state.range(1)) {
    store = nullptr;
    kind = state.range(0);
    keys = state.range(1);
    store = std::make_unique<TemporaryStore>(OptionsOf(state));
    PutAll(state, store.get());
  }
  return *store;
}

void Fill(benchmark::State& state) {
  const auto keys = static_cast<double>(state.range(1));
  TemporaryStore store(OptionsOf(state));
  for (auto _ : state) {
    PutAll(state, &store);
    state.PauseTiming();
    const Statistics statistics = store->GetStatistics();
    state.counters["keydir_bytes_per_key"] =
        static_cast<double>(statistics.keydir_bytes) /
        static_cast<double>(statistics.keys);
    state.ResumeTiming();
  }
  state.counters["puts"] =
      benchmark::Counter(keys, benchmark::Counter::kIsIterationInvariantRate);
}

void Get(benchmark::State& state) {
  TemporaryStore& store = Filled(state);
  std::string value;
  uint64_t i = 0;
  for (auto _ : state) {
    Check(store->Get(
        KeyOf(Scatter(~i++) % static_cast<uint64_t>(state.range(1))), &value));
  }
}

void Overwrite(benchmark::State& state) {
  TemporaryStore& store = Filled(state);
  const std::string value(kValueBytes, 'w');
  uint64_t i = 0;
  for (auto _ : state) {
    Check(store->Put(
        KeyOf(Scatter(~i++) % static_cast<uint64_t>(state.range(1))), value));
  }
}

// The same puts, a hundred in each batch.
void OverwriteInBatches(benchmark::State& state) {
  TemporaryStore& store = Filled(state);
  const std::string value(kValueBytes, 'w');
  uint64_t i = 0;
  for (auto _ : state) {
    WriteBatch batch;
    for (int n = 0; n < kInABatch; ++n) {
      batch.Put(KeyOf(Scatter(~i++) % static_cast<uint64_t>(state.range(1))),
                value);
    }
    Check(store->Write(batch));
  }
  state.counters["puts"] =
      benchmark::Counter(static_cast<double>(i), benchmark::Counter::kIsRate);
}

void ScanFromAKey(benchmark::State& state) {
  TemporaryStore& store = Filled(state);
  const auto iterator = store->NewIterator();
  Check(iterator.status());
  uint64_t i = 0;
  for (auto _ : state) {
    (*iterator)->Seek(
        KeyOf(Scatter(~i++) % static_cast<uint64_t>(state.range(1))));
    for (int n = 0; n < kScanned && (*iterator)->Valid(); ++n) {
      benchmark::DoNotOptimize((*iterator)->value());
      (*iterator)->Next();
    }
  }
  Check((*iterator)->status());
}

void ScanAll(benchmark::State& state) {
  TemporaryStore& store = Filled(state);
  const auto iterator = store->NewIterator();
  Check(iterator.status());
  uint64_t records = 0;
  for (auto _ : state) {
    for ((*iterator)->SeekToFirst(); (*iterator)->Valid();
         (*iterator)->Next()) {
      ++records;
    }
  }
  state.counters["records"] = benchmark::Counter(static_cast<double>(records),
                                                 benchmark::Counter::kIsRate);
}

// Up to the first get.
void OpenFromCheckpoint(benchmark::State& state) {
  TemporaryStore& store = Filled(state);
  for (auto _ : state) {
    state.PauseTiming();
    store.Close();
    state.ResumeTiming();
    store.Open(OptionsOf(state));
    Check(store->Get(KeyOf(0)).status());
  }
  const Statistics statistics = store->GetStatistics();
  state.counters["checkpoint_bytes_per_key"] =
      static_cast<double>(statistics.checkpoint_bytes) /
      static_cast<double>(statistics.keys);
}

// Every twentieth key has changed since the last one.
void CloseWithCheckpoint(benchmark::State& state) {
  TemporaryStore& store = Filled(state);
  const auto keys = static_cast<uint64_t>(state.range(1));
  for (auto _ : state) {
    state.PauseTiming();
    for (uint64_t i = 0; i < keys; i += 20) {
      Check(store->Put(KeyOf(i), std::string(kValueBytes, 'c')));
    }
    state.ResumeTiming();
    store.Close();
    state.PauseTiming();
    store.Open(OptionsOf(state));
    state.ResumeTiming();
  }
}

void RegisterAll() {
  bench::RegisterLimits(bench::MemoryLimits());
  for (const int64_t keys : KeyCounts({1'000'000, 10'000'000})) {
    for (const int64_t kind : {0, 1}) {
      const auto add = [&](const char* name,
                           void (*function)(benchmark::State&)) {
        return benchmark::RegisterBenchmark(name, function)
            ->ArgNames({"ordered", "keys"})
            ->Args({kind, keys});
      };
      add("Fill", Fill)->Iterations(1);
      add("Get", Get);
      if (kind == 1) {
        add("ScanFromAKey", ScanFromAKey);
        add("ScanAll", ScanAll)->Iterations(1);
      }
      add("CloseWithCheckpoint", CloseWithCheckpoint)
          ->Iterations(3)
          ->UseRealTime();
      add("OpenFromCheckpoint", OpenFromCheckpoint)
          ->Iterations(5)
          ->UseRealTime();
      add("Overwrite", Overwrite);
      add("OverwriteInBatches", OverwriteInBatches);
    }
  }
}

}  // namespace
}  // namespace stave

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  stave::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
}
