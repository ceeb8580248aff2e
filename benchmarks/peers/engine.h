#ifndef STAVE_BENCHMARKS_PEERS_ENGINE_H_
#define STAVE_BENCHMARKS_PEERS_ENGINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/workload/subject.h"

namespace stave::bench {

// What a store is opened for, which its settings may depend on.
struct Job {
  std::string directory;
  uint64_t keys = 0;
  uint64_t value_bytes = 0;
  // Every write will be durable.
  bool durable = false;

  uint64_t user_bytes() const;
};

// A kind of store that is compared.
struct Engine {
  std::string_view name;
  bool has_order = false;
  // In words and in the names of its own documentation.
  std::string_view settings;
  absl::StatusOr<std::unique_ptr<Subject>> (*open)(const Job& job);
};

// All there are, ours first.
std::vector<Engine> Engines();

// Each in a file of its own.
Engine LevelDb();
Engine Lmdb();
Engine RocksDb();
Engine RocksDbWithBlobs();
Engine Tkrzw();

// A cache that holds all the data, for those that have one of their own.
uint64_t CacheBytes(const Job& job);

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_PEERS_ENGINE_H_
