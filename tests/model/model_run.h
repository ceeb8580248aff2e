#ifndef STAVE_TESTS_MODEL_MODEL_RUN_H_
#define STAVE_TESTS_MODEL_MODEL_RUN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "engine/fs/file_system.h"
#include "stave/store.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/engine/core/written_file_system.h"
#include "tests/model/model.h"
#include "tests/model/mortal_file_system.h"
#include "tests/model/operation.h"
#include "tests/model/performer.h"
#include "tests/model/workload.h"

namespace stave {

// What was done, to be summed over many runs and shown.
struct ModelRunCounts {
  std::array<uint64_t, Operation::kKinds> operations{};
  uint64_t opens = 0;
  uint64_t deaths = 0;          // kills that had an effect
  uint64_t deaths_in_open = 0;  // of those
  uint64_t deaths_in_close = 0;
  uint64_t stores = 0;
  uint64_t merges = 0;  // by themselves, too
  uint64_t dictionaries = 0;

  ModelRunCounts& operator+=(const ModelRunCounts& other);
  friend std::ostream& operator<<(std::ostream& stream,
                                  const ModelRunCounts& counts);
};

// Random operations on a store and on a model of it, which must always agree.
// Everything follows from the seed: the kind of store, the operations, and
// where it is closed or killed. An operation during which it was killed was
// done wholly or not at all. Differences are failures of the test.
class ModelRun {
 public:
  // Stores are made in `path` of `disk`, and removed.
  ModelRun(uint64_t seed, FileSystem* disk, std::string path);

  // Does `operations` operations, or fewer once there was a difference.
  ModelRunCounts Run(uint64_t operations);

 private:
  void Do(const Operation& operation);
  void DoCall(const Operation& operation);
  void Reopen(const Operation& operation);
  void CountMerges();
  // Values are stored by the store's dictionary from when it has one.
  void LookForDictionary();
  // At once, or at some call that is still to come.
  void Kill(const Operation& operation);

  // The store died, while `operation` was done, if that is not null: whether
  // it was can be seen when the store is opened again.
  void RiseAgain(const Operation* operation);
  // Checks that the store shows what the model says; or else what `after`, if
  // it is not null, says, which is the model then.
  void Open(const Model* after);
  std::unique_ptr<Store> OpenUntilAlive();
  std::optional<Answer> ReadOnlyWhole();
  void CheckFiles();
  absl::Status FilesAreKnown();
  void StartOver();

  // A sibling of the store's.
  std::string BackupPath() const { return path_ + "-backup"; }
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  MomentOfDeath AnyMoment();
  void CheckOk(const absl::Status& status);
  void Fail(const std::string& what);

  std::mt19937_64 random_;  // for what is not the workload's
  Workload workload_;
  Options options_;
  FileSystem* const disk_;
  const std::string path_;
  ManualClock clock_;
  MortalFileSystem files_;
  WrittenFileSystem written_;
  std::unique_ptr<Store> store_;
  Performer performer_;
  Model model_;
  const Operation* operation_ = nullptr;  // that is being done
  int64_t time_ms_at_death_ = 0;          // by which the date will be set then
  size_t segments_ = 0;                   // when it was opened
  bool has_dictionary_ = false;
  bool failed_ = false;
  ModelRunCounts counts_;
};

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_MODEL_RUN_H_
