#ifndef STAVE_TESTS_ENGINE_FS_FAULTY_FILE_SYSTEM_H_
#define STAVE_TESTS_ENGINE_FS_FAULTY_FILE_SYSTEM_H_

#include <array>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/mutex.h"
#include "engine/fs/file_system.h"

namespace stave {

// What a call says when the disk is full, and when it is broken.
inline absl::Status DiskFull() {
  return absl::ResourceExhaustedError("the disk is full");
}
inline absl::Status DiskBroken() {
  return absl::InternalError("the disk is broken");
}

// A file system that does as it is told: hands calls on to another one, and
// lets those fail that a test has chosen. A call that fails has done nothing.
//
//   FaultyFileSystem files(PosixFileSystem());
//   files.Fail(FaultyFileSystem::kSyncData, DiskBroken());
//
// Thread-safe. Outlives its directories, files and mappings.
class FaultyFileSystem : public FileSystem {
 public:
  enum Operation {
    kCreateFile,
    kRead,
    kReadCached,  // one that fails has read nothing
    kWrite,
    kAllocate,
    kTruncate,
    kSyncData,
    kLink,
    kUnlink,
    kRename,
    kList,
    kSyncDirectory,
    kOperations,  // their number
  };

  explicit FaultyFileSystem(FileSystem* below) : below_(below) {}

  // The next call fails; or, of the calls from now on, number `nth`.
  void Fail(Operation operation, const absl::Status& status, int nth = 1);
  // All calls fail from now on, or from number `nth` of those to come.
  void FailAlways(Operation operation, const absl::Status& status, int nth = 1);
  void Heal(Operation operation);

  // Runs `action` at the beginning of each call, on its thread and without a
  // lock, so that a test can hold calls up.
  void Before(Operation operation, std::function<void()> action);

  // Of the file that CreateFile was called for last, be it just now.
  std::string last_created() const;

  // Calls so far, failed ones too.
  int calls(Operation operation) const;

  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view path) override;
  absl::Status CreateDirectory(std::string_view path) override;

 private:
  friend class FaultyDirectory;
  friend class FaultyFile;

  static constexpr int kNever = std::numeric_limits<int>::max();

  struct Plan {
    int calls = 0;
    // Calls with these numbers fail.
    int first_failure = kNever;
    int last_failure = kNever;
    absl::Status failure;
    std::function<void()> before;
  };

  // What becomes of a call that begins now.
  absl::Status Meet(Operation operation);
  void NoteCreation(std::string_view name);

  FileSystem* const below_;
  mutable Mutex mutex_;
  std::array<Plan, kOperations> plans_ ABSL_GUARDED_BY(mutex_);
  std::string last_created_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_FS_FAULTY_FILE_SYSTEM_H_
