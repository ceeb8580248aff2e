// A store of 1 M and 10 M keys of 16 bytes with values of 100 bytes: fill,
// merge, overwrite, alone and in batches, get, absent get, get of many,
// increment, scan, snapshots and transactions; and values of 1 KiB and 64 KiB.
// Beside them what the machine can do at best: Limit/.
//
// Each benchmark prints operations a second. Stores are made beneath
// $STAVE_BENCHMARK_DIR, or else $TMPDIR, or /tmp, and removed afterwards; the
// largest takes 3 GB there.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "benchmarks/key_counts.h"
#include "benchmarks/limits/limits.h"
#include "benchmarks/limits/register.h"
#include "benchmarks/temporary_store.h"
#include "stave/iterator.h"
#include "stave/options.h"
#include "stave/snapshot.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "stave/transaction.h"
#include "stave/write_batch.h"

namespace stave {
namespace {

// One store for all benchmarks that read or overwrite a full one.
TemporaryStore& FullStore(uint64_t keys) {
  static std::unique_ptr<TemporaryStore> store;
  static uint64_t present = 0;
  if (present != keys) {
    store = nullptr;
    store = std::make_unique<TemporaryStore>();
    store->Fill(keys);
    present = keys;
  }
  return *store;
}

void Fill(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  for (auto _ : state) {
    state.PauseTiming();
    auto store = std::make_unique<TemporaryStore>();
    state.ResumeTiming();
    store->Fill(keys);
    state.PauseTiming();
    const Statistics statistics = (*store)->GetStatistics();
    state.counters["keydir_bytes_per_key"] =
        static_cast<double>(statistics.keydir_bytes) /
        static_cast<double>(statistics.keys);
    store = nullptr;
    state.ResumeTiming();
  }
  ReportRate(state, state.iterations() * keys);
}

void Overwrite(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  TemporaryStore& store = FullStore(keys);
  const std::string value(kValueBytes, 'w');
  Picker picker;
  for (auto _ : state) {
    Check(store->Put(Key(picker.Pick(keys)), value));
  }
  ReportRate(state, state.iterations());
}

// The same puts, a hundred in each batch.
void OverwriteInBatches(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  TemporaryStore& store = FullStore(keys);
  const std::string value(kValueBytes, 'w');
  constexpr int kPutsOfBatch = 100;
  Picker picker;
  for (auto _ : state) {
    WriteBatch batch;
    for (int i = 0; i < kPutsOfBatch; ++i) {
      batch.Put(Key(picker.Pick(keys)), value);
    }
    Check(store->Write(batch));
  }
  ReportRate(state, state.iterations() * kPutsOfBatch);
}

void Get(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  TemporaryStore& store = FullStore(keys);
  std::string value;
  Picker picker;
  for (auto _ : state) {
    Check(store->Get(Key(picker.Pick(keys)), &value));
  }
  ReportRate(state, state.iterations());
}

void GetAbsent(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  TemporaryStore& store = FullStore(keys);
  std::string value;
  Picker picker;
  for (auto _ : state) {
    const absl::Status status =
        store->Get(Key(keys + picker.Pick(keys)), &value);
    if (!absl::IsNotFound(status)) Die(status);
  }
  ReportRate(state, state.iterations());
}

// Reads `at_once` random keys a call, with Get or MultiGet.
void ReadMany(uint64_t keys, size_t at_once, TemporaryStore* store,
              benchmark::State* state) {
  std::vector<Key> wanted(at_once, Key(0));
  std::vector<std::string_view> views(at_once);
  std::string value;
  Picker picker;
  for (auto _ : *state) {
    for (size_t i = 0; i < at_once; ++i) {
      wanted[i] = Key(picker.Pick(keys));
      views[i] = wanted[i];
    }
    if (at_once == 1) {
      Check((*store)->Get(wanted[0], &value));
      continue;
    }
    (*store)->MultiGet(views,
                       [&value](size_t, absl::StatusOr<std::string_view> each) {
                         Check(each.status());
                         value.assign(*each);
                       });
  }
  ReportRate(*state, state->iterations() * at_once);
}

void MultiGet(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  ReadMany(keys, static_cast<size_t>(state.range(1)), &FullStore(keys), &state);
}

// Reads by calls (ReadMode::kPread) of files that are in the page cache or, at
// first, are not.
void ReadByCalls(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  const bool is_cached = state.range(2) != 0;
  TemporaryStore& store = FullStore(keys);
  store.Close();
  if (!is_cached) store.LeavePageCache();
  store.Open({.read_mode = ReadMode::kPread});
  ReadMany(keys, static_cast<size_t>(state.range(1)), &store, &state);
  store.Open();
}

// Of a thousand counters.
void Increment(benchmark::State& state) {
  TemporaryStore& store = FullStore(state.range(0));
  Picker picker;
  for (auto _ : state) {
    const uint64_t counter = UINT64_MAX - picker.Pick(1000);
    Check(store->Increment(Key(counter), 1).status());
  }
  ReportRate(state, state.iterations());
}

void Scan(benchmark::State& state) {
  TemporaryStore& store = FullStore(state.range(0));
  uint64_t keys = 0;
  for (auto _ : state) {
    auto iterator = store->NewIterator();
    Check(iterator.status());
    for ((*iterator)->SeekToFirst(); (*iterator)->Valid();
         (*iterator)->Next()) {
      benchmark::DoNotOptimize((*iterator)->value());
      ++keys;
    }
    Check((*iterator)->status());
  }
  ReportRate(state, keys);
}

void TakeSnapshot(benchmark::State& state) {
  TemporaryStore& store = FullStore(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(store->GetSnapshot());
  }
  ReportRate(state, state.iterations());
}

void GetAtSnapshot(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  TemporaryStore& store = FullStore(keys);
  const auto then = store->GetSnapshot();
  const ReadOptions read{.snapshot = then.get()};
  std::string value;
  Picker picker;
  for (auto _ : state) {
    Check(store->Get(Key(picker.Pick(keys)), &value, read));
  }
  ReportRate(state, state.iterations());
}

// Each key's first change after a snapshot is remembered for it.
void OverwriteAfterSnapshot(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  TemporaryStore& store = FullStore(keys);
  const auto then = store->GetSnapshot();
  const std::string value(kValueBytes, 'w');
  Picker picker;
  for (auto _ : state) {
    Check(store->Put(Key(picker.Pick(keys)), value));
  }
  ReportRate(state, state.iterations());
}

// A key, in a transaction.
void ReadAndWrite(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  TemporaryStore& store = FullStore(keys);
  std::string value;
  Picker picker;
  for (auto _ : state) {
    const Key key(picker.Pick(keys));
    const auto transaction = store->Begin();
    absl::Status status = transaction->Get(key, &value);
    if (status.ok()) status = transaction->Put(key, value);
    if (status.ok()) status = transaction->Commit();
    Check(status);
  }
  ReportRate(state, state.iterations());
}

// Every second key has been overwritten: half of what is merged is dead. The
// bytes are those that the merge has written.
void Merge(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  const std::string value(kValueBytes, 'w');
  uint64_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto store = std::make_unique<TemporaryStore>();
    (*store)->PauseMerge();
    store->Fill(keys);
    for (uint64_t i = 0; i < keys; i += 2) Check((*store)->Put(Key(i), value));
    state.ResumeTiming();
    Check((*store)->Merge());
    state.PauseTiming();
    bytes += (*store)->GetStatistics().merge_bytes_written;
    store = nullptr;
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}

// A store of so many keys, with values of so many bytes.
std::unique_ptr<TemporaryStore> StoreOfValues(const benchmark::State& state,
                                              const std::string& value) {
  auto store = std::make_unique<TemporaryStore>();
  const uint64_t keys = state.range(0);
  for (uint64_t i = 0; i < keys; ++i) Check((*store)->Put(Key(i), value));
  return store;
}

void PutLarge(benchmark::State& state) {
  const std::string value(static_cast<size_t>(state.range(1)), 'v');
  const auto store = StoreOfValues(state, value);
  Picker picker;
  for (auto _ : state) {
    Check((*store)->Put(Key(picker.Pick(state.range(0))), value));
  }
  state.SetBytesProcessed(state.iterations() * state.range(1));
}

void GetLarge(benchmark::State& state) {
  std::string value(static_cast<size_t>(state.range(1)), 'v');
  const auto store = StoreOfValues(state, value);
  Picker picker;
  for (auto _ : state) {
    Check((*store)->Get(Key(picker.Pick(state.range(0))), &value));
  }
  state.SetBytesProcessed(state.iterations() * state.range(1));
}

// Those that share a full store stand together, so that it is made once.
void RegisterAll() {
  bench::RegisterLimits(bench::ProcessorLimits());
  bench::RegisterLimits(bench::MemoryLimits());
  bench::RegisterLimits(bench::FileLimits(BenchmarkDirectory()));
  for (const int64_t keys : KeyCounts({1'000'000, 10'000'000})) {
    const auto add = [keys](const char* name,
                            void (*function)(benchmark::State&)) {
      return RegisterWithKeys(name, function, keys);
    };
    add("Fill", Fill)->Iterations(1)->Unit(benchmark::kMillisecond);
    add("Merge", Merge)->Iterations(1)->Unit(benchmark::kMillisecond);
    add("Get", Get);
    for (const int64_t at_once : {8, 64, 1024}) {
      benchmark::RegisterBenchmark("MultiGet", MultiGet)
          ->ArgNames({"keys", "at_once"})
          ->Args({keys, at_once})
          ->UseRealTime();
    }
    add("GetAbsent", GetAbsent);
    add("Scan", Scan)->Unit(benchmark::kMillisecond);
    add("Snapshot", TakeSnapshot);
    add("GetAtSnapshot", GetAtSnapshot);
    add("Overwrite", Overwrite);
    add("OverwriteInBatches", OverwriteInBatches);
    add("Increment", Increment);
    add("Transaction", ReadAndWrite);
    add("OverwriteAfterSnapshot", OverwriteAfterSnapshot);
    for (const int64_t at_once : {1, 64}) {
      for (const int64_t is_cached : {1, 0}) {
        const int64_t reads =
            std::min<int64_t>(is_cached != 0 ? 500'000 : 20'000, keys);
        benchmark::RegisterBenchmark("ReadByCalls", ReadByCalls)
            ->ArgNames({"keys", "at_once", "cached"})
            ->Args({keys, at_once, is_cached})
            ->Iterations(reads / at_once)
            ->UseRealTime();
      }
    }
  }
  for (const int64_t keys : KeyCounts({16'384})) {
    for (const int64_t bytes : {1 << 10, 64 << 10}) {
      const auto add = [=](const char* name,
                           void (*function)(benchmark::State&)) {
        benchmark::RegisterBenchmark(name, function)
            ->ArgNames({"keys", "value"})
            ->Args({keys, bytes})
            ->UseRealTime();
      };
      add("PutLarge", PutLarge);
      add("GetLarge", GetLarge);
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
