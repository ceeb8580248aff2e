#include "tools/stave/file_replacement.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/stave/system_error.h"

namespace stave::tool {
namespace {

bool IsSpecialFile(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) &&
         !S_ISDIR(status.st_mode);
}

// Where a symbolic link leads, so that its target is replaced and not itself.
std::string ResolveLinks(const std::string& path) {
  std::error_code error;
  const std::filesystem::path resolved =
      std::filesystem::canonical(path, error);
  return error ? path : resolved.string();
}

absl::Status SyncDirectoryOf(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string directory = parent.empty() ? "." : parent;
  FileDescriptor opened(
      open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.number() < 0 || fsync(opened.number()) != 0) {
    return SystemError("sync", directory, errno);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FileReplacement> FileReplacement::Create(
    const std::string& path) {
  if (IsSpecialFile(path)) {
    FileDescriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (file.number() < 0) return SystemError("open", path, errno);
    return FileReplacement(std::move(file), "", path);
  }
  const std::string target = ResolveLinks(path);
  if (std::filesystem::path(target).filename().empty() ||
      access((target + "/.").c_str(), F_OK) == 0) {
    return SystemError("write to", path, EISDIR);
  }
  std::string temporary = absl::StrCat(target, ".XXXXXX");
  FileDescriptor file(mkostemp(temporary.data(), O_CLOEXEC));
  if (file.number() < 0)
    return SystemError("create a file beside", path, errno);
  // Who may not give it that mode replaces it as one for the owner alone.
  struct stat old;
  if (stat(target.c_str(), &old) == 0) {
    (void)fchmod(file.number(), old.st_mode & 0777);
  }
  return FileReplacement(std::move(file), std::move(temporary), target);
}

FileReplacement::~FileReplacement() {
  // What can't be removed is of no harm but the space it takes.
  if (!temporary_.empty()) (void)unlink(temporary_.c_str());
}

absl::Status FileReplacement::Commit() {
  if (temporary_.empty()) return absl::OkStatus();
  if (fsync(file_.number()) != 0) {
    return SystemError("sync", temporary_, errno);
  }
  if (rename(temporary_.c_str(), path_.c_str()) != 0) {
    return SystemError("replace", path_, errno);
  }
  temporary_.clear();
  on_signal_.reset();
  return SyncDirectoryOf(path_);
}

}  // namespace stave::tool
