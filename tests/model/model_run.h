#ifndef STAVE_TESTS_MODEL_MODEL_RUN_H_
#define STAVE_TESTS_MODEL_MODEL_RUN_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "engine/fs/posix_file_system.h"
#include "stave/store.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/engine/core/written_file_system.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/model/model.h"

namespace stave {

// Random operations on a store and on a model of it, which must always agree.
// Everything follows from the seed: the kind of store, the operations, and
// where it is closed or killed. Differences are failures of the test that
// calls Run.
class ModelRun {
 public:
  explicit ModelRun(uint64_t seed);

  // Does `operations` operations, or fewer once there was a difference.
  void Run(uint64_t operations);

 private:
  struct HeldIterator {
    std::unique_ptr<Iterator> iterator;
    Model::Contents contents;
  };
  struct HeldValue {
    PinnedValue pinned;
    std::string bytes;
  };

  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool OneIn(uint64_t times) { return Below(times) == 0; }
  const std::string& AnyKey() { return keys_[Below(keys_.size())]; }
  std::string AnyValue();

  void ChooseKeys();
  void ChooseOptions();

  // A stretch of operations from an open to a close or a kill. Killed ones
  // are run in a process of their own, and once more on the model alone.
  void RunStretch(uint64_t number, uint64_t operations);
  bool RunStretchAndKill(uint64_t number, uint64_t operations);
  void Open();
  void Close();
  void Operate(uint64_t operations);
  void OperateOnce();

  // Operations; without a store, on the model alone.
  void Put();
  void PutThatExpires();
  void Delete();
  void Write();
  void Read();
  void ReadAll();
  void HoldOrCheckIterator();
  void HoldOrCheckValue();
  void Sync();
  void PassTime();
  void CheckStatistics();

  void Check(bool right, const std::string& what);
  void CheckOk(const absl::Status& status, const std::string& what);

  std::mt19937_64 random_;
  std::vector<std::string> keys_;
  std::string noise_;
  uint64_t value_size_max_ = 0;
  uint64_t values_made_ = 0;
  uint64_t operations_done_ = 0;
  uint64_t stretch_operations_max_ = 0;
  bool failed_ = false;

  Model model_;
  ManualClock clock_;
  WrittenFileSystem written_{PosixFileSystem()};
  Options options_;
  std::unique_ptr<TemporaryDirectory> directory_;
  std::unique_ptr<Store> store_;
  std::vector<HeldIterator> held_iterators_;
  std::vector<HeldValue> held_values_;
};

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_MODEL_RUN_H_
