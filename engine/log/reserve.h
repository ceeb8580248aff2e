#ifndef STAVE_ENGINE_LOG_RESERVE_H_
#define STAVE_ENGINE_LOG_RESERVE_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "engine/base/mutex.h"
#include "engine/fs/file_system.h"

namespace stave {

// The file RESERVE: space that is allocated and never written, to be given up
// when the disk is full, so that keys can be deleted and a merge can run (I7).
//
// It is help, not data: nothing of it is synced, any size that a crash leaves
// will do, and an error that is not a full disk ends its use until the store
// is opened again, and does no other harm. Where space can't be reserved there
// is no such file.
//
// Thread-safe. Does nothing, not even open the file, before it is asked to.
class Reserve {
 public:
  explicit Reserve(Directory* directory) : directory_(directory) {}

  // Makes it `bytes` large. ResourceExhausted: it was given up, or never made,
  // and the disk is too full for it. One that is there and can't grow stays as
  // it is.
  absl::Status Resize(uint64_t bytes);

  // Returns its space to the file system. False if it had none.
  bool GiveUp();

  // Whether it was given up, by this process or one before it, and was not made
  // again.
  bool IsGivenUp();

  // Whether it is missing for want of space: what is free is not for puts.
  bool lacking() const { return lacking_.load(std::memory_order_relaxed); }

 private:
  absl::Status Open(bool create) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Grow(uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Cut(uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetUnusable() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Directory* const directory_;
  Mutex mutex_;
  std::unique_ptr<File> file_ ABSL_GUARDED_BY(mutex_);
  // What is known to be allocated, from the file's start.
  uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool unusable_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<bool> lacking_{false};  // changed under mutex_
};

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_RESERVE_H_
