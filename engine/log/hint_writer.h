#ifndef STAVE_ENGINE_LOG_HINT_WRITER_H_
#define STAVE_ENGINE_LOG_HINT_WRITER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "engine/base/key_hash.h"
#include "engine/base/mutex.h"
#include "engine/base/types.h"
#include "engine/format/manifest_edit.h"
#include "engine/fs/file_system.h"
#include "engine/log/segment.h"

namespace stave {

// Makes the hint files of sealed segments, one after another, on a thread of
// its own that nobody waits for. A hint that can't be made is left out: an
// open reads that segment then. Thread-safe.
class HintWriter {
 public:
  struct Sealed {
    std::shared_ptr<Segment> segment;
    SegmentSummary summary;
  };

  // `missing` are segments without a hint so far. Their turn comes with the
  // first segment that is added, or at Close: who only reads makes no files
  // meanwhile. Without a thread Add does the work itself. None is made that
  // `may_write` doesn't allow.
  HintWriter(
      Directory* directory, const KeyHasher* hasher, bool background_thread,
      std::vector<Sealed> missing,
      std::function<bool()> may_write = [] { return true; });
  ~HintWriter() { StopThread(); }

  void Add(Sealed sealed);

  // No segment of this id will get a hint from now on, and it has none when
  // this returns: for segments that are removed.
  void Remove(SegmentId id);

  // Ends the thread, and makes those hints that are still missing and do not
  // take long. What is left is for the next open.
  void Close();

 private:
  void Run();
  void StopThread();
  void Write(const Sealed& sealed);
  std::optional<Sealed> Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Directory* const directory_;
  const KeyHasher& hasher_;
  const bool background_thread_;
  const std::function<bool()> may_write_;

  Mutex mutex_;
  CondVar wake_;     // there is work, or no more to come
  CondVar written_;  // writing_ has changed
  std::deque<Sealed> missing_ ABSL_GUARDED_BY(mutex_);
  SegmentId writing_ ABSL_GUARDED_BY(mutex_) = 0;  // by the thread; 0: none
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_HINT_WRITER_H_
