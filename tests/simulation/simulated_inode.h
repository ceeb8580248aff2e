#ifndef STAVE_TESTS_SIMULATION_SIMULATED_INODE_H_
#define STAVE_TESTS_SIMULATION_SIMULATED_INODE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace stave {

// The number of a change, in the order in which a disk's files were changed.
using ChangeTime = uint64_t;
inline constexpr ChangeTime kNothing = 0;
inline constexpr ChangeTime kEverything =
    std::numeric_limits<ChangeTime>::max();

// Which of the changes that were not synced had reached the device when the
// power failed.
struct Writeback {
  // None of them.
  static Writeback OfNothing() {
    return {.data = [](uint64_t, uint64_t) { return kNothing; },
            .length = [](uint64_t) { return kNothing; },
            .name = [](ChangeTime) { return false; }};
  }

  // Changes up to this time to a sector of a file, and to the file's length.
  std::function<ChangeTime(uint64_t inode, uint64_t sector)> data =
      [](uint64_t, uint64_t) { return kEverything; };
  std::function<ChangeTime(uint64_t inode)> length = [](uint64_t) {
    return kEverything;
  };
  // Whether the name made, changed or removed at this time was.
  std::function<bool(ChangeTime)> name = [](ChangeTime) { return true; };
  // Of the bytes written at `cut_time` only so many.
  ChangeTime cut_time = kNothing;
  size_t cut_bytes = 0;
  // What is found where a write made a file longer, and the length reached the
  // device, but the bytes did not. 0: zeros; else garbage, of this seed.
  uint64_t garbage = 0;
};

// A file: its bytes in the page cache and its bytes on the device, and the
// changes between the two. Thread-compatible.
class SimulatedInode {
 public:
  static constexpr uint64_t kSectorBytes = 512;
  static constexpr uint64_t kPageBytes = 4096;

  // Bytes written, a new length, or both.
  struct Change {
    ChangeTime time;
    uint64_t offset;
    std::string bytes;
    uint64_t length;  // of the file afterwards
  };

  // A clean file.
  SimulatedInode(uint64_t number, std::string bytes)
      : number_(number), cache_(bytes), device_(std::move(bytes)) {}

  // The same file, without its mappings.
  std::shared_ptr<SimulatedInode> Copy() const;

  uint64_t number() const { return number_; }
  const std::string& cache() const { return cache_; }
  const std::string& device() const { return device_; }
  const std::vector<Change>& unsynced() const { return unsynced_; }

  void Write(ChangeTime time, uint64_t offset,
             absl::Span<const std::string_view> parts);
  void SetLength(ChangeTime time, uint64_t length);

  void Sync();
  // What file systems do to dirty pages whose writing back has failed: marked
  // clean, though the device doesn't have them, they stay in the cache, or
  // get the device's bytes back.
  void LoseDirtyPages();
  void RevertDirtyPages();
  bool has_lost_pages() const { return !lost_sectors_.empty(); }

  std::string AfterPowerLoss(const Writeback& writeback) const;

  // A mapping's bytes, kept equal to the cache. What lies behind the end of
  // the file is not to be looked at, and looks like nothing on earth.
  void Attach(char* bytes, size_t size);
  void Detach(const char* bytes);
  void DetachAll() { windows_.clear(); }

 private:
  static constexpr char kUntouchable = '\xee';

  struct Window {
    char* bytes;
    size_t size;
  };

  // As the device sees it.
  static void Apply(const Change& change, std::string* bytes);
  void WriteLostSectorsAgain(ChangeTime time, uint64_t offset, uint64_t size);
  void Resize(uint64_t length);
  void Refresh(const Window& window, uint64_t offset, uint64_t size) const;
  void RefreshAll(uint64_t offset, uint64_t size) const;

  const uint64_t number_;
  std::string cache_;
  std::string device_;
  std::vector<Change> unsynced_;
  std::set<uint64_t> lost_sectors_;
  std::vector<Window> windows_;
};

}  // namespace stave

#endif  // STAVE_TESTS_SIMULATION_SIMULATED_INODE_H_
