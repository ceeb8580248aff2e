#include "tests/engine/fs/faulty_file_system.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "engine/base/status_macros.h"

namespace stave {

class FaultyFile : public File {
 public:
  FaultyFile(FaultyFileSystem* faults, std::unique_ptr<File> below)
      : faults_(*faults), below_(std::move(below)) {}

  absl::StatusOr<uint64_t> Size() const override { return below_->Size(); }
  absl::StatusOr<size_t> Read(uint64_t offset,
                              absl::Span<char> to) const override {
    RETURN_IF_ERROR(faults_.Meet(FaultyFileSystem::kRead));
    return below_->Read(offset, to);
  }
  size_t ReadCached(uint64_t offset, absl::Span<char> to) const override {
    const bool fails = !faults_.Meet(FaultyFileSystem::kReadCached).ok();
    return fails ? 0 : below_->ReadCached(offset, to);
  }
  void WillNeed(uint64_t offset, uint64_t size) const override {
    below_->WillNeed(offset, size);
  }
  void CacheInHugePages(uint64_t offset, uint64_t size) const override {
    below_->CacheInHugePages(offset, size);
  }
  void StartSync(uint64_t offset, uint64_t size) const override {
    below_->StartSync(offset, size);
  }
  absl::Status Write(uint64_t offset,
                     absl::Span<const std::string_view> parts) override {
    RETURN_IF_ERROR(faults_.Meet(FaultyFileSystem::kWrite));
    return below_->Write(offset, parts);
  }
  absl::Status Allocate(uint64_t offset, uint64_t size) override {
    RETURN_IF_ERROR(faults_.Meet(FaultyFileSystem::kAllocate));
    return below_->Allocate(offset, size);
  }
  absl::Status Truncate(uint64_t size) override {
    RETURN_IF_ERROR(faults_.Meet(FaultyFileSystem::kTruncate));
    return below_->Truncate(size);
  }
  absl::Status SyncData() override {
    RETURN_IF_ERROR(faults_.Meet(FaultyFileSystem::kSyncData));
    return below_->SyncData();
  }
  absl::StatusOr<std::unique_ptr<FileMapping>> Map(size_t size,
                                                   bool writable) override {
    return below_->Map(size, writable);
  }

 private:
  FaultyFileSystem& faults_;
  const std::unique_ptr<File> below_;
};

class FaultyDirectory : public Directory {
 public:
  FaultyDirectory(FaultyFileSystem* faults, std::unique_ptr<Directory> below)
      : faults_(*faults), below_(std::move(below)) {}

  absl::StatusOr<std::unique_ptr<File>> CreateFile(
      std::string_view name) override {
    faults_.NoteCreation(name);
    RETURN_IF_ERROR(faults_.Meet(FaultyFileSystem::kCreateFile));
    return Wrap(below_->CreateFile(name));
  }
  absl::StatusOr<std::unique_ptr<File>> OpenFile(std::string_view name,
                                                 bool writable) override {
    return Wrap(below_->OpenFile(name, writable));
  }
  absl::Status Link(Directory* from, std::string_view name) override {
    RETURN_IF_ERROR(faults_.Meet(FaultyFileSystem::kLink));
    return below_->Link(static_cast<FaultyDirectory*>(from)->below_.get(),
                        name);
  }
  absl::Status Unlink(std::string_view name) override {
    RETURN_IF_ERROR(faults_.Meet(FaultyFileSystem::kUnlink));
    return below_->Unlink(name);
  }
  absl::Status Rename(std::string_view from, std::string_view to) override {
    RETURN_IF_ERROR(faults_.Meet(FaultyFileSystem::kRename));
    return below_->Rename(from, to);
  }
  absl::StatusOr<std::vector<std::string>> List() override {
    RETURN_IF_ERROR(faults_.Meet(FaultyFileSystem::kList));
    return below_->List();
  }
  absl::Status Sync() override {
    RETURN_IF_ERROR(faults_.Meet(FaultyFileSystem::kSyncDirectory));
    return below_->Sync();
  }
  absl::StatusOr<std::unique_ptr<File>> Lock(
      std::string_view name, std::string_view contents) override {
    return Wrap(below_->Lock(name, contents));
  }
  bool SupportsMappedAppends() const override {
    return below_->SupportsMappedAppends();
  }
  const std::string& path() const override { return below_->path(); }

 private:
  absl::StatusOr<std::unique_ptr<File>> Wrap(
      absl::StatusOr<std::unique_ptr<File>> file) {
    if (!file.ok()) return file.status();
    return std::make_unique<FaultyFile>(&faults_, *std::move(file));
  }

  FaultyFileSystem& faults_;
  const std::unique_ptr<Directory> below_;
};

void FaultyFileSystem::Fail(Operation operation, const absl::Status& status,
                            int nth) {
  MutexLock lock(&mutex_);
  Plan& plan = plans_[operation];
  plan.failure = status;
  plan.first_failure = plan.last_failure = plan.calls + nth;
}

void FaultyFileSystem::FailAlways(Operation operation,
                                  const absl::Status& status, int nth) {
  Fail(operation, status, nth);
  MutexLock lock(&mutex_);
  plans_[operation].last_failure = kNever;
}

void FaultyFileSystem::Heal(Operation operation) {
  MutexLock lock(&mutex_);
  Plan& plan = plans_[operation];
  plan.first_failure = plan.last_failure = kNever;
}

void FaultyFileSystem::Before(Operation operation,
                              std::function<void()> action) {
  MutexLock lock(&mutex_);
  plans_[operation].before = std::move(action);
}

std::string FaultyFileSystem::last_created() const {
  MutexLock lock(&mutex_);
  return last_created_;
}

void FaultyFileSystem::NoteCreation(std::string_view name) {
  MutexLock lock(&mutex_);
  last_created_ = std::string(name);
}

int FaultyFileSystem::calls(Operation operation) const {
  MutexLock lock(&mutex_);
  return plans_[operation].calls;
}

absl::StatusOr<std::unique_ptr<Directory>> FaultyFileSystem::OpenDirectory(
    std::string_view path) {
  ASSIGN_OR_RETURN(std::unique_ptr<Directory> below,
                   below_->OpenDirectory(path));
  return std::make_unique<FaultyDirectory>(this, std::move(below));
}

absl::Status FaultyFileSystem::CreateDirectory(std::string_view path) {
  return below_->CreateDirectory(path);
}

absl::Status FaultyFileSystem::Meet(Operation operation) {
  std::function<void()> before;
  absl::Status status;
  {
    MutexLock lock(&mutex_);
    Plan& plan = plans_[operation];
    ++plan.calls;
    before = plan.before;
    const bool fails =
        plan.first_failure <= plan.calls && plan.calls <= plan.last_failure;
    if (fails) status = plan.failure;
  }
  if (before != nullptr) before();
  return status;
}

}  // namespace stave
