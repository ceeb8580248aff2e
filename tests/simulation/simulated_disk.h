#ifndef STAVE_TESTS_SIMULATION_SIMULATED_DISK_H_
#define STAVE_TESTS_SIMULATION_SIMULATED_DISK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/mutex.h"
#include "engine/fs/file_system.h"
#include "tests/simulation/fault.h"
#include "tests/simulation/simulated_inode.h"

namespace stave {

// Files in memory, with the page cache and the device apart: what is written,
// stored, allocated and cut is on the device once its file was synced; names
// that are made, changed and removed are once their directory was. Syncing a
// file does not make its name durable.
//
//   SimulatedDisk disk;
//   options.file_system = &disk;
//   Store::Open(SimulatedDisk::kPath, options)
//   ...
//   SimulatedDisk after(disk.AfterPowerLoss(Writeback()));
//
// The same calls always have the same results. Thread-safe. Outlives its
// directories, files and mappings.
class SimulatedDisk : public FileSystem {
 public:
  // A directory, there from the beginning, whose files the images are of.
  static constexpr char kPath[] = "/store";
  using Image = std::map<std::string, std::string>;

  // What the disk was last asked to change. Null `inode`: names alone.
  struct LastChange {
    ChangeTime time = kNothing;
    std::shared_ptr<const SimulatedInode> inode;
    std::vector<size_t> part_sizes;  // of what was written
  };

  // What kind of file system it is.
  struct Abilities {
    bool mapped_appends = true;  // Directory::SupportsMappedAppends
    bool allocates = true;       // else File::Allocate is Unimplemented
    bool links = true;           // else Directory::Link is
  };

  // `image` is on the device.
  explicit SimulatedDisk(Image image = {}) : SimulatedDisk(image, {}) {}
  SimulatedDisk(Image image, Abilities abilities);
  ~SimulatedDisk() override;

  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view path) override;
  absl::Status CreateDirectory(std::string_view path) override;

  Abilities abilities() const { return abilities_; }

  // ---- Crashes ----
  // Runs after each change and each sync, without a lock.
  void Observe(std::function<void()> observer) {
    observer_ = std::move(observer);
  }
  LastChange last_change() const;

  // A disk in the same state, which no process has opened.
  std::unique_ptr<SimulatedDisk> Copy() const;

  // What a process finds that comes after the present one was killed.
  Image AfterKill() const;
  // What is there when the power comes back.
  Image AfterPowerLoss(const Writeback& writeback) const;

  // Inodes that have unsynced changes, and the times of unsynced names.
  std::vector<std::shared_ptr<const SimulatedInode>> DirtyInodes() const;
  std::vector<ChangeTime> UnsyncedNames() const;

  // Whether pages of some file are clean, but not on the device.
  bool has_lost_pages() const;

  // The process is gone: its directories, files and mappings have no effect
  // any more, its locks are free. The page cache stays.
  void Kill();
  // Writing back all dirty pages fails, and nobody is told.
  void LoseDirtyPages();

  // ---- Faults ----
  // Calls so far, by their kind, in order.
  const std::vector<Call>& calls() const { return calls_; }
  // Of the calls to come, the one of number `nth`, counted from 0, meets the
  // fault; with `sticky` all others after it that it applies to, too.
  void Break(Fault fault, uint64_t nth, bool sticky);
  void Heal();
  // While it looks away no call meets the fault, and none is counted: for who
  // has to read what a store shows that reads by calls.
  void LookAway(bool away);
  // Whether a call met the fault.
  bool fault_was_met() const { return fault_was_met_; }
  // Whether that was only in files that can be done without: hints.
  bool only_hints_met_it() const { return only_hints_met_it_; }

  // Directories, files and mappings of the present process.
  int open_handles() const { return open_handles_; }

 private:
  friend class SimulatedDirectory;
  friend class SimulatedFile;
  friend class SimulatedHandle;
  friend class SimulatedMapping;
  struct Folder;
  using InodePtr = std::shared_ptr<SimulatedInode>;

  // Of a process that was killed since it opened something.
  bool IsDead(uint64_t process) const { return process != process_; }
  // What becomes of a call that begins now; OK unless it meets a fault.
  absl::Status Meet(Call call, uint64_t process, std::string_view file,
                    Fault* met = nullptr) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Notes a change; the caller tells the observer when it has left the lock.
  ChangeTime Change(const InodePtr& inode, std::vector<size_t> part_sizes = {})
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellObserver() {
    if (observer_ != nullptr) observer_();
  }

  const Abilities abilities_;
  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<Folder>, std::less<>> folders_
      ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<SimulatedInode>> inodes_ ABSL_GUARDED_BY(mutex_);
  std::set<uint64_t> locked_ ABSL_GUARDED_BY(mutex_);
  LastChange last_change_ ABSL_GUARDED_BY(mutex_);
  uint64_t process_ = 1;
  int open_handles_ = 0;
  std::function<void()> observer_;

  std::vector<Call> calls_;
  Fault fault_ = Fault::kNone;
  uint64_t fault_from_ = 0;
  bool sticky_ = false;
  bool looks_away_ = false;
  bool fault_was_met_ = false;
  bool only_hints_met_it_ = true;
};

}  // namespace stave

#endif  // STAVE_TESTS_SIMULATION_SIMULATED_DISK_H_
