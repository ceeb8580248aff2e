#include "engine/fs/posix_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"
#include "engine/fs/errno_status.h"
#include "engine/fs/posix_file.h"

namespace stave {
namespace {

// For the owner, nobody else.
constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;

// Whether the file system keeps space that fallocate has reserved for stores
// through mappings (I14). Copy-on-write file systems accept fallocate and still
// raise SIGBUS on a full disk. ext2 and ext3 answer like ext4 here, and turn
// fallocate down.
bool KeepsReservedSpace(int directory) {
  struct statfs about;
  if (fstatfs(directory, &about) != 0) return false;
  switch (about.f_type) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
      return true;
    default:
      return false;
  }
}

absl::Status NotRegular(const std::string& path) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, " is not a regular file"));
}

// The status of an open that failed: beside its plain meanings, some errors
// stand for kinds of files.
absl::Status NotOpened(int error, std::string_view operation,
                       const std::string& path) {
  switch (error) {
    case EISDIR:
    case ELOOP:   // A symbolic link.
    case ENODEV:  // A device without a driver.
    case ENXIO:   // A socket.
      return NotRegular(path);
    default:
      return ErrnoStatus(error, operation, path);
  }
}

absl::Status CheckName(std::string_view name) {
  constexpr std::string_view kForbidden("/\0", 2);
  if (name.empty() || name == "." || name == ".." ||
      name.find_first_of(kForbidden) != name.npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", absl::CHexEscape(ToAbsl(name)), "' is not the name of a file"));
  }
  return absl::OkStatus();
}

struct StreamCloser {
  void operator()(DIR* stream) const { closedir(stream); }
};
using DirectoryStream = std::unique_ptr<DIR, StreamCloser>;

// Null, and errno set, if that fails. The stream gets a descriptor of its own,
// since the position in the directory belongs to the descriptor, and others may
// list it at the same time.
DirectoryStream OpenStream(int directory) {
  FileDescriptor own(RetryInterrupted([&] {
    return openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }));
  if (!own.ok()) return nullptr;
  DirectoryStream stream(fdopendir(own.get()));
  if (stream != nullptr) own.Release();
  return stream;
}

// The message has the first line of the lock's file, where its holder says who
// it is. Anything may stand there.
absl::Status HeldByAnother(const File& lock, const std::string& path) {
  std::array<char, 64> bytes;
  const absl::StatusOr<size_t> size = lock.Read(0, absl::MakeSpan(bytes));
  std::string_view holder(bytes.data(), size.ok() ? *size : 0);
  holder = holder.substr(0, holder.find('\n'));
  if (holder.empty()) holder = "another";
  return absl::UnavailableError(absl::StrCat("lock ", path, ": held by ",
                                             absl::CHexEscape(ToAbsl(holder))));
}

}  // namespace

absl::StatusOr<std::unique_ptr<PosixDirectory>> PosixDirectory::Open(
    const std::string& path) {
  FileDescriptor descriptor(RetryInterrupted(
      [&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!descriptor.ok()) {
    if (errno != ENOTDIR) return ErrnoStatus(errno, "open", path);
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is not a directory"));
  }
  const bool supports_mapped_appends = KeepsReservedSpace(descriptor.get());
  return std::unique_ptr<PosixDirectory>(
      new PosixDirectory(path, std::move(descriptor), supports_mapped_appends));
}

std::string PosixDirectory::PathOf(std::string_view name) const {
  return absl::StrCat(path_, path_.ends_with('/') ? "" : "/", ToAbsl(name));
}

absl::StatusOr<FileDescriptor> PosixDirectory::OpenRegular(
    std::string_view operation, std::string_view name, int flags) const {
  RETURN_IF_ERROR(CheckName(name));
  const std::string terminated(name);
  const std::string path = PathOf(name);
  // O_NONBLOCK: a FIFO is opened without waiting for its other end, and then
  // turned down. Regular files take no notice.
  flags |= O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  FileDescriptor descriptor(RetryInterrupted([&] {
    return openat(descriptor_.get(), terminated.c_str(), flags, kFileMode);
  }));
  if (!descriptor.ok()) return NotOpened(errno, operation, path);
  struct stat about;
  if (fstat(descriptor.get(), &about) != 0) {
    return ErrnoStatus(errno, "stat", path);
  }
  if (!S_ISREG(about.st_mode)) return NotRegular(path);
  return descriptor;
}

absl::Status PosixDirectory::CreateDirectory(std::string_view name) {
  const std::string terminated(name);
  const std::string path = PathOf(name);
  if (mkdirat(descriptor_.get(), terminated.c_str(), kDirectoryMode) != 0) {
    return ErrnoStatus(errno, "create directory", path);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<File>> PosixDirectory::CreateFile(
    std::string_view name) {
  ASSIGN_OR_RETURN(FileDescriptor descriptor,
                   OpenRegular("create", name, O_RDWR | O_CREAT | O_EXCL));
  return std::make_unique<PosixFile>(std::move(descriptor), PathOf(name));
}

absl::StatusOr<std::unique_ptr<File>> PosixDirectory::OpenFile(
    std::string_view name, bool writable) {
  ASSIGN_OR_RETURN(FileDescriptor descriptor,
                   OpenRegular("open", name, writable ? O_RDWR : O_RDONLY));
  return std::make_unique<PosixFile>(std::move(descriptor), PathOf(name));
}

absl::Status PosixDirectory::Link(Directory* from, std::string_view name) {
  RETURN_IF_ERROR(CheckName(name));
  const std::string terminated(name);
  const int there = static_cast<PosixDirectory*>(from)->descriptor_.get();
  if (linkat(there, terminated.c_str(), descriptor_.get(), terminated.c_str(),
             0) == 0) {
    return absl::OkStatus();
  }
  const std::string path = PathOf(name);
  switch (errno) {
    case EXDEV:   // Another file system.
    case EMLINK:  // It has too many names.
    case EPERM:   // Not on this file system, or not of another's file.
      return absl::UnimplementedError(
          absl::StrCat("link ", path, ": can't be done here"));
    default:
      return ErrnoStatus(errno, "link", path);
  }
}

absl::Status PosixDirectory::Unlink(std::string_view name) {
  RETURN_IF_ERROR(CheckName(name));
  const std::string terminated(name);
  const std::string path = PathOf(name);
  if (unlinkat(descriptor_.get(), terminated.c_str(), 0) != 0) {
    return ErrnoStatus(errno, "unlink", path);
  }
  return absl::OkStatus();
}

absl::Status PosixDirectory::Rename(std::string_view from,
                                    std::string_view to) {
  RETURN_IF_ERROR(CheckName(from));
  RETURN_IF_ERROR(CheckName(to));
  const std::string terminated_from(from);
  const std::string terminated_to(to);
  const int directory = descriptor_.get();
  if (renameat(directory, terminated_from.c_str(), directory,
               terminated_to.c_str()) != 0) {
    const int error = errno;
    return NotOpened(error, "rename", PathOf(error == EISDIR ? to : from));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> PosixDirectory::List() {
  const DirectoryStream stream = OpenStream(descriptor_.get());
  if (stream == nullptr) return ErrnoStatus(errno, "list", path_);
  std::vector<std::string> names;
  // A null entry is the end, or else an error: only errno tells.
  errno = 0;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return ErrnoStatus(errno, "list", path_);
  return names;
}

absl::Status PosixDirectory::Sync() {
  // I7: as in PosixFile::SyncData, only an interrupted call is made again.
  const auto sync = [this] { return fsync(descriptor_.get()); };
  const int result = DURABILITY_SITE(kDirectorySync, RetryInterrupted(sync));
  if (result != 0) return ErrnoStatus(errno, "fsync", path_);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<File>> PosixDirectory::Lock(
    std::string_view name, std::string_view contents) {
  ASSIGN_OR_RETURN(FileDescriptor descriptor,
                   OpenRegular("lock", name, O_RDWR | O_CREAT));
  const int number = descriptor.get();
  const std::string path = PathOf(name);
  struct stat about;
  if (fstat(number, &about) != 0) return ErrnoStatus(errno, "stat", path);
  auto claim = LockClaim::Take(about.st_dev, about.st_ino);
  const bool claimed = claim != nullptr;
  auto file = std::make_unique<PosixFile>(std::move(descriptor), path,
                                          std::move(claim));
  if (!claimed) return HeldByAnother(*file, path);
  // I11: it keeps other processes out, the claim this one.
  const auto lock = [number] { return flock(number, LOCK_EX | LOCK_NB); };
  if (DURABILITY_SITE(kFileLock, RetryInterrupted(lock)) != 0) {
    if (errno == EWOULDBLOCK) return HeldByAnother(*file, path);
    return ErrnoStatus(errno, "lock", path);
  }
  // The contents are information only: a full disk must not keep a store shut.
  file->Truncate(0).IgnoreError();
  file->Write(0, contents).IgnoreError();
  return file;
}

}  // namespace stave
