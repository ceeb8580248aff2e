#include "tools/stave/scratch_directory.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "tools/stave/system_error.h"

namespace stave::tool {
namespace {

using Path = std::filesystem::path;

// Without links, and without a slash at its end: what is beside it can't be in
// it.
Path RealPath(const std::string& directory) {
  std::error_code error;
  Path real = std::filesystem::weakly_canonical(
      std::filesystem::absolute(directory), error);
  if (error) real = std::filesystem::absolute(directory);
  real = real.lexically_normal();
  return real.has_filename() ? real : real.parent_path();
}

bool AreOnOneFileSystem(const Path& one, const Path& other) {
  struct stat status;
  struct stat other_status;
  if (stat(one.c_str(), &status) != 0) return true;  // not there
  if (stat(other.c_str(), &other_status) != 0) return true;
  return status.st_dev == other_status.st_dev;
}

}  // namespace

absl::StatusOr<ScratchDirectory> ScratchDirectory::CreateBeside(
    const std::string& directory, const std::string& name) {
  const Path real = RealPath(directory);
  if (!AreOnOneFileSystem(real, real.parent_path())) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "%s is a mount point: there is no place beside it on its file system; "
        "name a directory below it by --store DIR",
        real.string()));
  }
  std::string scratch = absl::StrFormat("%s.%s-XXXXXX", real.string(), name);
  if (mkdtemp(scratch.data()) == nullptr) {
    return SystemError("create", scratch, errno);
  }
  return ScratchDirectory(std::move(scratch));
}

ScratchDirectory::~ScratchDirectory() {
  // Nobody could do more about what can't be removed.
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace stave::tool
