#include "tests/model/mortal_file_system.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/base/status_macros.h"
#include "engine/format/segment_header.h"

namespace stave {
namespace {

using Parts = absl::Span<const std::string_view>;

absl::Status Dead() { return absl::InternalError("the process was killed"); }

// About half of the bytes, in some of the parts.
std::vector<std::string_view> Beginning(Parts parts) {
  size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  size_t left = size / 2;
  std::vector<std::string_view> beginning;
  for (const std::string_view part : parts) {
    beginning.push_back(part.substr(0, left));
    left -= beginning.back().size();
  }
  return beginning;
}

bool BeginsMergeOutput(Parts parts) {
  if (parts.size() != 1) return false;
  const absl::StatusOr<SegmentHeader> header = DecodeSegmentHeader(parts[0]);
  return header.ok() && header->kind == SegmentKind::kMerged;
}

}  // namespace

class MortalFileSystem::Life {
 public:
  bool dead() const { return dead_; }

  void DieAt(const MomentOfDeath& moment) {
    MutexLock lock(&mutex_);
    moment_ = moment;
  }

  void LiveOn() {
    MutexLock lock(&mutex_);
    moment_.reset();
  }

  void KillThisProcess() {
    MutexLock lock(&mutex_);
    kills_ = true;
  }

  // Whether a merge has synced outputs, but not its edit.
  void SetInstalling(bool installing) { installing_ = installing; }
  bool installing() const { return installing_; }

  void Die() {
    MutexLock lock(&mutex_);
    dead_ = true;
    if (kills_) kill(getpid(), SIGKILL);
  }

  // Makes the call, or what of it is still done.
  template <typename Whole, typename Beginning>
  auto Live(FileCall call, std::string_view name, const Whole& whole,
            const Beginning& beginning) -> decltype(whole()) {
    MomentOfDeath::Part part = MomentOfDeath::kBefore;
    switch (Meet(call, name, &part)) {
      case Fate::kLives:
        return whole();
      case Fate::kIsDead:
        AwaitEnd();
        return Dead();
      case Fate::kDies:
        break;
    }
    if (part == MomentOfDeath::kWithin) beginning();
    // Nobody lives who could be told how it ended.
    if (part == MomentOfDeath::kAfter) static_cast<void>(whole());
    Die();
    return Dead();
  }
  template <typename Whole>
  auto Live(FileCall call, std::string_view name, const Whole& whole) {
    return Live(call, name, whole, [] {});
  }

 private:
  enum class Fate { kLives, kDies, kIsDead };

  // Of the process, if it is to end: nobody may be told that the call failed.
  void AwaitEnd() {
    mutex_.Lock();
    const bool ends = kills_;
    mutex_.Unlock();
    while (ends) pause();
  }

  Fate Meet(FileCall call, std::string_view name, MomentOfDeath::Part* part) {
    MutexLock lock(&mutex_);
    if (dead_) return Fate::kIsDead;
    if (!moment_.has_value()) return Fate::kLives;
    if (moment_->call != FileCall::kAny && moment_->call != call) {
      return Fate::kLives;
    }
    if (!name.starts_with(moment_->file_prefix)) return Fate::kLives;
    if (--moment_->nth > 0) return Fate::kLives;
    *part = moment_->part;
    moment_.reset();
    // Nothing that begins from now on is done.
    dead_ = true;
    return Fate::kDies;
  }

  Mutex mutex_;
  std::atomic<bool> dead_{false};  // changed under the lock
  std::atomic<bool> installing_{false};
  std::optional<MomentOfDeath> moment_ ABSL_GUARDED_BY(mutex_);
  bool kills_ ABSL_GUARDED_BY(mutex_) = false;
};

namespace {

using Life = MortalFileSystem::Life;

class MortalMapping : public FileMapping {
 public:
  MortalMapping(std::shared_ptr<Life> life, std::string name,
                std::unique_ptr<FileMapping> below)
      : FileMapping(const_cast<char*>(below->data()), below->size()),
        life_(std::move(life)),
        name_(std::move(name)),
        below_(std::move(below)) {}

  void Store(size_t offset, Parts parts) override {
    const auto store = [&](Parts stored) {
      below_->Store(offset, stored);
      return absl::OkStatus();
    };
    life_
        ->Live(
            FileCall::kStore, name_, [&] { return store(parts); },
            [&] { store(Beginning(parts)).IgnoreError(); })
        .IgnoreError();
  }
  void Populate(size_t offset, size_t size) override {
    below_->Populate(offset, size);
  }
  absl::Status MakeReadOnly() override { return below_->MakeReadOnly(); }

 private:
  const std::shared_ptr<Life> life_;
  const std::string name_;
  const std::unique_ptr<FileMapping> below_;
};

class MortalFile : public File {
 public:
  MortalFile(std::shared_ptr<Life> life, std::string_view name,
             std::unique_ptr<File> below)
      : life_(std::move(life)), name_(name), below_(std::move(below)) {}

  absl::StatusOr<uint64_t> Size() const override { return below_->Size(); }
  absl::StatusOr<size_t> Read(uint64_t offset,
                              absl::Span<char> to) const override {
    return below_->Read(offset, to);
  }
  size_t ReadCached(uint64_t offset, absl::Span<char> to) const override {
    return below_->ReadCached(offset, to);
  }
  void CacheInHugePages(uint64_t offset, uint64_t size) const override {
    below_->CacheInHugePages(offset, size);
  }
  void StartSync(uint64_t offset, uint64_t size) const override {
    below_->StartSync(offset, size);
  }
  absl::Status Write(uint64_t offset, Parts parts) override {
    if (is_output_) role_ = kMergedRecords;
    if (offset == 0 && BeginsMergeOutput(parts)) {
      is_output_ = true;
      role_ = kMergedHeader;
    }
    return life_->Live(
        FileCall::kWrite, Name(), [&] { return below_->Write(offset, parts); },
        [&] { below_->Write(offset, Beginning(parts)).IgnoreError(); });
  }
  absl::Status Allocate(uint64_t offset, uint64_t size) override {
    return life_->Live(FileCall::kAllocate, name_,
                       [&] { return below_->Allocate(offset, size); });
  }
  absl::Status Truncate(uint64_t size) override {
    return life_->Live(FileCall::kTruncate, name_,
                       [&] { return below_->Truncate(size); });
  }
  absl::Status SyncData() override {
    const std::string name = Name();
    const absl::Status status = life_->Live(FileCall::kSyncData, name,
                                            [&] { return below_->SyncData(); });
    if (name == kMergedRecords) life_->SetInstalling(true);
    if (name == kMergeEdit) life_->SetInstalling(false);
    return status;
  }
  absl::StatusOr<std::unique_ptr<FileMapping>> Map(size_t size,
                                                   bool writable) override {
    ASSIGN_OR_RETURN(std::unique_ptr<FileMapping> below,
                     below_->Map(size, writable));
    return std::make_unique<MortalMapping>(life_, name_, std::move(below));
  }

 private:
  std::string Name() const {
    if (is_output_) return role_;
    const bool is_edit = life_->installing() && name_.starts_with("MANIFEST");
    return is_edit ? kMergeEdit : name_;
  }

  const std::shared_ptr<Life> life_;
  const std::string name_;
  const std::unique_ptr<File> below_;
  // Only a merge's thread has its outputs.
  bool is_output_ = false;
  std::string role_;
};

class MortalDirectory : public Directory {
 public:
  MortalDirectory(std::shared_ptr<Life> life, std::unique_ptr<Directory> below)
      : life_(std::move(life)), below_(std::move(below)) {}

  absl::StatusOr<std::unique_ptr<File>> CreateFile(
      std::string_view name) override {
    return life_->Live(FileCall::kCreateFile, name,
                       [&] { return Wrap(name, below_->CreateFile(name)); });
  }
  absl::StatusOr<std::unique_ptr<File>> OpenFile(std::string_view name,
                                                 bool writable) override {
    return Wrap(name, below_->OpenFile(name, writable));
  }
  absl::Status Link(Directory* from, std::string_view name) override {
    Directory* const below = static_cast<MortalDirectory*>(from)->below_.get();
    return life_->Live(FileCall::kLink, name,
                       [&] { return below_->Link(below, name); });
  }
  absl::Status Unlink(std::string_view name) override {
    return life_->Live(FileCall::kUnlink, name,
                       [&] { return below_->Unlink(name); });
  }
  absl::Status Rename(std::string_view from, std::string_view to) override {
    return life_->Live(FileCall::kRename, to,
                       [&] { return below_->Rename(from, to); });
  }
  absl::StatusOr<std::vector<std::string>> List() override {
    return below_->List();
  }
  absl::Status Sync() override {
    return life_->Live(FileCall::kSyncDirectory,
                       life_->installing() ? kMergeNames : "",
                       [&] { return below_->Sync(); });
  }
  absl::StatusOr<std::unique_ptr<File>> Lock(
      std::string_view name, std::string_view contents) override {
    return life_->Live(FileCall::kLock, name, [&] {
      return Wrap(name, below_->Lock(name, contents));
    });
  }
  bool SupportsMappedAppends() const override {
    return below_->SupportsMappedAppends();
  }
  const std::string& path() const override { return below_->path(); }

 private:
  absl::StatusOr<std::unique_ptr<File>> Wrap(
      std::string_view name, absl::StatusOr<std::unique_ptr<File>> file) {
    if (!file.ok()) return file.status();
    return std::make_unique<MortalFile>(life_, name, *std::move(file));
  }

  const std::shared_ptr<Life> life_;
  const std::unique_ptr<Directory> below_;
};

}  // namespace

MortalFileSystem::MortalFileSystem(FileSystem* below)
    : below_(below), life_(std::make_shared<Life>()) {}

void MortalFileSystem::DieAt(const MomentOfDeath& moment) {
  life_->DieAt(moment);
}

void MortalFileSystem::LiveOn() { life_->LiveOn(); }

void MortalFileSystem::Die() { life_->Die(); }

bool MortalFileSystem::dead() const { return life_->dead(); }

void MortalFileSystem::Revive() { life_ = std::make_shared<Life>(); }

void MortalFileSystem::KillThisProcess() { life_->KillThisProcess(); }

absl::StatusOr<std::unique_ptr<Directory>> MortalFileSystem::OpenDirectory(
    std::string_view path) {
  ASSIGN_OR_RETURN(std::unique_ptr<Directory> below,
                   below_->OpenDirectory(path));
  return std::make_unique<MortalDirectory>(life_, std::move(below));
}

absl::Status MortalFileSystem::CreateDirectory(std::string_view path) {
  return life_->Live(FileCall::kCreateDirectory, path,
                     [&] { return below_->CreateDirectory(path); });
}

}  // namespace stave
