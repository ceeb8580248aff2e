#include "engine/core/foreign_directory.h"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/base/status_macros.h"
#include "engine/format/file_names.h"
#include "engine/fs/posix_file_system.h"

namespace stave {
namespace {

// In stores of LevelDB and its descendants it names their manifest.
constexpr std::string_view kCurrentFileName = "CURRENT";
constexpr std::string_view kCurrentPrefix = "MANIFEST-";

// The first bytes of a file; nothing if there is none that may be read.
absl::StatusOr<std::optional<std::string>> Beginning(Directory* directory,
                                                     std::string_view name) {
  const absl::StatusOr<std::unique_ptr<File>> file =
      directory->OpenFile(name, /*writable=*/false);
  if (absl::IsNotFound(file.status()) ||
      absl::IsInvalidArgument(file.status()) ||
      absl::IsPermissionDenied(file.status())) {
    return std::nullopt;
  }
  RETURN_IF_ERROR(file.status());
  std::array<char, 16> bytes;
  ASSIGN_OR_RETURN(const size_t size, (*file)->Read(0, absl::MakeSpan(bytes)));
  return std::string(bytes.data(), size);
}

// Its beginning alone is there for a moment while it is made, after a power
// loss and on a full disk.
bool IsOurLock(std::string_view text) {
  return text.starts_with(kProcessPrefix) ||
         std::string_view(kProcessPrefix).starts_with(text);
}

absl::Status Foreign(const Directory& directory, std::string_view name) {
  return absl::InvalidArgumentError(
      absl::StrCat(directory.path(), "/", ToAbsl(name),
                   " is another program's; the directory was left as it is"));
}

}  // namespace

absl::StatusOr<bool> MayBeForeign(Directory* directory) {
  ASSIGN_OR_RETURN(const auto lock, Beginning(directory, kLockFileName));
  if (!lock.has_value() || !IsOurLock(*lock)) return true;
  ASSIGN_OR_RETURN(const auto current, Beginning(directory, kCurrentFileName));
  return current.has_value();
}

absl::Status CheckNotForeign(Directory* directory) {
  ASSIGN_OR_RETURN(const auto current, Beginning(directory, kCurrentFileName));
  if (current.has_value() && current->starts_with(kCurrentPrefix)) {
    return Foreign(*directory, kCurrentFileName);
  }
  ASSIGN_OR_RETURN(const auto lock, Beginning(directory, kLockFileName));
  if (lock.has_value() && !IsOurLock(*lock)) {
    return Foreign(*directory, kLockFileName);
  }
  return absl::OkStatus();
}

}  // namespace stave
