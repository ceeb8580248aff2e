#include "benchmarks/temporary_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

namespace stave {
namespace {

// Of a store of its own, for each that is asked.
std::string NewDirectory() {
  static int made = 0;
  return BenchmarkDirectory() + "/stave_benchmark_" + std::to_string(++made);
}

}  // namespace

void Die(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

void ReportRate(benchmark::State& state, uint64_t operations) {
  state.counters["per_second"] = benchmark::Counter(
      static_cast<double>(operations), benchmark::Counter::kIsRate);
}

benchmark::internal::Benchmark* RegisterWithKeys(
    const char* name, void (*function)(benchmark::State&), int64_t keys) {
  return benchmark::RegisterBenchmark(name, function)
      ->ArgName("keys")
      ->Arg(keys)
      ->UseRealTime();
}

std::string BenchmarkDirectory() {
  for (const char* name : {"STAVE_BENCHMARK_DIR", "TMPDIR"}) {
    if (const char* place = std::getenv(name)) return place;
  }
  return "/tmp";
}

TemporaryStore::TemporaryStore(const Options& options)
    : directory_(NewDirectory()) {
  std::filesystem::remove_all(directory_);
  Open(options);
}

TemporaryStore::~TemporaryStore() {
  Release();
  std::filesystem::remove_all(directory_);
}

void TemporaryStore::Open(const Options& options) {
  Release();
  auto store = Store::Open(directory_, options);
  Check(store.status());
  store_ = *std::move(store);
}

void TemporaryStore::Fill(uint64_t keys) {
  const std::string value(kValueBytes, 'v');
  for (uint64_t i = 0; i < keys; ++i) Check(store_->Put(Key(i), value));
}

std::vector<std::string> TemporaryStore::Files(std::string_view part) const {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    const std::string name = entry.path().filename().string();
    if (name.find(part) != name.npos) files.push_back(entry.path().string());
  }
  return files;
}

size_t TemporaryStore::FileCount(std::string_view part) const {
  return Files(part).size();
}

void TemporaryStore::RemoveFiles(std::string_view part) {
  for (const std::string& path : Files(part)) std::filesystem::remove(path);
}

void TemporaryStore::LeavePageCache() {
  Release();
  for (const std::string& path : Files(".seg")) {
    const int file = open(path.c_str(), O_RDONLY);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
  }
}

}  // namespace stave
