#ifndef STAVE_ENGINE_CORE_CHECKPOINT_KEEPER_H_
#define STAVE_ENGINE_CORE_CHECKPOINT_KEEPER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <thread>

#include "engine/base/mutex.h"
#include "engine/core/state.h"
#include "engine/fs/file_system.h"
#include "engine/log/log.h"
#include "engine/log/manifest.h"

namespace stave {

// The keydir checkpoints of a store that is open for writing: writes one each
// so many bytes of log and merges' output, in a thread of its own or, without
// background threads, in the writer's, and one at Close; each takes the place
// of the last one, once it is on the device. Nothing depends on any of them, so
// errors are nobody's business. Thread-safe.
class CheckpointKeeper {
 public:
  // What Open has found, and left.
  struct Found {
    uint64_t last_generation = 0;  // the greatest that there was
    // The one that was read; if none was, one for the other kind of keydir,
    // which is there until the next is written.
    std::optional<uint64_t> kept;
    uint64_t uncovered_bytes = 0;  // of segments that were not covered
  };
  struct Settings {
    Directory* directory = nullptr;
    Manifest* manifest = nullptr;
    State* state = nullptr;
    Log* log = nullptr;
    // What the log and merges have written since the store was opened.
    std::function<uint64_t()> written_bytes;
    uint64_t min_keys = 0;
    uint64_t interval_bytes = 0;
    size_t threads_at_close = 1;
    bool background_threads = true;
  };

  CheckpointKeeper(Settings settings, const Found& found);
  ~CheckpointKeeper() { Stop(); }

  // Log's hook, without any of its locks: a segment was sealed.
  void OnSeal();

  // After a write, without any lock: writes one if it is due and that is the
  // writer's work.
  void RunIfDue() {
    if (due_.load(std::memory_order_relaxed)) [[unlikely]]
      if (!settings_.background_threads) WriteIfDue();
  }

  // Ends the thread, and a checkpoint that is being written.
  void Stop();

  // Whether the next open would have to read much that no checkpoint covers.
  bool IsWantedAtClose() const;
  // After the log was closed, if that is so.
  void WriteAtClose();

  // Those that were written since the store was opened.
  uint64_t written() const { return written_; }

 private:
  // How many bytes there may be until the next one.
  uint64_t Interval() const;
  // About what one takes: how much long keys do, the last one tells.
  uint64_t CheckpointBytes() const;
  // Whether there is enough to be kept.
  bool HasKeys() const;
  uint64_t UncoveredBytes() const;
  void Run();
  void WriteIfDue();
  void Write(size_t threads, const std::atomic<bool>& cancelled);

  const Settings settings_;

  std::atomic<bool> due_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> last_bytes_{0};  // of the last one that was written
  // Counted from the last checkpoint on: what it does not cover is
  // uncovered_then_, and all that was written after written_then_.
  std::atomic<uint64_t> uncovered_then_{0};
  std::atomic<uint64_t> written_then_{0};
  // After a failure the next try is when so much has been written.
  std::atomic<uint64_t> not_before_{0};

  Mutex write_mutex_;  // held by the one who writes
  uint64_t last_generation_ ABSL_GUARDED_BY(write_mutex_) = 0;
  std::optional<uint64_t> last_ ABSL_GUARDED_BY(write_mutex_);

  Mutex mutex_;
  CondVar wake_;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_CHECKPOINT_KEEPER_H_
