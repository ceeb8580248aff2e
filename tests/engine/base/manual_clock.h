#ifndef STAVE_TESTS_ENGINE_BASE_MANUAL_CLOCK_H_
#define STAVE_TESTS_ENGINE_BASE_MANUAL_CLOCK_H_

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/mutex.h"

namespace stave {

// A clock whose time passes only when a test says so. Thread-safe.
class ManualClock : public Clock {
 public:
  explicit ManualClock(absl::Time wall = absl::FromUnixSeconds(1'700'000'000))
      : wall_(wall) {}

  absl::Time WallNow() override {
    MutexLock lock(&mutex_);
    return wall_;
  }
  absl::Duration Elapsed() override {
    MutexLock lock(&mutex_);
    return elapsed_;
  }

  // Lets `duration` pass, on both clocks.
  void Advance(absl::Duration duration) {
    MutexLock lock(&mutex_);
    wall_ += duration;
    elapsed_ += duration;
  }

  // Sets the date, forward or back, while no time passes.
  void SetWall(absl::Time wall) {
    MutexLock lock(&mutex_);
    wall_ = wall;
  }

 private:
  Mutex mutex_;
  absl::Time wall_ ABSL_GUARDED_BY(mutex_);
  absl::Duration elapsed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_BASE_MANUAL_CLOCK_H_
