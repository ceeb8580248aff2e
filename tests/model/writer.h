#ifndef STAVE_TESTS_MODEL_WRITER_H_
#define STAVE_TESTS_MODEL_WRITER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "stave/store.h"
#include "tests/model/model.h"
#include "tests/model/operation.h"
#include "tests/model/performer.h"
#include "tests/model/workload.h"

namespace stave {

// How far a writer has come, in memory that outlives its process. Operations
// are numbered; begun is one more than acknowledged while one is going on.
struct Progress {
  std::atomic<uint64_t> begun{0};
  std::atomic<uint64_t> acknowledged{0};
};

// One of several threads that work in a store at the same time, each on keys
// of its own, in processes that are killed one after another. What it does
// follows from its seed and its number, so the process that started the others
// can tell afterwards what must be there.
class Writer {
 public:
  Writer(uint64_t seed, size_t number, int64_t wall_ms, Progress* progress);

  // In the process that will be killed: does `operations` operations, or fewer
  // if one fails or has an answer that the model doesn't have, which it
  // returns.
  std::string Work(Store* store, uint64_t operations);

  // In the other one: follows what was acknowledged, and finds out from the
  // store's contents whether the operation that was going on was done. Returns
  // what is wrong, if anything is.
  std::string CatchUp(const Contents& contents);

  // The date moves on while no process runs.
  void PassTime(int64_t time_ms);

  const Model& model() const { return model_; }

 private:
  Contents MyPart(const Contents& contents) const;

  std::string prefix_;
  Workload workload_;
  Model model_;
  uint64_t done_ = 0;  // operations
  Performer performer_;
  Progress* progress_;
};

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_WRITER_H_
