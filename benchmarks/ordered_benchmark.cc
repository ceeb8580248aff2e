// A store with the ordered keydir beside one with the hash keydir: puts of new
// keys, gets, overwrites, and for the ordered one scans of 100 records from a
// random key and of everything; and the bytes a key that the keydir takes (keys
// of 16 bytes in no order share some 5 with their neighbours, of a million).
// Values of 100 bytes. All times are of the processor.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "benchmarks/key_counts.h"
#include "stave/iterator.h"
#include "stave/options.h"
#include "stave/store.h"

namespace stave {
namespace {

constexpr int kScanned = 100;

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

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

std::string Place() {
  for (const char* name : {"STAVE_BENCHMARK_DIR", "TMPDIR"}) {
    if (const char* place = std::getenv(name)) return place;
  }
  return "/tmp";
}

// A store with so many keys, which goes with the next one.
class FilledStore {
 public:
  FilledStore(KeydirKind keydir, uint64_t keys, const std::string& name)
      : directory_(Place() + "/stave_ordered_benchmark_" + name) {
    std::filesystem::remove_all(directory_);
    options_.keydir = keydir;
    Open();
    const std::string value(100, 'v');
    for (uint64_t i = 0; i < keys; ++i) Check(store_->Put(KeyOf(i), value));
  }
  ~FilledStore() {
    store_ = nullptr;
    std::filesystem::remove_all(directory_);
  }
  Store* operator->() { return store_.get(); }

  void Open() {
    auto store = Store::Open(directory_, options_);
    Check(store.status());
    store_ = *std::move(store);
  }
  void Close() {
    Check(store_->Close());
    store_ = nullptr;
  }

 private:
  const std::string directory_;
  Options options_;
  std::unique_ptr<Store> store_;
};

KeydirKind KindOf(const benchmark::State& state) {
  return state.range(0) == 0 ? KeydirKind::kHash : KeydirKind::kOrdered;
}

FilledStore& Filled(const benchmark::State& state) {
  static std::unique_ptr<FilledStore> store;
  static int64_t kind = -1, keys = -1;
  if (kind != state.range(0) || keys != state.range(1)) {
    store = nullptr;
    kind = state.range(0);
    keys = state.range(1);
    store = std::make_unique<FilledStore>(
        KindOf(state), static_cast<uint64_t>(keys), "to_read");
  }
  return *store;
}

void Fill(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(1));
  for (auto _ : state) {
    FilledStore store(KindOf(state), keys, "to_fill");
    state.PauseTiming();
    const Statistics statistics = store->GetStatistics();
    state.counters["keydir_bytes_per_key"] =
        static_cast<double>(statistics.keydir_bytes) /
        static_cast<double>(statistics.keys);
    state.ResumeTiming();
  }
  state.counters["puts"] = benchmark::Counter(
      static_cast<double>(keys), benchmark::Counter::kIsIterationInvariantRate);
}

void Get(benchmark::State& state) {
  FilledStore& store = Filled(state);
  std::string value;
  uint64_t i = 0;
  for (auto _ : state) {
    Check(store->Get(
        KeyOf(Scatter(~i++) % static_cast<uint64_t>(state.range(1))), &value));
  }
}

void Overwrite(benchmark::State& state) {
  FilledStore& store = Filled(state);
  const std::string value(100, 'w');
  uint64_t i = 0;
  for (auto _ : state) {
    Check(store->Put(
        KeyOf(Scatter(~i++) % static_cast<uint64_t>(state.range(1))), value));
  }
}

void ScanFromAKey(benchmark::State& state) {
  FilledStore& store = Filled(state);
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
  FilledStore& store = Filled(state);
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
  FilledStore& store = Filled(state);
  for (auto _ : state) {
    state.PauseTiming();
    store.Close();
    state.ResumeTiming();
    store.Open();
    Check(store->Get(KeyOf(0)).status());
  }
  const Statistics statistics = store->GetStatistics();
  state.counters["checkpoint_bytes_per_key"] =
      static_cast<double>(statistics.checkpoint_bytes) /
      static_cast<double>(statistics.keys);
}

// Every twentieth key has changed since the last one.
void CloseWithCheckpoint(benchmark::State& state) {
  FilledStore& store = Filled(state);
  const auto keys = static_cast<uint64_t>(state.range(1));
  for (auto _ : state) {
    state.PauseTiming();
    for (uint64_t i = 0; i < keys; i += 20) {
      Check(store->Put(KeyOf(i), std::string(100, 'c')));
    }
    state.ResumeTiming();
    store.Close();
    state.PauseTiming();
    store.Open();
    state.ResumeTiming();
  }
}

void RegisterAll() {
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
