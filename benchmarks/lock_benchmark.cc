// The one lock that all writers of a store take, alone: threads do what a put
// does outside of it (the key's hash, the body's checksum), and what it does
// inside (a record into the log, a slot of the keydir that was asked for
// ahead). So it shows where more processors stop making puts faster, with
// nothing else of a store in the way: no device, no page fault, no merge.
//
//   puts:      both parts, as writers do them
//   lock:      the part inside alone: what all writers together can't pass
//   unlocked:  both parts without the lock, each thread on memory of its own:
//              what this machine would do if there were none

#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/base/key_hash.h"
#include "engine/base/mutex.h"
#include "engine/format/record.h"

namespace stave {
namespace {

constexpr size_t kValueBytes = 100;
constexpr size_t kRecordBytes = 144;   // with a key of 16 bytes
constexpr size_t kLogBytes = 4 << 20;  // written again and again
constexpr size_t kSlots = 1 << 23;     // 128 MiB, as for 8 M keys

struct Slot {
  uint64_t hash = 0;
  uint64_t place = 0;
};

// What writers share, or each has alone.
struct Target {
  std::vector<char> log = std::vector<char>(kLogBytes);
  std::vector<Slot> slots = std::vector<Slot>(kSlots);
  size_t end = 0;
  Mutex mutex;
};

class Put {
 public:
  explicit Put(uint64_t first) : next_(first) {}

  void Outside(Target* target) {
    next_ = next_ * 6364136223846793005u + 1442695040888963407u;
    std::memcpy(record_.data() + kRecordHeaderBytes, &next_, sizeof(next_));
    const std::string_view key(record_.data() + kRecordHeaderBytes, 16);
    hash_ = hasher_(key).prefix;
    __builtin_prefetch(SlotOf(target), 1);
    const std::string_view value(key.end(), kValueBytes);
    const uint32_t checksum = BodyChecksum(key, value);
    std::memcpy(record_.data(), &checksum, sizeof(checksum));
  }

  void Inside(Target* target) {
    if (target->end + kRecordBytes > kLogBytes) target->end = 0;
    std::memcpy(target->log.data() + target->end, record_.data(), kRecordBytes);
    *SlotOf(target) = {hash_, target->end};
    target->end += kRecordBytes;
  }

 private:
  Slot* SlotOf(Target* target) const {
    return &target->slots[hash_ % target->slots.size()];
  }

  const KeyHasher hasher_{HashSecret{}};
  uint64_t next_;
  uint64_t hash_ = 0;
  std::array<char, kRecordBytes> record_{};
};

Target& Shared() {
  static Target& target = *new Target;
  return target;
}

void Puts(benchmark::State& state) {
  Target& target = Shared();
  Put put(static_cast<uint64_t>(state.thread_index()));
  for (auto _ : state) {
    put.Outside(&target);
    MutexLock lock(&target.mutex);
    put.Inside(&target);
  }
  state.SetItemsProcessed(state.iterations());
}

void Lock(benchmark::State& state) {
  Target& target = Shared();
  Put put(static_cast<uint64_t>(state.thread_index()));
  put.Outside(&target);
  for (auto _ : state) {
    MutexLock lock(&target.mutex);
    put.Inside(&target);
  }
  state.SetItemsProcessed(state.iterations());
}

void Unlocked(benchmark::State& state) {
  const auto target = std::make_unique<Target>();
  Put put(static_cast<uint64_t>(state.thread_index()));
  for (auto _ : state) {
    put.Outside(target.get());
    put.Inside(target.get());
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(Puts)->ThreadRange(1, 64)->UseRealTime();
BENCHMARK(Lock)->ThreadRange(1, 64)->UseRealTime();
BENCHMARK(Unlocked)->ThreadRange(1, 8)->UseRealTime();

}  // namespace
}  // namespace stave
