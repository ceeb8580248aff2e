#ifndef STAVE_ENGINE_BASE_PERIODIC_THREAD_H_
#define STAVE_ENGINE_BASE_PERIODIC_THREAD_H_

#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/mutex.h"

namespace stave {

// A thread that does something again each time that an interval has passed
// since it was done last. Thread-safe.
class PeriodicThread {
 public:
  // The first time is when the interval has passed once. Borrows `clock`.
  // ResourceExhausted if the system makes no more threads.
  static absl::StatusOr<std::unique_ptr<PeriodicThread>> Start(
      Clock* clock, absl::Duration interval, std::function<void()> run);
  ~PeriodicThread() { Stop(); }
  PeriodicThread(const PeriodicThread&) = delete;
  PeriodicThread& operator=(const PeriodicThread&) = delete;

  // Ends the thread, and waits for the end of a run.
  void Stop();

 private:
  PeriodicThread(Clock* clock, absl::Duration interval,
                 std::function<void()> run)
      : clock_(*clock), interval_(interval), run_(std::move(run)) {}

  void Run();
  // Waits for the interval's end; false if the thread's end comes first.
  bool AwaitNext();

  Clock& clock_;
  const absl::Duration interval_;
  const std::function<void()> run_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Mutex join_mutex_;  // held by the one who waits for the thread
  std::thread thread_ ABSL_GUARDED_BY(join_mutex_);
};

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_PERIODIC_THREAD_H_
