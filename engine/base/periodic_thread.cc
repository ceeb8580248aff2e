#include "engine/base/periodic_thread.h"

#include <utility>

#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"

namespace stave {

absl::StatusOr<std::unique_ptr<PeriodicThread>> PeriodicThread::Start(
    Clock* clock, absl::Duration interval, std::function<void()> run) {
  std::unique_ptr<PeriodicThread> periodic(
      new PeriodicThread(clock, interval, std::move(run)));
  ASSIGN_OR_RETURN(std::thread thread,
                   StartThread([self = periodic.get()] { self->Run(); }));
  MutexLock lock(&periodic->join_mutex_);
  periodic->thread_ = std::move(thread);
  return periodic;
}

void PeriodicThread::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wake_.SignalAll();
  MutexLock lock(&join_mutex_);
  if (thread_.joinable()) thread_.join();
}

void PeriodicThread::Run() {
  while (AwaitNext()) run_();
}

// By a clock of its own, since a wait may end early: each of a day does.
bool PeriodicThread::AwaitNext() {
  const absl::Duration end = clock_.Elapsed() + interval_;
  MutexLock lock(&mutex_);
  while (!stopping_) {
    const absl::Duration left = end - clock_.Elapsed();
    if (left <= absl::ZeroDuration()) return true;
    wake_.WaitWithTimeout(&mutex_, left);
  }
  return false;
}

}  // namespace stave
