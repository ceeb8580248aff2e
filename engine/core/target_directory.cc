#include "engine/core/target_directory.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace stave {

absl::StatusOr<std::unique_ptr<Directory>> OpenTargetDirectory(
    FileSystem* file_system, std::string_view path) {
  // This syncs the parent, too, where the directory is left from a process that
  // was killed before its name was durable.
  const absl::Status made = file_system->CreateDirectory(path);
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      file_system->OpenDirectory(path);
  const bool is_there = made.ok() || absl::IsAlreadyExists(made) ||
                        absl::IsPermissionDenied(made);
  if (directory.ok() ? is_there : !absl::IsNotFound(directory.status())) {
    return directory;
  }
  // NotFound would say that there is no store.
  if (absl::IsNotFound(made)) {
    return absl::FailedPreconditionError(
        absl::StrCat("can't make ", ToAbsl(path), ": ", made.message()));
  }
  return made.ok() ? directory.status() : made;
}

}  // namespace stave
