#include "engine/fs/posix_file_system.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"
#include "engine/fs/posix_directory.h"

namespace stave {
namespace {

class PosixFiles : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view path) override {
    return PosixDirectory::Open(std::string(path));
  }

  absl::Status CreateDirectory(std::string_view path) override {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    const size_t name_at = path.rfind('/') + 1;  // 0 if there is no slash.
    const std::string parent(path.substr(0, name_at));
    ASSIGN_OR_RETURN(const auto directory,
                     PosixDirectory::Open(parent.empty() ? "." : parent));
    const std::string_view name = path.substr(name_at);
    const absl::Status created =
        name.empty() ? absl::AlreadyExistsError("the root of all directories")
                     : directory->CreateDirectory(name);
    // Who made it may have been killed before this.
    if (created.ok() || absl::IsAlreadyExists(created)) {
      RETURN_IF_ERROR(DURABILITY_SITE(kNewDirectorySync, directory->Sync()));
    }
    return created;
  }
};

}  // namespace

FileSystem* PosixFileSystem() {
  static FileSystem* const files = new PosixFiles;
  return files;
}

std::string ThisProcess() {
  return absl::StrCat(ToAbsl(kProcessPrefix), getpid(), "\n");
}

}  // namespace stave
