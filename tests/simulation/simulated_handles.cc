#include "tests/simulation/simulated_handles.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/fs/errno_status.h"

namespace stave {
namespace {

absl::Status CheckName(std::string_view name) {
  constexpr std::string_view kForbidden("/\0", 2);
  if (name.empty() || name == "." || name == ".." ||
      name.find_first_of(kForbidden) != name.npos) {
    return absl::InvalidArgumentError("not the name of a file");
  }
  return absl::OkStatus();
}

// For what would have ended a process by a signal. No assert, which optimised
// builds leave out.
void DieUnless(bool possible, const char* what) {
  if (possible) return;
  std::fprintf(stderr, "simulated disk: %s\n", what);
  std::abort();
}

std::vector<size_t> SizesOf(absl::Span<const std::string_view> parts) {
  std::vector<size_t> sizes;
  for (const std::string_view part : parts) sizes.push_back(part.size());
  return sizes;
}

size_t SizeOf(absl::Span<const std::string_view> parts) {
  size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  return size;
}

// The first half of the bytes.
std::string HalfOf(absl::Span<const std::string_view> parts) {
  std::string bytes;
  for (const std::string_view part : parts) bytes += part;
  bytes.resize(bytes.size() / 2);
  return bytes;
}

absl::Status HeldByAnother(const SimulatedInode& inode,
                           const std::string& path) {
  const std::string holder = inode.cache().substr(0, inode.cache().find('\n'));
  return absl::UnavailableError(
      absl::StrCat("lock ", path, ": held by ", holder));
}

}  // namespace

void SimulatedDisk::Folder::Apply(const NameChange& change, Names* names) {
  if (change.inode == nullptr) {
    names->erase(change.name);
  } else {
    names->erase(change.old_name);
    (*names)[change.name] = change.inode;
  }
}

SimulatedHandle::SimulatedHandle(SimulatedDisk* disk)
    : disk_(*disk), process_(disk->process_) {
  ++disk_.open_handles_;
}

SimulatedHandle::~SimulatedHandle() {
  MutexLock lock(&disk_.mutex_);
  if (!disk_.IsDead(process_)) --disk_.open_handles_;
}

// ---- Directories ----

std::string SimulatedDirectory::PathOf(std::string_view name) const {
  return absl::StrCat(path_, "/", ToAbsl(name));
}

absl::Status SimulatedDirectory::Meet(Call call, std::string_view name,
                                      Fault* met) {
  return disk_.Meet(call, handle_.process(),
                    name.empty() ? path_ : PathOf(name), met);
}

absl::StatusOr<SimulatedDirectory::InodePtr> SimulatedDirectory::Find(
    std::string_view name) {
  RETURN_IF_ERROR(CheckName(name));
  const auto found = folder_.cache.find(name);
  if (found != folder_.cache.end()) return found->second;
  if (disk_.folders_.contains(absl::StrCat(folder_.path, "/", ToAbsl(name)))) {
    return absl::InvalidArgumentError(
        absl::StrCat(PathOf(name), " is not a regular file"));
  }
  return nullptr;
}

SimulatedDirectory::InodePtr SimulatedDirectory::Make(std::string_view name) {
  auto inode =
      std::make_shared<SimulatedInode>(disk_.inodes_.size(), std::string());
  disk_.inodes_.push_back(inode);
  Name(name, inode);
  return inode;
}

void SimulatedDirectory::Name(std::string_view name, const InodePtr& inode) {
  folder_.cache.emplace(name, inode);
  folder_.unsynced.push_back(
      {disk_.Change(nullptr), std::string(name), inode, /*old_name=*/""});
}

absl::StatusOr<std::unique_ptr<File>> SimulatedDirectory::CreateFile(
    std::string_view name) {
  std::unique_ptr<File> file;
  {
    MutexLock lock(&disk_.mutex_);
    RETURN_IF_ERROR(Meet(Call::kCreateFile, name));
    ASSIGN_OR_RETURN(const InodePtr inode, Find(name));
    if (inode != nullptr) return ErrnoStatus(EEXIST, "create", PathOf(name));
    file = std::make_unique<SimulatedFile>(&disk_, Make(name), PathOf(name),
                                           /*writable=*/true,
                                           /*holds_lock=*/false);
  }
  disk_.TellObserver();
  return file;
}

absl::StatusOr<std::unique_ptr<File>> SimulatedDirectory::OpenFile(
    std::string_view name, bool writable) {
  MutexLock lock(&disk_.mutex_);
  RETURN_IF_ERROR(Meet(Call::kOpenFile, name));
  ASSIGN_OR_RETURN(InodePtr inode, Find(name));
  if (inode == nullptr) return ErrnoStatus(ENOENT, "open", PathOf(name));
  return std::make_unique<SimulatedFile>(&disk_, std::move(inode), PathOf(name),
                                         writable, /*holds_lock=*/false);
}

absl::Status SimulatedDirectory::Link(Directory* from, std::string_view name) {
  {
    MutexLock lock(&disk_.mutex_);
    RETURN_IF_ERROR(Meet(Call::kLink, name));
    auto& there = *static_cast<SimulatedDirectory*>(from);
    if (!disk_.abilities_.links || &there.disk_ != &disk_) {
      return absl::UnimplementedError("no file has two names here");
    }
    there.disk_.mutex_.AssertHeld();  // It is this one.
    ASSIGN_OR_RETURN(const InodePtr inode, there.Find(name));
    if (inode == nullptr) return ErrnoStatus(ENOENT, "link", PathOf(name));
    ASSIGN_OR_RETURN(const InodePtr has_name, Find(name));
    if (has_name != nullptr) return ErrnoStatus(EEXIST, "link", PathOf(name));
    Name(name, inode);
  }
  disk_.TellObserver();
  return absl::OkStatus();
}

absl::Status SimulatedDirectory::Unlink(std::string_view name) {
  {
    MutexLock lock(&disk_.mutex_);
    RETURN_IF_ERROR(Meet(Call::kUnlink, name));
    ASSIGN_OR_RETURN(const InodePtr inode, Find(name));
    if (inode == nullptr) return ErrnoStatus(ENOENT, "unlink", PathOf(name));
    folder_.cache.erase(folder_.cache.find(name));
    folder_.unsynced.push_back(
        {disk_.Change(nullptr), std::string(name), nullptr, /*old_name=*/""});
  }
  disk_.TellObserver();
  return absl::OkStatus();
}

absl::Status SimulatedDirectory::Rename(std::string_view from,
                                        std::string_view to) {
  {
    MutexLock lock(&disk_.mutex_);
    RETURN_IF_ERROR(Meet(Call::kRename, from));
    RETURN_IF_ERROR(CheckName(to));
    ASSIGN_OR_RETURN(const InodePtr inode, Find(from));
    if (inode == nullptr) return ErrnoStatus(ENOENT, "rename", PathOf(from));
    ASSIGN_OR_RETURN(const InodePtr replaced, Find(to));
    if (replaced == inode) return absl::OkStatus();
    const SimulatedDisk::Folder::NameChange change = {
        disk_.Change(nullptr), std::string(to), inode, std::string(from)};
    SimulatedDisk::Folder::Apply(change, &folder_.cache);
    folder_.unsynced.push_back(change);
  }
  disk_.TellObserver();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> SimulatedDirectory::List() {
  MutexLock lock(&disk_.mutex_);
  RETURN_IF_ERROR(Meet(Call::kList, ""));
  std::vector<std::string> names;
  for (const auto& [name, inode] : folder_.cache) names.push_back(name);
  const std::string within = absl::StrCat(folder_.path, "/");
  for (const auto& [path, folder] : disk_.folders_) {
    if (!path.starts_with(within)) continue;
    const std::string name = path.substr(within.size());
    if (name.find('/') == name.npos) names.push_back(name);
  }
  return names;
}

absl::Status SimulatedDirectory::Sync() {
  {
    MutexLock lock(&disk_.mutex_);
    RETURN_IF_ERROR(Meet(Call::kSyncDirectory, ""));
    for (const auto& change : folder_.unsynced) {
      SimulatedDisk::Folder::Apply(change, &folder_.device);
    }
    folder_.unsynced.clear();
    disk_.Change(nullptr);
  }
  disk_.TellObserver();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<File>> SimulatedDirectory::Lock(
    std::string_view name, std::string_view contents) {
  std::unique_ptr<File> file;
  bool is_new = false;
  {
    MutexLock lock(&disk_.mutex_);
    RETURN_IF_ERROR(Meet(Call::kLock, name));
    ASSIGN_OR_RETURN(InodePtr inode, Find(name));
    is_new = inode == nullptr;
    if (is_new) inode = Make(name);
    if (!disk_.locked_.insert(inode->number()).second) {
      return HeldByAnother(*inode, PathOf(name));
    }
    file = std::make_unique<SimulatedFile>(&disk_, inode, PathOf(name),
                                           /*writable=*/true,
                                           /*holds_lock=*/true);
    if (inode->cache() == contents) return file;
  }
  if (is_new) disk_.TellObserver();
  // The contents are information only.
  file->Truncate(0).IgnoreError();
  file->Write(0, contents).IgnoreError();
  return file;
}

// ---- Files ----

SimulatedFile::~SimulatedFile() {
  MutexLock lock(&disk_.mutex_);
  if (holds_lock_ && !disk_.IsDead(handle_.process())) {
    disk_.locked_.erase(inode_->number());
  }
}

absl::Status SimulatedFile::Meet(Call call, bool changes, Fault* met) const {
  RETURN_IF_ERROR(disk_.Meet(call, handle_.process(), path_, met));
  if (changes && !writable_) {
    return ErrnoStatus(EBADF, NameOf(call), path_);
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> SimulatedFile::Size() const {
  MutexLock lock(&disk_.mutex_);
  RETURN_IF_ERROR(Meet(Call::kSize, false));
  return inode_->cache().size();
}

absl::StatusOr<size_t> SimulatedFile::Read(uint64_t offset,
                                           absl::Span<char> to) const {
  MutexLock lock(&disk_.mutex_);
  RETURN_IF_ERROR(Meet(Call::kRead, false));
  const std::string& bytes = inode_->cache();
  if (offset >= bytes.size() || to.empty()) return 0;
  return bytes.copy(to.data(), to.size(), offset);
}

size_t SimulatedFile::ReadCached(uint64_t offset, absl::Span<char> to) const {
  return Read(offset, to).value_or(0);
}

absl::Status SimulatedFile::Write(uint64_t offset,
                                  absl::Span<const std::string_view> parts) {
  absl::Status status;
  {
    MutexLock lock(&disk_.mutex_);
    Fault met = Fault::kNone;
    const bool grows = offset + SizeOf(parts) > inode_->cache().size();
    status = Meet(grows ? Call::kExtend : Call::kOverwrite, true, &met);
    const bool cut =
        met == Fault::kWriteCutShort || met == Fault::kFullDiskMidWrite;
    if (!status.ok() && !cut) return status;
    if (SizeOf(parts) == 0) return status;
    const std::string half = cut ? HalfOf(parts) : std::string();
    const std::string_view half_part = half;
    if (cut) parts = absl::MakeConstSpan(&half_part, 1);
    inode_->Write(disk_.Change(inode_, SizesOf(parts)), offset, parts);
  }
  disk_.TellObserver();
  return status;
}

absl::Status SimulatedFile::Allocate(uint64_t offset, uint64_t size) {
  {
    MutexLock lock(&disk_.mutex_);
    if (!disk_.abilities_.allocates) {
      return ErrnoStatus(EOPNOTSUPP, "allocate", path_);
    }
    const bool grows = size != 0 && offset + size > inode_->cache().size();
    RETURN_IF_ERROR(Meet(grows ? Call::kAllocate : Call::kAllocateAgain, true));
    if (!grows) return absl::OkStatus();
    inode_->SetLength(disk_.Change(inode_), offset + size);
  }
  disk_.TellObserver();
  return absl::OkStatus();
}

absl::Status SimulatedFile::Truncate(uint64_t size) {
  {
    MutexLock lock(&disk_.mutex_);
    RETURN_IF_ERROR(Meet(Call::kTruncate, true));
    if (size == inode_->cache().size()) return absl::OkStatus();
    inode_->SetLength(disk_.Change(inode_), size);
  }
  disk_.TellObserver();
  return absl::OkStatus();
}

absl::Status SimulatedFile::SyncData() {
  {
    MutexLock lock(&disk_.mutex_);
    Fault met = Fault::kNone;
    const absl::Status status = Meet(Call::kSyncData, false, &met);
    if (met == Fault::kSyncRevertsPages) {
      inode_->RevertDirtyPages();
    } else if (met == Fault::kSyncLosesPages ||
               met == Fault::kSyncReportedLate) {
      inode_->LoseDirtyPages();
    }
    if (!status.ok() || met != Fault::kNone) return status;
    inode_->Sync();
    disk_.Change(nullptr);
  }
  disk_.TellObserver();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FileMapping>> SimulatedFile::Map(size_t size,
                                                                bool writable) {
  MutexLock lock(&disk_.mutex_);
  RETURN_IF_ERROR(Meet(Call::kMap, false));
  if (writable && !writable_) return ErrnoStatus(EACCES, "map", path_);
  return std::make_unique<SimulatedMapping>(&disk_, inode_, path_, size,
                                            writable);
}

// ---- Mappings ----

SimulatedMapping::SimulatedMapping(SimulatedDisk* disk,
                                   std::shared_ptr<SimulatedInode> inode,
                                   std::string_view path, size_t size,
                                   bool writable)
    : FileMapping(size == 0 ? nullptr : new char[size], size),
      handle_(disk),
      disk_(*disk),
      inode_(std::move(inode)),
      path_(path),
      writable_(writable) {
  if (size != 0) inode_->Attach(mutable_data(), size);
}

SimulatedMapping::~SimulatedMapping() {
  MutexLock lock(&disk_.mutex_);
  if (!disk_.IsDead(handle_.process())) inode_->Detach(data());
  delete[] data();
}

void SimulatedMapping::Store(size_t offset,
                             absl::Span<const std::string_view> parts) {
  {
    MutexLock lock(&disk_.mutex_);
    if (disk_.IsDead(handle_.process())) return;
    const size_t end = offset + SizeOf(parts);
    DieUnless(writable_ && end <= size() && end <= inode_->cache().size(),
              "a store to a page that is not there");
    inode_->Write(disk_.Change(inode_, SizesOf(parts)), offset, parts);
  }
  disk_.TellObserver();
}

void SimulatedMapping::Populate(size_t offset, size_t size) {
  DieUnless(offset <= this->size() && size <= this->size() - offset,
            "pages beyond a mapping");
}

absl::Status SimulatedMapping::MakeReadOnly() {
  MutexLock lock(&disk_.mutex_);
  RETURN_IF_ERROR(disk_.Meet(Call::kMakeReadOnly, handle_.process(), path_));
  writable_ = false;
  return absl::OkStatus();
}

}  // namespace stave
