#ifndef STAVE_BENCHMARKS_TEMPORARY_STORE_H_
#define STAVE_BENCHMARKS_TEMPORARY_STORE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "benchmark/benchmark.h"
#include "stave/options.h"
#include "stave/store.h"

namespace stave {

constexpr size_t kValueBytes = 100;

// The key with number `index`, of 16 bytes: unlike all others, in no order.
class Key {
 public:
  explicit Key(uint64_t index) {
    const uint64_t scattered = index * 0x9E3779B97F4A7C15u;
    std::memcpy(bytes_, &scattered, sizeof(scattered));
    std::memcpy(bytes_ + sizeof(scattered), &index, sizeof(index));
  }
  operator std::string_view() const { return {bytes_, sizeof(bytes_)}; }

 private:
  char bytes_[16];
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

// A benchmark whose store fails has nothing to say: ends the program, telling
// why. Inline, since it is called for each operation that is measured.
[[noreturn]] void Die(const absl::Status& status);
inline void Check(const absl::Status& status) {
  if (!status.ok()) Die(status);
}

// Operations a second.
void ReportRate(benchmark::State& state, uint64_t operations);

// Has this run with a store of so many keys, by the time of the clock.
benchmark::internal::Benchmark* RegisterWithKeys(
    const char* name, void (*function)(benchmark::State&), int64_t keys);

// $STAVE_BENCHMARK_DIR, else $TMPDIR, else /tmp.
std::string BenchmarkDirectory();

// A store beneath BenchmarkDirectory, which is gone with its own directory at
// the end.
class TemporaryStore {
 public:
  explicit TemporaryStore(const Options& options = {});
  ~TemporaryStore();

  const std::string& directory() const { return directory_; }
  Store* operator->() { return store_.get(); }

  void Close() { Check(store_->Close()); }
  // Gives the memory of a closed store back.
  void Release() { store_ = nullptr; }
  // Opens the store again, released or not.
  void Open(const Options& options = {});

  // Puts the keys below `keys`, each with a value of kValueBytes.
  void Fill(uint64_t keys);

  // The files with this in their names: ".hint", "KEYDIR-".
  size_t FileCount(std::string_view part) const;
  void RemoveFiles(std::string_view part);

  // The next to read the closed store's segments waits for the device.
  void LeavePageCache();

 private:
  // Paths of the files with this in their names.
  std::vector<std::string> Files(std::string_view part) const;

  const std::string directory_;
  std::unique_ptr<Store> store_;
};

}  // namespace stave

#endif  // STAVE_BENCHMARKS_TEMPORARY_STORE_H_
