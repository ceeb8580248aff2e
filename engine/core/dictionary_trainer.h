#ifndef STAVE_ENGINE_CORE_DICTIONARY_TRAINER_H_
#define STAVE_ENGINE_CORE_DICTIONARY_TRAINER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/mutex.h"
#include "engine/base/types.h"
#include "engine/core/state.h"
#include "engine/format/compression.h"
#include "engine/format/dictionary.h"
#include "engine/fs/file_system.h"
#include "engine/log/log.h"
#include "engine/log/manifest.h"
#include "stave/options.h"

namespace stave {

// Gives a store that is open for writing its dictionary, if the options want
// one and it has none yet: looks at what segments hold once they are sealed, so
// that a put costs nothing, until there is enough to learn from; then
//
//  1. learns a dictionary from most of it, and sees on the rest of it whether
//     it is worth anything,
//  2. writes its file,
//  3. lists it in the manifest,
//  4. has the compressor use it.
//
// So what a record needs is on the device before the record is made. All of
// this is the work of a thread of its own, which ends with it, or, without
// background threads, of a writer. Where nothing comes of it, values are stored
// as before, and it is tried again when the log has become twice as long.
// Thread-safe.
class DictionaryTrainer {
 public:
  struct Settings {
    Directory* directory = nullptr;
    Manifest* manifest = nullptr;
    State* state = nullptr;
    Log* log = nullptr;
    Compressor* compressor = nullptr;
  };

  // Has the compressor use the dictionary that there is.
  DictionaryTrainer(const Settings& settings, const Options& options);
  ~DictionaryTrainer() { Stop(); }

  // Log's hook, without any of its locks: this segment was sealed.
  void OnSeal(SegmentId id);

  // After a write, without any lock: does what is due if that is the writer's
  // work.
  void RunIfDue() {
    if (due_.load(std::memory_order_relaxed) != 0) [[unlikely]]
      if (!options_.background_threads) LookAtSealed();
  }

  // Ends the thread; nothing is done from here on.
  void Stop();

 private:
  void Run();
  void LookAtSealed();
  void Sample(Segment* segment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(work_mutex_);
  // NotFound if there is nothing to learn that is worth it.
  absl::StatusOr<std::unique_ptr<const Dictionary>> Learn() const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(work_mutex_);
  absl::Status Install(std::unique_ptr<const Dictionary> dictionary);

  const Settings settings_;
  const Options options_;

  std::atomic<bool> wanted_{false};
  std::atomic<bool> stopping_{false};
  // The last segment that was sealed, if it was not looked at yet; else 0.
  std::atomic<SegmentId> due_{0};

  Mutex work_mutex_;  // held by the one who does the work
  // Values, one behind another.
  std::string samples_ ABSL_GUARDED_BY(work_mutex_);
  std::vector<size_t> sizes_ ABSL_GUARDED_BY(work_mutex_);
  // Segments up to this one have been looked at.
  SegmentId looked_at_ ABSL_GUARDED_BY(work_mutex_) = 0;
  // After a failure the next try is when so much has been appended.
  uint64_t not_before_ ABSL_GUARDED_BY(work_mutex_) = 0;

  Mutex mutex_;
  CondVar wake_;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_DICTIONARY_TRAINER_H_
