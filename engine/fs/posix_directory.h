#ifndef STAVE_ENGINE_FS_POSIX_DIRECTORY_H_
#define STAVE_ENGINE_FS_POSIX_DIRECTORY_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/fs/file_descriptor.h"
#include "engine/fs/file_system.h"
#include "engine/fs/lock_registry.h"

namespace stave {

// A Directory by Linux's system calls.
class PosixDirectory : public Directory {
 public:
  static absl::StatusOr<std::unique_ptr<PosixDirectory>> Open(
      const std::string& path);

  // Makes a directory in this one, mode 0700; Sync makes it durable.
  absl::Status CreateDirectory(std::string_view name);

  absl::StatusOr<std::unique_ptr<File>> CreateFile(
      std::string_view name) override;
  absl::StatusOr<std::unique_ptr<File>> OpenFile(std::string_view name,
                                                 bool writable) override;
  absl::Status Link(Directory* from, std::string_view name) override;
  absl::Status Unlink(std::string_view name) override;
  absl::Status Rename(std::string_view from, std::string_view to) override;
  absl::StatusOr<std::vector<std::string>> List() override;
  absl::Status Sync() override;
  absl::StatusOr<std::unique_ptr<File>> Lock(
      std::string_view name, std::string_view contents) override;
  bool SupportsMappedAppends() const override {
    return supports_mapped_appends_;
  }
  const std::string& path() const override { return path_; }

 private:
  PosixDirectory(const std::string& path, FileDescriptor descriptor,
                 bool supports_mapped_appends)
      : path_(path),
        descriptor_(std::move(descriptor)),
        supports_mapped_appends_(supports_mapped_appends) {}

  std::string PathOf(std::string_view name) const;
  // Opens a regular file with `flags` and those that every file gets.
  absl::StatusOr<FileDescriptor> OpenRegular(std::string_view operation,
                                             std::string_view name,
                                             int flags) const;

  const std::string path_;
  const FileDescriptor descriptor_;
  const bool supports_mapped_appends_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_FS_POSIX_DIRECTORY_H_
