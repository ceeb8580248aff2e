#include "benchmarks/peers/engine.h"

#include <algorithm>

#include "benchmarks/workload/records.h"
#include "benchmarks/workload/store_subject.h"
#include "stave/options.h"

namespace stave::bench {

uint64_t Job::user_bytes() const { return keys * (Key::kBytes + value_bytes); }

uint64_t CacheBytes(const Job& job) {
  return std::max<uint64_t>(uint64_t{64} << 20, job.user_bytes() * 3 / 2);
}

std::vector<Engine> Engines() {
  return {
      {.name = "stave",
       .settings = "the defaults: hash keydir, checksums verified",
       .open =
           [](const Job& job) {
             return OpenStoreSubject(job.directory, Options());
           }},
      {.name = "stave-ordered",
       .has_order = true,
       .settings = "the defaults, but for the ordered keydir",
       .open =
           [](const Job& job) {
             return OpenStoreSubject(job.directory,
                                     {.keydir = KeydirKind::kOrdered});
           }},
      Tkrzw(),
      Lmdb(),
      LevelDb(),
      RocksDb(),
      RocksDbWithBlobs(),
  };
}

}  // namespace stave::bench
