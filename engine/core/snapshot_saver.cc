#include "engine/core/snapshot_saver.h"

#include "engine/base/status_macros.h"
#include "engine/core/snapshot_target.h"
#include "engine/format/snapshot_file.h"

namespace stave {

absl::Status SnapshotSaver::Save(std::string_view path, SnapshotFormat format) {
  MutexLock lock(&save_mutex_);
  const absl::Status status = SaveNow(path, format);
  // What Close has ended is no failure.
  if (!status.ok() && *settings_.closed) return status;
  Count(status);
  return status;
}

void SnapshotSaver::Count(const absl::Status& status) {
  MutexLock lock(&counters_mutex_);
  ++(status.ok() ? counters_.saved : counters_.failed);
  counters_.error = std::string(status.message());
}

absl::Status SnapshotSaver::CheckOpen() const {
  if (!settings_.closed->load(std::memory_order_relaxed)) {
    return absl::OkStatus();
  }
  return absl::CancelledError("the store was closed during a snapshot");
}

absl::Status SnapshotSaver::SaveNow(std::string_view path,
                                    SnapshotFormat format) {
  RETURN_IF_ERROR(CheckOpen());
  ASSIGN_OR_RETURN(SnapshotTarget target,
                   SnapshotTarget::Open(settings_.file_system, path));
  ASSIGN_OR_RETURN(const std::unique_ptr<Iterator> each,
                   settings_.new_iterator());
  const absl::Time now = settings_.clock->WallNow();
  const auto walk = [&](SnapshotVisitor visit) {
    for (each->SeekToFirst(); each->Valid(); each->Next()) {
      RETURN_IF_ERROR(CheckOpen());
      RETURN_IF_ERROR(visit({each->key(), each->value(), each->expiry()}));
    }
    return each->status();
  };
  return target.Replace(
      [&](ByteSink sink) { return WriteSnapshot(format, now, walk, sink); });
}

absl::Status SnapshotSaver::Start(std::string_view path, SnapshotFormat format,
                                  absl::Duration interval) {
  absl::StatusOr<SnapshotTarget> target =
      SnapshotTarget::Open(settings_.file_system, path);
  if (absl::IsInvalidArgument(target.status())) return target.status();
  if (target.ok()) target->RemoveUnfinished().IgnoreError();
  ASSIGN_OR_RETURN(
      thread_, PeriodicThread::Start(settings_.clock, interval,
                                     [this, path = std::string(path), format] {
                                       SaveIfChanged(path, format);
                                     }));
  return absl::OkStatus();
}

void SnapshotSaver::SaveIfChanged(std::string_view path,
                                  SnapshotFormat format) {
  // Before the save, which may miss what is written while it runs.
  const Sequence last = settings_.last_change();
  if (saved_sequence_ == last) return;
  if (!settings_.may_take_space()) {
    Count(absl::ResourceExhaustedError(
        "the disk is full: what space there is, is left to deletes"));
    return;
  }
  if (Save(path, format).ok()) saved_sequence_ = last;
}

void SnapshotSaver::Stop() {
  if (thread_ != nullptr) thread_->Stop();
  MutexLock wait_for_save(&save_mutex_);
}

SnapshotSaver::Counters SnapshotSaver::counters() const {
  MutexLock lock(&counters_mutex_);
  return counters_;
}

}  // namespace stave
