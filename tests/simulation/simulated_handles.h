#ifndef STAVE_TESTS_SIMULATION_SIMULATED_HANDLES_H_
#define STAVE_TESTS_SIMULATION_SIMULATED_HANDLES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/fs/file_system.h"
#include "tests/simulation/simulated_disk.h"
#include "tests/simulation/simulated_inode.h"

namespace stave {

// A directory's names, in the cache and on the device.
struct SimulatedDisk::Folder {
  struct NameChange {
    ChangeTime time;
    std::string name;
    InodePtr inode;        // null: the name was removed
    std::string old_name;  // that the file had until then; may be empty
  };
  using Names = std::map<std::string, InodePtr, std::less<>>;

  static void Apply(const NameChange& change, Names* names);

  std::string path;
  Names cache;
  Names device;
  std::vector<NameChange> unsynced;
};

// Counts what a process has open.
class SimulatedHandle {
 public:
  explicit SimulatedHandle(SimulatedDisk* disk);
  SimulatedHandle(const SimulatedHandle&) = delete;
  ~SimulatedHandle();

  SimulatedDisk& disk() const { return disk_; }
  uint64_t process() const { return process_; }

 private:
  SimulatedDisk& disk_;
  const uint64_t process_;
};

class SimulatedDirectory : public Directory {
 public:
  SimulatedDirectory(SimulatedDisk* disk, SimulatedDisk::Folder* folder,
                     std::string_view path)
      : handle_(disk), disk_(*disk), folder_(*folder), path_(path) {}

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
    return disk_.abilities_.mapped_appends;
  }
  const std::string& path() const override { return path_; }

 private:
  using InodePtr = SimulatedDisk::InodePtr;

  std::string PathOf(std::string_view name) const;
  absl::Status Meet(Call call, std::string_view name, Fault* met = nullptr)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(disk_.mutex_);
  // Null if there is none; an error if something else has the name.
  absl::StatusOr<InodePtr> Find(std::string_view name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(disk_.mutex_);
  InodePtr Make(std::string_view name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(disk_.mutex_);
  void Name(std::string_view name, const InodePtr& inode)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(disk_.mutex_);

  const SimulatedHandle handle_;
  SimulatedDisk& disk_;
  SimulatedDisk::Folder& folder_;
  const std::string path_;
};

class SimulatedFile : public File {
 public:
  SimulatedFile(SimulatedDisk* disk, std::shared_ptr<SimulatedInode> inode,
                std::string path, bool writable, bool holds_lock)
      : handle_(disk),
        disk_(*disk),
        inode_(std::move(inode)),
        path_(std::move(path)),
        writable_(writable),
        holds_lock_(holds_lock) {}
  ~SimulatedFile() override;

  using File::Write;
  absl::StatusOr<uint64_t> Size() const override;
  absl::StatusOr<size_t> Read(uint64_t offset,
                              absl::Span<char> to) const override;
  size_t ReadCached(uint64_t offset, absl::Span<char> to) const override;
  absl::Status Write(uint64_t offset,
                     absl::Span<const std::string_view> parts) override;
  absl::Status Allocate(uint64_t offset, uint64_t size) override;
  absl::Status Truncate(uint64_t size) override;
  absl::Status SyncData() override;
  absl::StatusOr<std::unique_ptr<FileMapping>> Map(size_t size,
                                                   bool writable) override;

 private:
  absl::Status Meet(Call call, bool changes, Fault* met = nullptr) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(disk_.mutex_);
  absl::Status FailSync(Fault fault)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(disk_.mutex_);

  const SimulatedHandle handle_;
  SimulatedDisk& disk_;
  const std::shared_ptr<SimulatedInode> inode_;
  const std::string path_;
  const bool writable_;
  const bool holds_lock_;
};

class SimulatedMapping : public FileMapping {
 public:
  SimulatedMapping(SimulatedDisk* disk, std::shared_ptr<SimulatedInode> inode,
                   std::string_view path, size_t size, bool writable);
  ~SimulatedMapping() override;

  void Store(size_t offset, absl::Span<const std::string_view> parts) override;
  void Populate(size_t offset, size_t size) override;
  absl::Status MakeReadOnly() override;

 private:
  const SimulatedHandle handle_;
  SimulatedDisk& disk_;
  const std::shared_ptr<SimulatedInode> inode_;
  const std::string path_;
  bool writable_;
};

}  // namespace stave

#endif  // STAVE_TESTS_SIMULATION_SIMULATED_HANDLES_H_
