#include "tools/stave/periodic_snapshots.h"

#include "tools/stave/status_macros.h"

namespace stave::tool {

absl::StatusOr<std::unique_ptr<PeriodicSnapshots>> PeriodicSnapshots::Start(
    Settings settings) {
  std::unique_ptr<PeriodicSnapshots> snapshots(
      new PeriodicSnapshots(std::move(settings)));
  const Settings& set = snapshots->settings_;
  auto thread =
      PeriodicThread::Start(set.clock, set.interval, [self = snapshots.get()] {
        const absl::Status status = self->SaveIfChanged();
        if (!status.ok()) self->settings_.failed(status);
      });
  if (!thread.ok()) return thread.status();
  snapshots->thread_ = *std::move(thread);
  return snapshots;
}

absl::Status PeriodicSnapshots::Stop() {
  thread_->Stop();
  return SaveIfChanged();
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

}  // namespace stave::tool
