#include "tools/stave/periodic_snapshots.h"

#include "engine/base/parallel.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {

absl::StatusOr<std::unique_ptr<PeriodicSnapshots>> PeriodicSnapshots::Start(
    Settings settings) {
  std::unique_ptr<PeriodicSnapshots> snapshots(
      new PeriodicSnapshots(std::move(settings)));
  absl::StatusOr<std::thread> thread =
      StartThread([self = snapshots.get()] { self->RunThread(); });
  if (!thread.ok()) return thread.status();
  snapshots->thread_ = *std::move(thread);
  return snapshots;
}

absl::Status PeriodicSnapshots::Stop() {
  StopThread();
  return SaveIfChanged();
}

void PeriodicSnapshots::StopThread() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wake_.Signal();
  if (thread_.joinable()) thread_.join();
}

uint64_t PeriodicSnapshots::Writes() const {
  const Statistics statistics = settings_.store->GetStatistics();
  return statistics.puts + statistics.deletes;
}

absl::Status PeriodicSnapshots::SaveIfChanged() {
  // Before the save, which may miss what is written while it runs.
  const uint64_t writes = Writes();
  if (writes == saved_writes_) return absl::OkStatus();
  RETURN_IF_ERROR(settings_.save());
  saved_writes_ = writes;
  return absl::OkStatus();
}

void PeriodicSnapshots::RunThread() {
  MutexLock lock(&mutex_);
  while (AwaitNext()) {
    mutex_.Unlock();
    const absl::Status status = SaveIfChanged();
    if (!status.ok()) settings_.failed(status);
    mutex_.Lock();
  }
}

// By a clock of its own, since a wait may end early: each of a day does.
bool PeriodicSnapshots::AwaitNext() {
  const absl::Duration end = settings_.clock->Elapsed() + settings_.interval;
  while (!stopping_) {
    const absl::Duration left = end - settings_.clock->Elapsed();
    if (left <= absl::ZeroDuration()) return true;
    wake_.WaitWithTimeout(&mutex_, left);
  }
  return false;
}

}  // namespace stave::tool
