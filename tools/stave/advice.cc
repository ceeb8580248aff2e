#include "tools/stave/advice.h"

#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/str_format.h"
#include "tools/stave/human_units.h"

namespace stave::tool {
namespace {

// Little space is less than this part of the file system, and less than twice
// what the store takes: merges copy before they free.
constexpr uint64_t kLittleSpace = 10;
// A process has files of its own, and an open store some beside its segments.
constexpr uint64_t kOtherDescriptors = 64;
// Of a smaller keydir the processor's tables cover enough without huge pages.
constexpr uint64_t kLargeKeydirBytes = uint64_t{16} << 20;

std::string Bytes(uint64_t bytes) {
  return HumanBytes(static_cast<double>(bytes));
}

template <typename Value>
std::optional<Value> ReadFirst(const char* path) {
  std::ifstream file(path);
  Value value;
  if (!(file >> value)) return std::nullopt;
  return value;
}

// The chosen word of "always [madvise] never".
std::optional<std::string> HugePageMode() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  for (std::string word; file >> word;) {
    if (word.front() == '[' && word.back() == ']') {
      return word.substr(1, word.size() - 2);
    }
  }
  return std::nullopt;
}

bool IsRemote(uint64_t type) {
  for (const uint64_t remote :
       {uint64_t{NFS_SUPER_MAGIC}, uint64_t{SMB_SUPER_MAGIC},
        uint64_t{CIFS_SUPER_MAGIC}, uint64_t{SMB2_SUPER_MAGIC},
        uint64_t{V9FS_MAGIC}, uint64_t{AFS_SUPER_MAGIC},
        uint64_t{CEPH_SUPER_MAGIC}}) {
    if (type == remote) return true;
  }
  return false;
}

std::string AboutFileSystem(uint64_t type) {
  if (IsRemote(type)) {
    return "The store is on a network file system. Its locks and syncs are no "
           "better than the server's, and a lost connection ends a process "
           "that reads; a local disk with ext4 or xfs is safe, and faster.";
  }
  switch (type) {
    case TMPFS_MAGIC:
      return "The store is in memory (tmpfs): it is gone when the machine "
             "stops.";
    case FUSE_SUPER_MAGIC:
      return "The store is on a FUSE file system: what a sync is worth there "
             "depends on the program behind it.";
    case OVERLAYFS_SUPER_MAGIC:
      return "The store is on an overlay, as that of a container: it may be "
             "gone with it. A mounted volume stays.";
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
      return "";
    default:
      return "The store is on neither ext4 nor xfs: records are written by "
             "system calls then, which makes small puts several times slower.";
  }
}

}  // namespace

Surroundings LookAround(const std::string& store_directory) {
  Surroundings around;
  struct statvfs space;
  if (statvfs(store_directory.c_str(), &space) == 0 && space.f_blocks > 0) {
    around.space = {space.f_blocks * space.f_frsize,
                    space.f_bavail * space.f_frsize};
  }
  struct statfs about;
  if (statfs(store_directory.c_str(), &about) == 0) {
    // Some systems widen it with a sign.
    around.file_system_type = static_cast<uint32_t>(about.f_type);
  }
  rlimit descriptors;
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
    around.descriptor_limit = descriptors.rlim_cur;
  }
  around.mapping_limit = ReadFirst<uint64_t>("/proc/sys/vm/max_map_count");
  around.huge_page_mode = HugePageMode();
  return around;
}

std::vector<std::string> AdviceFor(const Surroundings& around,
                                   const Statistics& statistics) {
  std::vector<std::string> advice;
  if (statistics.latched) {
    advice.push_back(
        "A sync failed, so nothing can be written any more: look at the "
        "device, then open the store again.");
  }
  if (around.space.has_value()) {
    const uint64_t left = around.space->available_bytes;
    if (left < around.space->bytes / kLittleSpace &&
        left < 2 * std::max<uint64_t>(statistics.disk_bytes, 1 << 20)) {
      advice.push_back(absl::StrFormat(
          "The file system has %s left of %s. When it is full, puts fail; "
          "deletes and reads go on, and merges need space before they give "
          "some back.",
          Bytes(left), Bytes(around.space->bytes)));
    }
  }
  if (around.descriptor_limit.has_value() &&
      *around.descriptor_limit <
          statistics.open_segment_files + kOtherDescriptors) {
    advice.push_back(absl::StrFormat(
        "A process may have %d open files (ulimit -n); the store wants about "
        "%d.",
        *around.descriptor_limit,
        statistics.open_segment_files + kOtherDescriptors));
  }
  if (around.mapping_limit.has_value() &&
      *around.mapping_limit < 2 * statistics.mappings) {
    advice.push_back(absl::StrFormat(
        "The store maps %s files, and the system allows a process %s mappings "
        "(vm.max_map_count): raise that, or segment_size_bytes.",
        HumanCount(statistics.mappings), HumanCount(*around.mapping_limit)));
  }
  if (around.huge_page_mode == "never" &&
      statistics.keydir_bytes >= kLargeKeydirBytes) {
    advice.push_back(
        "Transparent huge pages are off. With them writes are up to twice as "
        "fast: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
  }
  if (around.file_system_type.has_value()) {
    std::string about = AboutFileSystem(*around.file_system_type);
    if (!about.empty()) advice.push_back(std::move(about));
  }
  return advice;
}

}  // namespace stave::tool
