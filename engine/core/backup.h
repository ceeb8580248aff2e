#ifndef STAVE_ENGINE_CORE_BACKUP_H_
#define STAVE_ENGINE_CORE_BACKUP_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/state.h"
#include "engine/fs/file_system.h"
#include "engine/log/manifest.h"
#include "engine/log/segment.h"
#include "stave/backup.h"

namespace stave {

// A store at one instant: its segments, in their order, up to where they
// reached then. Holding them keeps merges from unlinking their files.
struct StoreInstant {
  struct Part {
    std::shared_ptr<Segment> segment;
    uint64_t end = 0;
  };
  std::vector<Part> parts;
  // That knows which of them are sealed. It may be from a moment earlier.
  ManifestState manifest;
  int64_t now_ms = 0;
};

// Makes the backup in directory `path` the store at `instant`, or leaves it as
// it was (Store::Backup has the contract).
//
// Sealed segments never change, so they are linked; where that can't be done,
// they are copied. Either way the file in the backup is then read, and must be
// what the manifest says. The others' records are copied into a segment of the
// backup's own, as a merge copies them, with an id that the store itself will
// never use: the next backup has the sealed segment in its place.
//
// `cancelled` may become true meanwhile, and ends it.
absl::Status WriteBackup(const State& state, Directory* source,
                         StoreInstant instant, FileSystem* file_system,
                         std::string_view path, const BackupOptions& options,
                         const std::atomic<bool>& cancelled);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_BACKUP_H_
