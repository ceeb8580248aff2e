#include "stave/store.h"

#include <utility>

#include "engine/base/status_macros.h"
#include "engine/core/call_times.h"
#include "engine/core/engine.h"
#include "engine/core/value_sample.h"

namespace stave {

absl::StatusOr<std::unique_ptr<Store>> Store::Open(std::string_view directory,
                                                   const Options& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Engine> engine,
                   Engine::Open(directory, options));
  return std::unique_ptr<Store>(new Store(std::move(engine)));
}

Store::Store(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}

// Errors of this last Close reach nobody; who wants them calls it before.
Store::~Store() { engine_->Close().IgnoreError(); }

absl::Status Store::Close() { return engine_->Close(); }

absl::Status Store::Put(std::string_view key, std::string_view value,
                        const WriteOptions& options) {
  ASSIGN_OR_RETURN(Commit * commit, engine_->ForWriting());
  const TimedCall timed(engine_->call_times(), Operation::kPut);
  return commit->Put(key, value, options);
}

absl::StatusOr<bool> Store::Delete(std::string_view key,
                                   const WriteOptions& options) {
  ASSIGN_OR_RETURN(Commit * commit, engine_->ForWriting());
  const TimedCall timed(engine_->call_times(), Operation::kDelete);
  return commit->Delete(key, options);
}

absl::Status Store::Write(const WriteBatch& batch,
                          const WriteOptions& options) {
  ASSIGN_OR_RETURN(Commit * commit, engine_->ForWriting());
  const TimedCall timed(engine_->call_times(), Operation::kWrite);
  return commit->Write(batch, options);
}

absl::Status Store::Sync() {
  ASSIGN_OR_RETURN(Commit * commit, engine_->ForWriting());
  return commit->Sync();
}

absl::StatusOr<std::string> Store::Get(std::string_view key,
                                       const ReadOptions& options) {
  std::string value;
  RETURN_IF_ERROR(Get(key, &value, options));
  return value;
}

absl::Status Store::Get(std::string_view key, std::string* value,
                        const ReadOptions& options) {
  ASSIGN_OR_RETURN(const Reader* const reader, engine_->ForReading(options));
  const TimedCall timed(engine_->call_times(), Operation::kGet);
  RETURN_IF_ERROR(reader->Get(key, options, value));
  engine_->RefreshIfAsked(key, options);
  return absl::OkStatus();
}

absl::StatusOr<PinnedValue> Store::GetPinned(std::string_view key,
                                             const ReadOptions& options) {
  ASSIGN_OR_RETURN(const Reader* const reader, engine_->ForReading(options));
  const TimedCall timed(engine_->call_times(), Operation::kGet);
  absl::StatusOr<PinnedValue> value = reader->GetPinned(key, options);
  if (value.ok()) engine_->RefreshIfAsked(key, options);
  return value;
}

absl::StatusOr<bool> Store::Exists(std::string_view key,
                                   const ReadOptions& options) {
  ASSIGN_OR_RETURN(const Reader* const reader, engine_->ForReading(options));
  const TimedCall timed(engine_->call_times(), Operation::kGet);
  ASSIGN_OR_RETURN(const bool exists, reader->Exists(key, options));
  if (exists) engine_->RefreshIfAsked(key, options);
  return exists;
}

void Store::MultiGet(
    absl::Span<const std::string_view> keys,
    absl::FunctionRef<void(size_t, absl::StatusOr<std::string_view>)> visit,
    const ReadOptions& options) {
  const absl::Status status = engine_->MultiGet(
      keys, options, [&](size_t i, absl::StatusOr<std::string_view> value) {
        const bool exists = value.ok();
        visit(i, std::move(value));
        if (exists) engine_->RefreshIfAsked(keys[i], options);
      });
  if (status.ok()) return;
  for (size_t i = 0; i < keys.size(); ++i) visit(i, status);
}

absl::Status Store::CompareAndSet(std::string_view key,
                                  std::optional<std::string_view> expected,
                                  std::string_view desired,
                                  const WriteOptions& options) {
  ASSIGN_OR_RETURN(ReadModifyWrite * write, engine_->ForReadModifyWrite());
  const TimedCall timed(engine_->call_times(), Operation::kUpdate);
  return write->CompareAndSet(key, expected, desired, options);
}

absl::StatusOr<int64_t> Store::Increment(std::string_view key, int64_t delta,
                                         const WriteOptions& options) {
  ASSIGN_OR_RETURN(ReadModifyWrite * write, engine_->ForReadModifyWrite());
  const TimedCall timed(engine_->call_times(), Operation::kUpdate);
  return write->Increment(key, delta, options);
}

absl::Status Store::ExpireAt(std::string_view key, absl::Time when,
                             const WriteOptions& options) {
  ASSIGN_OR_RETURN(ReadModifyWrite * write, engine_->ForReadModifyWrite());
  const TimedCall timed(engine_->call_times(), Operation::kUpdate);
  return write->SetExpiry(key, {.sync = options.sync, .expire_at = when});
}

absl::Status Store::Expire(std::string_view key, absl::Duration ttl,
                           const WriteOptions& options) {
  ASSIGN_OR_RETURN(ReadModifyWrite * write, engine_->ForReadModifyWrite());
  const TimedCall timed(engine_->call_times(), Operation::kUpdate);
  return write->SetExpiry(key, {.sync = options.sync, .ttl = ttl});
}

absl::Status Store::Persist(std::string_view key, const WriteOptions& options) {
  return ExpireAt(key, absl::InfiniteFuture(), options);
}

absl::StatusOr<absl::Duration> Store::Ttl(std::string_view key) {
  ASSIGN_OR_RETURN(const Reader* const reader, engine_->ForReading());
  return reader->Ttl(key);
}

absl::StatusOr<std::unique_ptr<Iterator>> Store::NewIterator(
    const ReadOptions& options) {
  return engine_->NewIterator(options);
}

std::shared_ptr<const Snapshot> Store::GetSnapshot() {
  return engine_->NewInstant();
}

absl::Status Store::Backup(std::string_view directory,
                           const BackupOptions& options) {
  return engine_->Backup(directory, options);
}

absl::Status Store::SaveSnapshot(std::string_view file, SnapshotFormat format) {
  return engine_->SaveSnapshot(file, format);
}

absl::Status Store::Refresh() { return engine_->Refresh(); }

absl::Status Store::Merge(const MergeOptions& options) {
  ASSIGN_OR_RETURN(Merger * merger, engine_->ForMerging());
  return merger->MergeNow(options);
}

absl::StatusOr<MergePlan> Store::PlanMerge(const MergeOptions& options) const {
  return engine_->PlanMerge(options);
}

void Store::PauseMerge() { engine_->PauseMerge(); }

void Store::ResumeMerge() { engine_->ResumeMerge(); }

ValueSample Store::SampleValues() {
  return stave::SampleValues(*engine_->NewInstant());
}

Statistics Store::GetStatistics() const { return engine_->GetStatistics(); }

}  // namespace stave
