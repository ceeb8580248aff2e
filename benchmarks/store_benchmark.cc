// A store of 1 M and 10 M keys of 16 bytes with values of 100 bytes: fill,
// overwrite, get, absent get, get of many, increment, scan, snapshots,
// transactions, opening it after a close and a kill, verifying all of it; and
// of 100,000 keys with a thousand bytes of text each, compressed and not.
//
// Each benchmark prints operations a second. Stores are made beneath
// $STAVE_BENCHMARK_DIR, or else $TMPDIR, or /tmp, and removed afterwards; the
// largest takes 3 GB there.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/key_counts.h"
#include "stave/store.h"
#include "stave/verify.h"

namespace stave {
namespace {

constexpr size_t kKeyBytes = 16;
constexpr size_t kValueBytes = 100;

// The key with number `index`: unlike all others, in no order.
class Key {
 public:
  explicit Key(uint64_t index) {
    const uint64_t scattered = index * 0x9E3779B97F4A7C15u;
    std::memcpy(bytes_, &scattered, sizeof(scattered));
    std::memcpy(bytes_ + sizeof(scattered), &index, sizeof(index));
  }
  operator std::string_view() const { return {bytes_, kKeyBytes}; }

 private:
  char bytes_[kKeyBytes];
};

// xorshift64: random enough to pick keys, and free.
class Picker {
 public:
  uint64_t Pick(uint64_t below) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ % below;
  }

 private:
  uint64_t state_ = 88172645463325252u;
};

std::string Place() {
  for (const char* name : {"STAVE_BENCHMARK_DIR", "TMPDIR"}) {
    if (const char* place = std::getenv(name)) return place;
  }
  return "/tmp";
}

[[noreturn]] void Die(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

// A store that is gone with its directory at the end.
class TemporaryStore {
 public:
  TemporaryStore() : directory_(Place() + "/stave_benchmark") {
    std::filesystem::remove_all(directory_);
    Open();
  }
  ~TemporaryStore() {
    store_ = nullptr;
    std::filesystem::remove_all(directory_);
  }

  const std::string& directory() const { return directory_; }
  Store* operator->() { return store_.get(); }

  void Close() {
    if (absl::Status status = store_->Close(); !status.ok()) Die(status);
  }

  // How many files have names that end like this.
  size_t FileCount(std::string_view ending) const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      if (entry.path().extension() == ending) ++count;
    }
    return count;
  }
  void RemoveFiles(std::string_view ending) {
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      if (entry.path().extension() == ending) remove(entry);
    }
  }

  void RemoveCheckpoints() {
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      if (entry.path().filename().string().starts_with("KEYDIR-")) {
        remove(entry);
      }
    }
  }

  // The next to read the segments of the closed store waits for the device.
  void LeavePageCache() {
    Release();
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      if (entry.path().extension() != ".seg") continue;
      const int file = open(entry.path().c_str(), O_RDONLY);
      posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
      close(file);
    }
  }

  // Gives the memory of a closed store back.
  void Release() { store_ = nullptr; }
  void Open(Options options = {}) {
    Release();
    auto store = Store::Open(directory_, options);
    if (!store.ok()) Die(store.status());
    store_ = *std::move(store);
  }

  void Fill(uint64_t keys) {
    const std::string value(kValueBytes, 'v');
    for (uint64_t i = 0; i < keys; ++i) {
      const absl::Status status = store_->Put(Key(i), value);
      if (!status.ok()) Die(status);
    }
  }

 private:
  const std::string directory_;
  std::unique_ptr<Store> store_;
};

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

void ReportRate(benchmark::State& state, uint64_t operations) {
  state.counters["per_second"] = benchmark::Counter(
      static_cast<double>(operations), benchmark::Counter::kIsRate);
}

void BM_Fill(benchmark::State& state) {
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

void BM_Overwrite(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  TemporaryStore& store = FullStore(keys);
  const std::string value(kValueBytes, 'w');
  Picker picker;
  for (auto _ : state) {
    const absl::Status status = store->Put(Key(picker.Pick(keys)), value);
    if (!status.ok()) Die(status);
  }
  ReportRate(state, state.iterations());
}

void BM_Get(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  TemporaryStore& store = FullStore(keys);
  std::string value;
  Picker picker;
  for (auto _ : state) {
    const absl::Status status = store->Get(Key(picker.Pick(keys)), &value);
    if (!status.ok()) Die(status);
  }
  ReportRate(state, state.iterations());
}

void BM_GetAbsent(benchmark::State& state) {
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

// The same keys as Get, `at_once` of them a call.
void BM_MultiGet(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  const auto at_once = static_cast<size_t>(state.range(1));
  TemporaryStore& store = FullStore(keys);
  std::vector<Key> wanted(at_once, Key(0));
  std::vector<std::string_view> views(wanted.begin(), wanted.end());
  std::string value;
  Picker picker;
  for (auto _ : state) {
    for (size_t i = 0; i < at_once; ++i) {
      wanted[i] = Key(picker.Pick(keys));
      views[i] = wanted[i];
    }
    store->MultiGet(views,
                    [&value](size_t, absl::StatusOr<std::string_view> each) {
                      if (!each.ok()) Die(each.status());
                      value.assign(*each);
                    });
  }
  ReportRate(state, state.iterations() * at_once);
}

// Reads by calls (ReadMode::kPread), `at_once` of them a Get or a MultiGet, of
// files that are in the page cache or, at first, are not.
void BM_ReadByCalls(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  const auto at_once = static_cast<size_t>(state.range(1));
  const bool is_cached = state.range(2) != 0;
  TemporaryStore& store = FullStore(keys);
  store.Close();
  if (!is_cached) store.LeavePageCache();
  store.Open({.read_mode = ReadMode::kPread});
  std::vector<Key> wanted(at_once, Key(0));
  std::vector<std::string_view> views(at_once);
  std::string value;
  Picker picker;
  for (auto _ : state) {
    for (size_t i = 0; i < at_once; ++i) {
      wanted[i] = Key(picker.Pick(keys));
      views[i] = wanted[i];
    }
    if (at_once == 1) {
      const absl::Status status = store->Get(wanted[0], &value);
      if (!status.ok()) Die(status);
      continue;
    }
    store->MultiGet(views,
                    [&value](size_t, absl::StatusOr<std::string_view> each) {
                      if (!each.ok()) Die(each.status());
                      value.assign(*each);
                    });
  }
  ReportRate(state, state.iterations() * at_once);
  store.Open();
}

// Of a thousand counters.
void BM_Increment(benchmark::State& state) {
  TemporaryStore& store = FullStore(state.range(0));
  Picker picker;
  for (auto _ : state) {
    const uint64_t counter = UINT64_MAX - picker.Pick(1000);
    const absl::Status status = store->Increment(Key(counter), 1).status();
    if (!status.ok()) Die(status);
  }
  ReportRate(state, state.iterations());
}

void BM_Scan(benchmark::State& state) {
  TemporaryStore& store = FullStore(state.range(0));
  uint64_t keys = 0;
  for (auto _ : state) {
    auto iterator = store->NewIterator();
    if (!iterator.ok()) Die(iterator.status());
    for ((*iterator)->SeekToFirst(); (*iterator)->Valid();
         (*iterator)->Next()) {
      benchmark::DoNotOptimize((*iterator)->value());
      ++keys;
    }
    if (!(*iterator)->status().ok()) Die((*iterator)->status());
  }
  ReportRate(state, keys);
}

void BM_Snapshot(benchmark::State& state) {
  TemporaryStore& store = FullStore(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(store->GetSnapshot());
  }
  ReportRate(state, state.iterations());
}

void BM_GetAtSnapshot(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  TemporaryStore& store = FullStore(keys);
  const auto then = store->GetSnapshot();
  const ReadOptions read{.snapshot = then.get()};
  std::string value;
  Picker picker;
  for (auto _ : state) {
    const absl::Status status =
        store->Get(Key(picker.Pick(keys)), &value, read);
    if (!status.ok()) Die(status);
  }
  ReportRate(state, state.iterations());
}

// Each key's first change after a snapshot is remembered for it.
void BM_OverwriteAfterSnapshot(benchmark::State& state) {
  const uint64_t keys = state.range(0);
  TemporaryStore& store = FullStore(keys);
  const auto then = store->GetSnapshot();
  const std::string value(kValueBytes, 'w');
  Picker picker;
  for (auto _ : state) {
    const absl::Status status = store->Put(Key(picker.Pick(keys)), value);
    if (!status.ok()) Die(status);
  }
  ReportRate(state, state.iterations());
}

// Reads a key and writes it, in a transaction.
void BM_Transaction(benchmark::State& state) {
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
    if (!status.ok()) Die(status);
  }
  ReportRate(state, state.iterations());
}

// The keydir is filled from the segments alone.
void BM_OpenFromSegments(benchmark::State& state) {
  TemporaryStore store;
  store.Fill(state.range(0));
  uint64_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    store.Close();
    store.RemoveFiles(".hint");
    store.RemoveCheckpoints();
    state.ResumeTiming();
    store.Open();
    bytes += store->GetStatistics().segment_bytes;
  }
  ReportRate(state, state.iterations() * static_cast<uint64_t>(state.range(0)));
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}

// All segments but the last one have a hint file.
void BM_OpenFromHints(benchmark::State& state) {
  TemporaryStore store;
  store.Fill(state.range(0));
  while (store.FileCount(".hint") + 2 < store.FileCount(".seg")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (auto _ : state) {
    state.PauseTiming();
    store.Close();
    store.RemoveCheckpoints();
    store.Release();
    state.ResumeTiming();
    store.Open();
  }
  ReportRate(state, state.iterations() * static_cast<uint64_t>(state.range(0)));
}

// With a keydir checkpoint; and what it costs to write one at Close, of a store
// that has changed.
void BM_OpenFromCheckpoint(benchmark::State& state) {
  TemporaryStore store;
  store.Fill(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    store.Close();
    store.Release();
    state.ResumeTiming();
    store.Open();
    if (absl::Status got = store->Get(Key(0)).status(); !got.ok()) Die(got);
  }
  ReportRate(state, state.iterations() * static_cast<uint64_t>(state.range(0)));
}

void BM_CloseWithCheckpoint(benchmark::State& state) {
  TemporaryStore store;
  store.Fill(state.range(0));
  for (auto _ : state) {
    store.Close();
    state.PauseTiming();
    store.Open();
    store.Fill(100'000);
    state.ResumeTiming();
  }
  ReportRate(state, state.iterations() * static_cast<uint64_t>(state.range(0)));
}

// Overwrites keys until a checkpoint would be due again.
void OverwriteForAnInterval(Store* store, uint64_t keys) {
  const std::string value(kValueBytes, 'w');
  const auto written = [store] {
    const Statistics statistics = store->GetStatistics();
    return statistics.bytes_appended + statistics.merge_bytes_written;
  };
  const uint64_t before = store->GetStatistics().checkpoints;
  uint64_t since = 0;
  Picker picker;
  for (uint64_t i = 0;; ++i) {
    const absl::Status status = store->Put(Key(picker.Pick(keys)), value);
    if (!status.ok()) Die(status);
    if (i % 10000 != 0) continue;
    if (since == 0 && store->GetStatistics().checkpoints > before) {
      since = written();
    }
    const uint64_t interval =
        std::max<uint64_t>(Options().checkpoint_interval_bytes, 48 * keys);
    if (since > 0 && written() - since > interval) return;
  }
}

// As kill -9 leaves a store of which as much as can be is in no checkpoint.
void BM_OpenAfterKill(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    TemporaryStore store;
    store.Release();
    const pid_t writer = fork();
    if (writer == 0) {
      store.Open();
      store.Fill(state.range(0));
      OverwriteForAnInterval(store.operator->(), state.range(0));
      kill(getpid(), SIGKILL);
    }
    if (waitpid(writer, nullptr, 0) != writer) std::abort();
    state.ResumeTiming();
    store.Open();
    if (absl::Status got = store->Get(Key(0)).status(); !got.ok()) Die(got);
    state.PauseTiming();
    store.Release();
    state.ResumeTiming();
  }
  ReportRate(state, state.iterations() * static_cast<uint64_t>(state.range(0)));
}

// Every byte and checksum of a closed store, from the page cache.
void BM_Verify(benchmark::State& state) {
  TemporaryStore store;
  store.Fill(state.range(0));
  if (absl::Status status = store->Close(); !status.ok()) Die(status);
  uint64_t bytes = 0;
  for (auto _ : state) {
    const absl::StatusOr<VerifyReport> report = Verify(store.directory());
    if (!report.ok()) Die(report.status());
    if (!report->clean) Die(absl::DataLossError("the store is damaged"));
    bytes += report->bytes;
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}

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

constexpr uint64_t kProseKeys = 100'000;

std::unique_ptr<TemporaryStore> ProseStore(benchmark::State& state) {
  auto store = std::make_unique<TemporaryStore>();
  Options options;
  options.compression = static_cast<Compression>(state.range(0));
  // The values are the same thousand ones again and again.
  options.compression_dictionary_bytes = 0;
  store->Open(options);
  return store;
}

void PutProse(uint64_t keys, const std::vector<std::string>& values,
              TemporaryStore* store) {
  for (uint64_t i = 0; i < keys; ++i) {
    const absl::Status status =
        (*store)->Put(Key(i), values[i % values.size()]);
    if (!status.ok()) Die(status);
  }
}

std::vector<std::string> SomeProse() {
  Picker picker;
  std::vector<std::string> values;
  for (int i = 0; i < 1000; ++i) values.push_back(Prose(&picker));
  return values;
}

void BM_PutProse(benchmark::State& state) {
  const std::vector<std::string> values = SomeProse();
  for (auto _ : state) {
    state.PauseTiming();
    std::unique_ptr<TemporaryStore> store = ProseStore(state);
    state.ResumeTiming();
    PutProse(kProseKeys, values, store.get());
    state.PauseTiming();
    const Statistics statistics = (*store)->GetStatistics();
    state.counters["ratio"] =
        static_cast<double>(statistics.value_bytes) /
        static_cast<double>(statistics.stored_value_bytes);
    store = nullptr;
    state.ResumeTiming();
  }
  ReportRate(state, state.iterations() * kProseKeys);
}

void BM_GetProse(benchmark::State& state) {
  const std::unique_ptr<TemporaryStore> store = ProseStore(state);
  PutProse(kProseKeys, SomeProse(), store.get());
  std::string value;
  Picker picker;
  for (auto _ : state) {
    const absl::Status status =
        (*store)->Get(Key(picker.Pick(kProseKeys)), &value);
    if (!status.ok()) Die(status);
  }
  ReportRate(state, state.iterations());
}

using Function = void (*)(benchmark::State&);

benchmark::internal::Benchmark* Register(const char* name, Function function,
                                         int64_t keys) {
  return benchmark::RegisterBenchmark(name, function)
      ->ArgName("keys")
      ->Arg(keys)
      ->UseRealTime();
}

// Those that share a full store stand together, so that it is made once.
void RegisterAll() {
  for (const int64_t keys : KeyCounts({1'000'000, 10'000'000})) {
    Register("Fill", BM_Fill, keys)
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
    Register("Get", BM_Get, keys);
    for (const int64_t at_once : {8, 64, 1024}) {
      benchmark::RegisterBenchmark("MultiGet", BM_MultiGet)
          ->ArgNames({"keys", "at_once"})
          ->Args({keys, at_once})
          ->UseRealTime();
    }
    Register("GetAbsent", BM_GetAbsent, keys);
    Register("Scan", BM_Scan, keys)->Unit(benchmark::kMillisecond);
    Register("Snapshot", BM_Snapshot, keys);
    Register("GetAtSnapshot", BM_GetAtSnapshot, keys);
    Register("Overwrite", BM_Overwrite, keys);
    Register("Increment", BM_Increment, keys);
    Register("Transaction", BM_Transaction, keys);
    Register("OverwriteAfterSnapshot", BM_OverwriteAfterSnapshot, keys);
    for (const int64_t at_once : {1, 64}) {
      for (const int64_t is_cached : {1, 0}) {
        benchmark::RegisterBenchmark("ReadByCalls", BM_ReadByCalls)
            ->ArgNames({"keys", "at_once", "cached"})
            ->Args({keys, at_once, is_cached})
            ->Iterations((is_cached != 0 ? 500'000 : 20'000) / at_once)
            ->UseRealTime();
      }
    }
    Register("OpenFromSegments", BM_OpenFromSegments, keys)
        ->Iterations(3)
        ->Unit(benchmark::kMillisecond);
    Register("OpenFromHints", BM_OpenFromHints, keys)
        ->Iterations(3)
        ->Unit(benchmark::kMillisecond);
    Register("OpenFromCheckpoint", BM_OpenFromCheckpoint, keys)
        ->Iterations(5)
        ->Unit(benchmark::kMillisecond);
    Register("OpenAfterKill", BM_OpenAfterKill, keys)
        ->Iterations(3)
        ->Unit(benchmark::kMillisecond);
    Register("CloseWithCheckpoint", BM_CloseWithCheckpoint, keys)
        ->Iterations(5)
        ->Unit(benchmark::kMillisecond);
    Register("Verify", BM_Verify, keys)->Unit(benchmark::kMillisecond);
  }
  for (const int64_t compression : {0, 1, 2}) {  // none, zstd, lz4
    benchmark::RegisterBenchmark("PutProse", BM_PutProse)
        ->ArgName("compression")
        ->Arg(compression)
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
    benchmark::RegisterBenchmark("GetProse", BM_GetProse)
        ->ArgName("compression")
        ->Arg(compression)
        ->UseRealTime();
  }
}

}  // namespace
}  // namespace stave

int main(int argc, char** argv) {
  stave::RegisterAll();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
