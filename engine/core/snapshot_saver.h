#ifndef STAVE_ENGINE_CORE_SNAPSHOT_SAVER_H_
#define STAVE_ENGINE_CORE_SNAPSHOT_SAVER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/mutex.h"
#include "engine/base/periodic_thread.h"
#include "engine/base/types.h"
#include "engine/fs/file_system.h"
#include "stave/iterator.h"
#include "stave/options.h"

namespace stave {

// Saves a store to snapshot files: Store::SaveSnapshot, and the thread of
// Options::snapshot_file. What it saves is what an iterator visits, so nothing
// waits for it, and its memory does not grow with the store. Thread-safe.
class SnapshotSaver {
 public:
  struct Settings {
    FileSystem* file_system = nullptr;
    Clock* clock = nullptr;
    std::function<absl::StatusOr<std::unique_ptr<Iterator>>()> new_iterator;
    // The last put or delete.
    std::function<Sequence()> last_change;
    // Whether space is not to be left to others. Asked by the thread alone.
    std::function<bool()> may_take_space;
    const std::atomic<bool>* closed = nullptr;  // ends a save under way
  };
  struct Counters {
    uint64_t saved = 0;
    uint64_t failed = 0;
    std::string error;  // of the last one, if it failed
  };

  explicit SnapshotSaver(Settings settings) : settings_(std::move(settings)) {}

  // As Store::SaveSnapshot.
  absl::Status Save(std::string_view path, SnapshotFormat format);

  // Removes what is left of a save that was cut short, and starts the thread.
  // InvalidArgument for a path that no save can ever go to, as one by a link to
  // the store; whatever else is wrong there may be right by then. To be called
  // once.
  absl::Status Start(std::string_view path, SnapshotFormat format,
                     absl::Duration interval);

  // Once the store is closed: waits for the end of a save, and of the thread.
  // From then on there are none.
  void Stop();

  Counters counters() const;

 private:
  // The thread's work.
  void SaveIfChanged(std::string_view path, SnapshotFormat format);
  absl::Status SaveNow(std::string_view path, SnapshotFormat format);
  void Count(const absl::Status& status);
  // Cancelled once the store is closed.
  absl::Status CheckOpen() const;

  const Settings settings_;
  Mutex save_mutex_;  // held by the one who saves
  mutable Mutex counters_mutex_;
  Counters counters_ ABSL_GUARDED_BY(counters_mutex_);
  // What the file has that the thread has saved; the thread's.
  std::optional<Sequence> saved_sequence_;
  std::unique_ptr<PeriodicThread> thread_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_SNAPSHOT_SAVER_H_
