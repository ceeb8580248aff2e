#ifndef STAVE_TOOLS_STAVE_SCRATCH_DIRECTORY_H_
#define STAVE_TOOLS_STAVE_SCRATCH_DIRECTORY_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace stave::tool {

// A new directory, for its owner alone, that is removed with all that is in it
// at the end of a scope.
class ScratchDirectory {
 public:
  // Stands beside `directory`, which need not exist, on the same file system,
  // and has its name with `.NAME-` and a few characters behind it.
  // FailedPrecondition if `directory` is a mount point, with nothing beside it
  // on its file system.
  static absl::StatusOr<ScratchDirectory> CreateBeside(
      const std::string& directory, const std::string& name);

  ScratchDirectory(ScratchDirectory&& other) noexcept
      : path_(std::exchange(other.path_, {})) {}
  ScratchDirectory& operator=(ScratchDirectory&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~ScratchDirectory();

  const std::string& path() const { return path_; }

 private:
  explicit ScratchDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SCRATCH_DIRECTORY_H_
