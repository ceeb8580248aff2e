#ifndef STAVE_TESTS_ENGINE_CORE_WRITTEN_FILE_SYSTEM_H_
#define STAVE_TESTS_ENGINE_CORE_WRITTEN_FILE_SYSTEM_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/status_macros.h"
#include "engine/fs/file_system.h"

namespace stave {

// Hands calls on to another file system, and denies that stores to mapped
// files are safe there: so the log is written, as on copy-on-write ones.
class WrittenFileSystem : public FileSystem {
 public:
  explicit WrittenFileSystem(FileSystem* below) : below_(below) {}

  absl::StatusOr<std::unique_ptr<stave::Directory>> OpenDirectory(
      std::string_view path) override {
    ASSIGN_OR_RETURN(std::unique_ptr<stave::Directory> below,
                     below_->OpenDirectory(path));
    return std::make_unique<Directory>(std::move(below));
  }
  absl::Status CreateDirectory(std::string_view path) override {
    return below_->CreateDirectory(path);
  }

 private:
  class Directory : public stave::Directory {
   public:
    explicit Directory(std::unique_ptr<stave::Directory> below)
        : below_(std::move(below)) {}

    absl::StatusOr<std::unique_ptr<File>> CreateFile(
        std::string_view name) override {
      return below_->CreateFile(name);
    }
    absl::StatusOr<std::unique_ptr<File>> OpenFile(std::string_view name,
                                                   bool writable) override {
      return below_->OpenFile(name, writable);
    }
    absl::Status Link(stave::Directory* from, std::string_view name) override {
      return below_->Link(static_cast<Directory*>(from)->below_.get(), name);
    }
    absl::Status Unlink(std::string_view name) override {
      return below_->Unlink(name);
    }
    absl::Status Rename(std::string_view from, std::string_view to) override {
      return below_->Rename(from, to);
    }
    absl::StatusOr<std::vector<std::string>> List() override {
      return below_->List();
    }
    absl::Status Sync() override { return below_->Sync(); }
    absl::StatusOr<std::unique_ptr<File>> Lock(
        std::string_view name, std::string_view contents) override {
      return below_->Lock(name, contents);
    }
    bool SupportsMappedAppends() const override { return false; }
    const std::string& path() const override { return below_->path(); }

   private:
    const std::unique_ptr<stave::Directory> below_;
  };

  FileSystem* const below_;
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_CORE_WRITTEN_FILE_SYSTEM_H_
