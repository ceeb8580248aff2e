#include "tests/damage/image_file_system.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace stave {

// A file's contents. Zeros follow them up to the capacity, so that a sanitizer
// sees who reads beyond what was mapped.
class ImageFileSystem::Bytes {
 public:
  Bytes(std::string_view contents, int* changes) : changes_(changes) {
    Resize(contents.size());
    if (!contents.empty()) std::memcpy(data(), contents.data(), size_);
  }

  char* data() { return data_.get(); }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_.get(), size_}; }

  void NoteChange() { ++*changes_; }

  void Resize(size_t size) {
    MakeRoom(size);
    if (size < size_) std::memset(data() + size, 0, size_ - size);
    size_ = size;
  }

  char* Map(size_t size) {
    MakeRoom(size);
    ++mappings_;
    return data();
  }
  void Unmap() { --mappings_; }

 private:
  void MakeRoom(size_t size) {
    if (size <= capacity_) return;
    // The engine maps as much as a file will ever hold.
    EXPECT_EQ(mappings_, 0) << "a file outgrows its mapping";
    auto larger = std::make_unique<char[]>(size);
    if (size_ > 0) std::memcpy(larger.get(), data(), size_);
    data_ = std::move(larger);
    capacity_ = size;
  }

  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
  int mappings_ = 0;
  int* const changes_;
};

class ImageFileSystem::Mapping : public FileMapping {
 public:
  Mapping(std::shared_ptr<Bytes> bytes, size_t size)
      : FileMapping(bytes->Map(size), size), bytes_(std::move(bytes)) {}
  ~Mapping() override { bytes_->Unmap(); }

  void Store(size_t offset, absl::Span<const std::string_view> parts) override {
    bytes_->NoteChange();
    for (const std::string_view part : parts) {
      ASSERT_LE(offset + part.size(), bytes_->size()) << "beyond the file";
      if (!part.empty()) {
        std::memcpy(mutable_data() + offset, part.data(), part.size());
      }
      offset += part.size();
    }
  }
  void Populate(size_t, size_t) override {}
  absl::Status MakeReadOnly() override { return absl::OkStatus(); }

 private:
  const std::shared_ptr<Bytes> bytes_;
};

class ImageFileSystem::OpenedFile : public File {
 public:
  explicit OpenedFile(std::shared_ptr<Bytes> bytes)
      : bytes_(std::move(bytes)) {}

  absl::StatusOr<uint64_t> Size() const override { return bytes_->size(); }

  absl::StatusOr<size_t> Read(uint64_t offset,
                              absl::Span<char> to) const override {
    if (offset >= bytes_->size()) return 0;
    const size_t size = std::min(to.size(), bytes_->size() - offset);
    std::memcpy(to.data(), bytes_->data() + offset, size);
    return size;
  }

  absl::Status Write(uint64_t offset,
                     absl::Span<const std::string_view> parts) override {
    bytes_->NoteChange();
    for (const std::string_view part : parts) {
      if (part.empty()) continue;  // Its address may be null.
      bytes_->Resize(std::max<size_t>(bytes_->size(), offset + part.size()));
      std::memcpy(bytes_->data() + offset, part.data(), part.size());
      offset += part.size();
    }
    return absl::OkStatus();
  }

  absl::Status Allocate(uint64_t offset, uint64_t size) override {
    if (offset + size <= bytes_->size()) return absl::OkStatus();
    bytes_->NoteChange();
    bytes_->Resize(offset + size);
    return absl::OkStatus();
  }
  absl::Status Truncate(uint64_t size) override {
    bytes_->NoteChange();
    bytes_->Resize(size);
    return absl::OkStatus();
  }
  absl::Status SyncData() override { return absl::OkStatus(); }

  absl::StatusOr<std::unique_ptr<FileMapping>> Map(size_t size, bool) override {
    return std::make_unique<Mapping>(bytes_, size);
  }

 private:
  const std::shared_ptr<Bytes> bytes_;
};

class ImageFileSystem::OpenedDirectory : public Directory {
 public:
  OpenedDirectory(ImageFileSystem* disk, std::string_view path)
      : disk_(*disk), path_(path) {}

  absl::StatusOr<std::unique_ptr<File>> CreateFile(
      std::string_view name) override {
    auto bytes = std::make_shared<Bytes>("", &disk_.changes_);
    if (!disk_.files_.emplace(name, bytes).second) {
      return absl::AlreadyExistsError(std::string(name));
    }
    bytes->NoteChange();
    return std::make_unique<OpenedFile>(std::move(bytes));
  }

  absl::StatusOr<std::unique_ptr<File>> OpenFile(std::string_view name,
                                                 bool) override {
    const auto found = disk_.files_.find(name);
    if (found == disk_.files_.end()) {
      return absl::NotFoundError(std::string(name));
    }
    return std::make_unique<OpenedFile>(found->second);
  }

  absl::Status Link(Directory*, std::string_view) override {
    return absl::UnimplementedError("there is one directory only");
  }

  absl::Status Unlink(std::string_view name) override {
    const auto found = disk_.files_.find(name);
    if (found == disk_.files_.end()) {
      return absl::NotFoundError(std::string(name));
    }
    found->second->NoteChange();
    disk_.files_.erase(found);
    return absl::OkStatus();
  }

  absl::Status Rename(std::string_view from, std::string_view to) override {
    const auto found = disk_.files_.find(from);
    if (found == disk_.files_.end()) {
      return absl::NotFoundError(std::string(from));
    }
    found->second->NoteChange();
    disk_.files_[std::string(to)] = found->second;
    if (from != to) disk_.files_.erase(disk_.files_.find(from));
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> List() override {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : disk_.files_) names.push_back(name);
    return names;
  }

  absl::Status Sync() override { return absl::OkStatus(); }

  absl::StatusOr<std::unique_ptr<File>> Lock(std::string_view name,
                                             std::string_view) override {
    auto& bytes = disk_.files_[std::string(name)];
    if (bytes == nullptr) {
      bytes = std::make_shared<Bytes>("", &disk_.changes_);
    }
    return std::make_unique<OpenedFile>(bytes);
  }

  bool SupportsMappedAppends() const override { return true; }
  const std::string& path() const override { return path_; }

 private:
  ImageFileSystem& disk_;
  const std::string path_;
};

ImageFileSystem::ImageFileSystem(const DirectoryImage& files) {
  for (const auto& [name, bytes] : files) {
    files_[name] = std::make_shared<Bytes>(bytes, &changes_);
  }
}

DirectoryImage ImageFileSystem::Files() const {
  DirectoryImage image;
  for (const auto& [name, bytes] : files_) image[name] = bytes->view();
  return image;
}

absl::StatusOr<std::unique_ptr<Directory>> ImageFileSystem::OpenDirectory(
    std::string_view path) {
  return std::make_unique<OpenedDirectory>(this, path);
}

absl::Status ImageFileSystem::CreateDirectory(std::string_view) {
  return absl::AlreadyExistsError("there is one directory only");
}

}  // namespace stave
