#include "tests/simulation/simulated_disk.h"

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/fs/errno_status.h"
#include "tests/simulation/simulated_handles.h"

namespace stave {
namespace {

int ErrnoOf(Fault fault) {
  switch (fault) {
    case Fault::kDiskFull:
    case Fault::kFullDiskMidWrite:
      return ENOSPC;
    case Fault::kQuotaExceeded:
      return EDQUOT;
    case Fault::kTooManyFiles:
      return EMFILE;
    default:
      return EIO;
  }
}

// Hint files and keydir checkpoints.
bool IsOnlyForSpeed(std::string_view path) {
  return path.ends_with(".hint") || path.find("KEYDIR-") != path.npos;
}

}  // namespace

SimulatedDisk::SimulatedDisk(Image image, Abilities abilities)
    : abilities_(abilities) {
  auto folder = std::make_unique<Folder>();
  folder->path = kPath;
  for (auto& [name, bytes] : image) {
    auto inode =
        std::make_shared<SimulatedInode>(inodes_.size(), std::move(bytes));
    inodes_.push_back(inode);
    folder->cache.emplace(name, inode);
    folder->device.emplace(name, std::move(inode));
  }
  folders_.emplace(kPath, std::move(folder));
}

SimulatedDisk::~SimulatedDisk() = default;

absl::StatusOr<std::unique_ptr<Directory>> SimulatedDisk::OpenDirectory(
    std::string_view path) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Meet(Call::kOpenDirectory, process_, path));
  const auto found = folders_.find(path);
  if (found != folders_.end()) {
    return std::make_unique<SimulatedDirectory>(this, found->second.get(),
                                                path);
  }
  const size_t slash = path.rfind('/');
  const auto parent = folders_.find(path.substr(0, slash));
  if (parent != folders_.end() &&
      parent->second->cache.contains(path.substr(slash + 1))) {
    return absl::InvalidArgumentError(
        absl::StrCat(ToAbsl(path), " is not a directory"));
  }
  return ErrnoStatus(ENOENT, "open", path);
}

absl::Status SimulatedDisk::CreateDirectory(std::string_view path) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Meet(Call::kCreateDirectory, process_, path));
  const size_t slash = path.rfind('/');
  const auto parent = folders_.find(path.substr(0, slash));
  // Names without a directory lie beside the store's.
  if (slash != 0 && parent == folders_.end()) {
    return ErrnoStatus(ENOENT, "create directory", path);
  }
  const bool exists = folders_.contains(path) ||
                      (parent != folders_.end() &&
                       parent->second->cache.contains(path.substr(slash + 1)));
  if (exists) return ErrnoStatus(EEXIST, "create directory", path);
  auto folder = std::make_unique<Folder>();
  folder->path = path;
  folders_.emplace(path, std::move(folder));
  return absl::OkStatus();
}

SimulatedDisk::LastChange SimulatedDisk::last_change() const {
  MutexLock lock(&mutex_);
  return last_change_;
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::Copy() const {
  auto copy = std::make_unique<SimulatedDisk>(Image(), abilities_);
  MutexLock lock(&mutex_);
  MutexLock lock_copy(&copy->mutex_);
  std::vector<InodePtr> inodes;
  for (const InodePtr& inode : inodes_) inodes.push_back(inode->Copy());
  const auto copied = [&](const InodePtr& inode) {
    return inode == nullptr ? nullptr : inodes[inode->number()];
  };
  Folder& to = *copy->folders_.at(kPath);
  const Folder& from = *folders_.at(kPath);
  for (const auto& [name, inode] : from.cache) to.cache[name] = copied(inode);
  for (const auto& [name, inode] : from.device) to.device[name] = copied(inode);
  for (const auto& change : from.unsynced) {
    to.unsynced.push_back(
        {change.time, change.name, copied(change.inode), change.old_name});
  }
  copy->inodes_ = inodes;
  copy->last_change_.time = last_change_.time;
  return copy;
}

SimulatedDisk::Image SimulatedDisk::AfterKill() const {
  MutexLock lock(&mutex_);
  Image image;
  for (const auto& [name, inode] : folders_.at(kPath)->cache) {
    image.emplace(name, inode->cache());
  }
  return image;
}

SimulatedDisk::Image SimulatedDisk::AfterPowerLoss(
    const Writeback& writeback) const {
  MutexLock lock(&mutex_);
  const Folder& folder = *folders_.at(kPath);
  Folder::Names names = folder.device;
  for (const Folder::NameChange& change : folder.unsynced) {
    if (writeback.name(change.time)) Folder::Apply(change, &names);
  }
  Image image;
  for (const auto& [name, inode] : names) {
    image.emplace_hint(image.end(), name, inode->AfterPowerLoss(writeback));
  }
  return image;
}

std::vector<std::shared_ptr<const SimulatedInode>> SimulatedDisk::DirtyInodes()
    const {
  MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<const SimulatedInode>> dirty;
  for (const auto& [name, inode] : folders_.at(kPath)->cache) {
    if (!inode->unsynced().empty()) dirty.push_back(inode);
  }
  return dirty;
}

std::vector<ChangeTime> SimulatedDisk::UnsyncedNames() const {
  MutexLock lock(&mutex_);
  std::vector<ChangeTime> times;
  for (const auto& change : folders_.at(kPath)->unsynced) {
    times.push_back(change.time);
  }
  return times;
}

bool SimulatedDisk::has_lost_pages() const {
  MutexLock lock(&mutex_);
  for (const auto& [name, inode] : folders_.at(kPath)->cache) {
    if (inode->has_lost_pages()) return true;
  }
  return false;
}

void SimulatedDisk::Kill() {
  MutexLock lock(&mutex_);
  ++process_;
  open_handles_ = 0;
  locked_.clear();
  for (const auto& inode : inodes_) inode->DetachAll();
}

void SimulatedDisk::LoseDirtyPages() {
  MutexLock lock(&mutex_);
  for (const auto& inode : inodes_) inode->LoseDirtyPages();
}

void SimulatedDisk::Break(Fault fault, uint64_t nth, bool sticky) {
  MutexLock lock(&mutex_);
  fault_ = fault;
  fault_from_ = calls_.size() + nth;
  sticky_ = sticky;
  fault_was_met_ = false;
  only_hints_met_it_ = true;
}

void SimulatedDisk::LookAway(bool away) {
  MutexLock lock(&mutex_);
  looks_away_ = away;
}

void SimulatedDisk::Heal() {
  MutexLock lock(&mutex_);
  fault_ = Fault::kNone;
}

absl::Status SimulatedDisk::Meet(Call call, uint64_t process,
                                 std::string_view path, Fault* met) {
  if (IsDead(process)) return absl::InternalError("the process was killed");
  if (looks_away_) return absl::OkStatus();
  const uint64_t number = calls_.size();
  calls_.push_back(call);
  if (fault_ == Fault::kNone || number < fault_from_) return absl::OkStatus();
  if (fault_ == Fault::kSyncReportedLate && call == Call::kSyncData &&
      number > fault_from_ && fault_was_met_) {
    // The error of the sync before, and all that is dirty now goes its way.
    if (!sticky_) fault_ = Fault::kNone;
    *met = Fault::kSyncLosesPages;
    return ErrnoStatus(EIO, NameOf(call), path);
  }
  if (!Applies(fault_, call) || (number > fault_from_ && !sticky_)) {
    return absl::OkStatus();
  }
  fault_was_met_ = true;
  only_hints_met_it_ = only_hints_met_it_ && IsOnlyForSpeed(path);
  if (met != nullptr) *met = fault_;
  if (fault_ == Fault::kSyncReportedLate) return absl::OkStatus();
  return ErrnoStatus(ErrnoOf(fault_), NameOf(call), path);
}

ChangeTime SimulatedDisk::Change(const InodePtr& inode,
                                 std::vector<size_t> part_sizes) {
  const ChangeTime time = last_change_.time + 1;
  last_change_ = {time, inode, std::move(part_sizes)};
  return time;
}

}  // namespace stave
