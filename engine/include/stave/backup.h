#ifndef STAVE_BACKUP_H_
#define STAVE_BACKUP_H_

#include <cstdint>
#include <functional>

namespace stave {

// How far a backup is with what it adds. Each of these bytes is read once, to
// be checked; those of segments that can't be shared are copied before that,
// and count twice.
struct BackupProgress {
  uint64_t bytes = 0;
  uint64_t total_bytes = 0;
};

struct BackupOptions {
  // Called now and then by the thread that makes the backup, unless there is
  // nothing to add. It may call the store, but neither Backup nor Close, which
  // would wait for the backup's end.
  std::function<void(const BackupProgress&)> progress = nullptr;
};

}  // namespace stave

#endif  // STAVE_BACKUP_H_
