// The hash keydir at 1, 5, 10 and 20 M keys: insert, find, find absent, update,
// relocate, and the bytes a key that it reserves, at each count and at most
// while it grew; and 100,000 keys that are all one to a hash without a secret,
// beside as many of the same length that are not. Beside it absl::flat_hash_map
// from 8 to 16 bytes, and the limit: reads of random cache lines of a gigabyte,
// each of which tells the next one's place.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "benchmarks/key_counts.h"
#include "benchmarks/limits/limits.h"
#include "benchmarks/limits/register.h"
#include "engine/base/epoch.h"
#include "engine/base/key_hash.h"
#include "engine/index/hash_keydir.h"
#include "engine/index/keydir.h"
#include "tests/engine/base/colliding_keys.h"

namespace stave {
namespace {

constexpr uint64_t kRecordBytes = 144;

// xorshift64*: a hash of its argument that no key's structure shines through.
uint64_t Scatter(uint64_t number) {
  number += 0x9E3779B97F4A7C15u;
  number ^= number >> 12;
  number ^= number << 25;
  number ^= number >> 27;
  return number * 0x2545F4914F6CDD1Du;
}

KeyRef KeyOf(uint64_t number) {
  const uint64_t prefix = Scatter(number) | 1;
  return {{}, {prefix, static_cast<uint16_t>(Scatter(~number))}};
}

KeydirEntry EntryOf(uint64_t number) {
  return KeydirEntry::Live(Location{number + 1}, kRecordBytes, false);
}

void Insert(HashKeydir* keydir, uint64_t begin, uint64_t end) {
  for (uint64_t i = begin; i < end; ++i) {
    if (!keydir->Put(KeyOf(i), EntryOf(i)).ok()) std::abort();
  }
}

double BytesPerKey(const HashKeydir& keydir) {
  const Keydir::Statistics statistics = keydir.GetStatistics();
  return static_cast<double>(statistics.bytes) /
         static_cast<double>(statistics.keys);
}

// A keydir of so many keys, made once for all that look into it.
HashKeydir& Filled(uint64_t keys) {
  static uint64_t present = 0;
  static std::unique_ptr<HashKeydir> keydir;
  if (present != keys) {
    keydir = std::make_unique<HashKeydir>();
    Insert(keydir.get(), 0, keys);
    present = keys;
  }
  return *keydir;
}

void KeydirInsert(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) {
    auto keydir = std::make_unique<HashKeydir>();
    Insert(keydir.get(), 0, keys);
    state.PauseTiming();
    keydir = nullptr;
    state.ResumeTiming();
  }
  state.counters["ns_each"] = benchmark::Counter(
      static_cast<double>(keys), benchmark::Counter::kIsIterationInvariantRate |
                                     benchmark::Counter::kInvert);
}

// From a million keys on, looked at each ten thousand.
void KeydirMemory(benchmark::State& state) {
  constexpr uint64_t kFirst = 1'000'000;
  constexpr uint64_t kStep = 10'000;
  const auto keys = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) {
    HashKeydir keydir;
    Insert(&keydir, 0, std::min(kFirst, keys));
    double most = BytesPerKey(keydir);
    for (uint64_t count = kFirst; count < keys; count += kStep) {
      Insert(&keydir, count, count + kStep);
      most = std::max(most, BytesPerKey(keydir));
    }
    state.counters["bytes_per_key"] = BytesPerKey(keydir);
    state.counters["most_while_growing"] = most;
  }
}

void KeydirFind(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  const HashKeydir& keydir = Filled(keys);
  uint64_t i = 0;
  for (auto _ : state) {
    EpochGuard guard;
    const KeydirEntry entry = keydir.Find(KeyOf(Scatter(i++) % keys));
    if (entry.absent()) state.SkipWithError("a key is missing");
    benchmark::DoNotOptimize(entry);
  }
}

void KeydirFindAbsent(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  const HashKeydir& keydir = Filled(keys);
  uint64_t i = 0;
  for (auto _ : state) {
    EpochGuard guard;
    const KeydirEntry entry = keydir.Find(KeyOf(keys + Scatter(i++) % keys));
    if (!entry.absent()) state.SkipWithError("a key is there");
    benchmark::DoNotOptimize(entry);
  }
}

void KeydirUpdate(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  HashKeydir& keydir = Filled(keys);
  uint64_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(keydir.Put(KeyOf(Scatter(i) % keys), EntryOf(i)));
    ++i;
  }
}

// What a merge does for each record that it has copied.
void KeydirRelocate(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  HashKeydir& keydir = Filled(keys);
  uint64_t i = 0;
  for (auto _ : state) {
    const uint64_t number = Scatter(i++) % keys;
    const KeydirEntry entry = EntryOf(number);
    if (!keydir.CompareAndSwap(KeyOf(number), entry, entry)) {
      state.SkipWithError("a key is missing");
    }
  }
}

using Map = absl::flat_hash_map<uint64_t, std::array<uint64_t, 2>>;

void FlatHashMapInsert(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) {
    Map map;
    for (uint64_t i = 0; i < keys; ++i) map[Scatter(i)] = {i, i};
    benchmark::DoNotOptimize(map);
  }
  state.counters["ns_each"] = benchmark::Counter(
      static_cast<double>(keys), benchmark::Counter::kIsIterationInvariantRate |
                                     benchmark::Counter::kInvert);
}

void FlatHashMapFind(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  Map map;
  for (uint64_t i = 0; i < keys; ++i) map[Scatter(i)] = {i, i};
  uint64_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(map.find(Scatter(Scatter(i++) % keys)));
  }
}

KeyHasher MakeHasher() {
  HashSecret secret;
  for (size_t i = 0; i < secret.size(); ++i) {
    secret[i] = static_cast<char>(Scatter(i));
  }
  return KeyHasher(secret);
}

// What a put and a get pay for a key of so many bytes.
void KeyHashOf(benchmark::State& state) {
  const KeyHasher hasher = MakeHasher();
  const std::string key(static_cast<size_t>(state.range(0)), 'k');
  for (auto _ : state) benchmark::DoNotOptimize(hasher(key));
}

// Hashes keys and puts them into a keydir, and finds them again.
void PutAndFind(benchmark::State& state, const std::vector<std::string>& keys) {
  const KeyHasher hasher = MakeHasher();
  for (auto _ : state) {
    HashKeydir keydir;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!keydir.Put({keys[i], hasher(keys[i])}, EntryOf(i)).ok())
        std::abort();
    }
    EpochGuard guard;
    for (const std::string& key : keys) {
      benchmark::DoNotOptimize(keydir.Find({key, hasher(key)}));
    }
  }
  state.counters["ns_each"] =
      benchmark::Counter(static_cast<double>(keys.size()),
                         benchmark::Counter::kIsIterationInvariantRate |
                             benchmark::Counter::kInvert);
}

constexpr size_t kAttackersKeys = 100'000;

void CollidingKeysPutAndFind(benchmark::State& state) {
  PutAndFind(state, CollidingKeys(kAttackersKeys));
}

void RandomKeysPutAndFind(benchmark::State& state) {
  std::vector<std::string> keys = CollidingKeys(kAttackersKeys);
  for (size_t i = 0; i < keys.size(); ++i) {
    for (size_t at = 0; at < keys[i].size(); ++at) {
      keys[i][at] = static_cast<char>(Scatter(i * keys[i].size() + at) >> 40);
    }
  }
  PutAndFind(state, keys);
}

using Function = void (*)(benchmark::State&);

benchmark::internal::Benchmark* Register(const char* name, Function function,
                                         int64_t keys) {
  return benchmark::RegisterBenchmark(name, function)
      ->ArgName("keys")
      ->Arg(keys);
}

void RegisterAll() {
  benchmark::RegisterBenchmark("KeyHash", KeyHashOf)
      ->ArgName("bytes")
      ->Arg(16)
      ->Arg(64)
      ->Arg(1024);
  benchmark::RegisterBenchmark("CollidingKeysPutAndFind",
                               CollidingKeysPutAndFind)
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("RandomKeysPutAndFind", RandomKeysPutAndFind)
      ->Unit(benchmark::kMillisecond);
  bench::RegisterLimits(bench::MemoryLimits());
  for (const int64_t keys :
       KeyCounts({1'000'000, 5'000'000, 10'000'000, 20'000'000})) {
    Register("KeydirFind", KeydirFind, keys);
    Register("KeydirFindAbsent", KeydirFindAbsent, keys);
    Register("KeydirRelocate", KeydirRelocate, keys);
    // Changes what Relocate expects.
    Register("KeydirUpdate", KeydirUpdate, keys);
    Register("KeydirInsert", KeydirInsert, keys)
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
    Register("KeydirMemory", KeydirMemory, keys)
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
  }
  for (const int64_t keys : KeyCounts({10'000'000})) {
    Register("FlatHashMapFind", FlatHashMapFind, keys);
    Register("FlatHashMapInsert", FlatHashMapInsert, keys)
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace stave

int main(int argc, char** argv) {
  stave::RegisterAll();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
