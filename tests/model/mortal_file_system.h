#ifndef STAVE_TESTS_MODEL_MORTAL_FILE_SYSTEM_H_
#define STAVE_TESTS_MODEL_MORTAL_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/base/mutex.h"
#include "engine/fs/file_system.h"

namespace stave {

// The calls that change something: where a process can be killed with an
// effect.
enum class FileCall {
  kCreateDirectory,
  kCreateFile,
  kWrite,
  kStore,  // to a mapping
  kAllocate,
  kTruncate,
  kSyncData,
  kLink,
  kUnlink,
  kRename,
  kSyncDirectory,
  kLock,
  kAny,
};

// Calls that are a merge's have names of their own in place of files' names.
// From the end of its last output on it is the one that writes to the manifest,
// if nothing else goes on in the store.
inline constexpr char kMergedHeader[] = "the header of a merge's output";
inline constexpr char kMergedRecords[] = "the records of a merge's output";
inline constexpr char kMergeEdit[] = "the edit of a merge";
inline constexpr char kMergeNames[] = "the names of a merge's outputs";

// A moment in the life of a process, told from the calls that it makes: at
// number `nth` of those of this kind to files whose names start so.
struct MomentOfDeath {
  enum Part { kBefore, kWithin, kAfter };

  FileCall call = FileCall::kAny;
  std::string file_prefix;  // a directory's calls have no name
  uint64_t nth = 1;
  // Of a write or store, kWithin does a beginning; of others, nothing.
  Part part = kBefore;
};

// Hands calls on to another file system until a moment of death. From then on
// nothing that was opened before changes anything, as if the process that did
// it had been killed: its memory does not count any more, and may be
// destroyed in peace. After Revive there is a new process.
//
// Thread-safe. Outlives its directories, but not its files and mappings.
class MortalFileSystem : public FileSystem {
 public:
  class Life;

  explicit MortalFileSystem(FileSystem* below);

  void DieAt(const MomentOfDeath& moment);
  // There is no such moment any more.
  void LiveOn();
  void Die();
  bool dead() const;
  void Revive();

  // From now on death is no pretence: it kills this process.
  void KillThisProcess();

  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view path) override;
  absl::Status CreateDirectory(std::string_view path) override;

 private:
  FileSystem* const below_;
  std::shared_ptr<Life> life_;
};

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_MORTAL_FILE_SYSTEM_H_
