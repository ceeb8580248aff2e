// How long a store of 1 M and 10 M keys of 16 bytes with values of 100 bytes
// takes to open: from its segments alone, from hint files, from a keydir
// checkpoint, after a kill; to close; and to verify.
//
// Each benchmark prints keys a second. Stores are made beneath
// $STAVE_BENCHMARK_DIR, or else $TMPDIR, or /tmp, and removed afterwards; the
// largest takes 3 GB there.

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "benchmarks/key_counts.h"
#include "benchmarks/limits/limits.h"
#include "benchmarks/limits/register.h"
#include "benchmarks/temporary_store.h"
#include "stave/options.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "stave/verify.h"

namespace stave {
namespace {

// The keydir is filled from the segments alone.
void OpenFromSegments(benchmark::State& state) {
  TemporaryStore store;
  store.Fill(state.range(0));
  uint64_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    store.Close();
    store.RemoveFiles(".hint");
    store.RemoveFiles("KEYDIR-");
    state.ResumeTiming();
    store.Open();
    bytes += store->GetStatistics().segment_bytes;
  }
  ReportRate(state, state.iterations() * static_cast<uint64_t>(state.range(0)));
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}

// All segments but the last one have a hint file.
void OpenFromHints(benchmark::State& state) {
  TemporaryStore store;
  store.Fill(state.range(0));
  while (store.FileCount(".hint") + 2 < store.FileCount(".seg")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (auto _ : state) {
    state.PauseTiming();
    store.Close();
    store.RemoveFiles("KEYDIR-");
    store.Release();
    state.ResumeTiming();
    store.Open();
  }
  ReportRate(state, state.iterations() * static_cast<uint64_t>(state.range(0)));
}

// With a keydir checkpoint; and what it costs to write one at Close, of a store
// that has changed.
void OpenFromCheckpoint(benchmark::State& state) {
  TemporaryStore store;
  store.Fill(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    store.Close();
    store.Release();
    state.ResumeTiming();
    store.Open();
    Check(store->Get(Key(0)).status());
  }
  ReportRate(state, state.iterations() * static_cast<uint64_t>(state.range(0)));
}

void CloseWithCheckpoint(benchmark::State& state) {
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

// As much as can be is in no checkpoint when the process is killed. The usual
// interval, but for stores of which nobody would wait that long.
Options KilledStoreOptions(uint64_t keys) {
  Options options;
  options.checkpoint_min_keys = 0;
  options.checkpoint_interval_bytes =
      std::min<uint64_t>(options.checkpoint_interval_bytes, 1024 * keys);
  return options;
}

// Overwrites keys until a checkpoint would be due again.
void OverwriteForAnInterval(uint64_t keys, TemporaryStore* store) {
  const std::string value(kValueBytes, 'w');
  const auto written = [store] {
    const Statistics statistics = (*store)->GetStatistics();
    return statistics.bytes_appended + statistics.merge_bytes_written;
  };
  const uint64_t interval = std::max<uint64_t>(
      KilledStoreOptions(keys).checkpoint_interval_bytes, 48 * keys);
  const uint64_t before = (*store)->GetStatistics().checkpoints;
  uint64_t since = 0;
  Picker picker;
  while (since == 0 || written() - since <= interval) {
    if (since == 0 && (*store)->GetStatistics().checkpoints > before) {
      since = written();
    }
    for (uint64_t i = 0; i < std::min<uint64_t>(10'000, keys); ++i) {
      Check((*store)->Put(Key(picker.Pick(keys)), value));
    }
  }
}

void OpenAfterKill(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    TemporaryStore store;
    store.Release();
    const pid_t writer = fork();
    if (writer == 0) {
      store.Open(KilledStoreOptions(keys));
      store.Fill(keys);
      OverwriteForAnInterval(keys, &store);
      kill(getpid(), SIGKILL);
    }
    if (waitpid(writer, nullptr, 0) != writer) std::abort();
    state.ResumeTiming();
    store.Open(KilledStoreOptions(keys));
    Check(store->Get(Key(0)).status());
    state.PauseTiming();
    store.Release();
    state.ResumeTiming();
  }
  ReportRate(state, state.iterations() * keys);
}

// Every byte and checksum of a closed store, from the page cache.
void VerifyAll(benchmark::State& state) {
  TemporaryStore store;
  store.Fill(state.range(0));
  store.Close();
  uint64_t bytes = 0;
  for (auto _ : state) {
    const absl::StatusOr<VerifyReport> report = Verify(store.directory());
    Check(report.status());
    if (!report->clean) Die(absl::DataLossError("the store is damaged"));
    bytes += report->bytes;
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}

void RegisterAll() {
  bench::RegisterLimits(bench::FileLimits(BenchmarkDirectory()));
  for (const int64_t keys : KeyCounts({1'000'000, 10'000'000})) {
    const auto add = [keys](const char* name,
                            void (*function)(benchmark::State&)) {
      return RegisterWithKeys(name, function, keys)
          ->Unit(benchmark::kMillisecond);
    };
    add("OpenFromSegments", OpenFromSegments)->Iterations(3);
    add("OpenFromHints", OpenFromHints)->Iterations(3);
    add("OpenFromCheckpoint", OpenFromCheckpoint)->Iterations(5);
    add("OpenAfterKill", OpenAfterKill)->Iterations(3);
    add("CloseWithCheckpoint", CloseWithCheckpoint)->Iterations(5);
    add("Verify", VerifyAll);
  }
}

}  // namespace
}  // namespace stave

int main(int argc, char** argv) {
  stave::RegisterAll();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
