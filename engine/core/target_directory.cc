#include "engine/core/target_directory.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace stave {

absl::StatusOr<std::unique_ptr<Directory>> OpenTargetDirectory(
    FileSystem* file_system, std::string_view path) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      file_system->OpenDirectory(path);
  if (!absl::IsNotFound(directory.status())) return directory;
  const absl::Status made = file_system->CreateDirectory(path);
  // NotFound would say that there is no store.
  if (absl::IsNotFound(made)) {
    return absl::FailedPreconditionError(
        absl::StrCat("can't make ", ToAbsl(path), ": ", made.message()));
  }
  RETURN_IF_ERROR(made);
  return file_system->OpenDirectory(path);
}

}  // namespace stave
