#include "stave/store.h"

#include <utility>

#include "engine/base/status_macros.h"
#include "engine/core/engine.h"

namespace stave {

absl::StatusOr<std::unique_ptr<Store>> Store::Open(std::string_view directory,
                                                   const Options& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Engine> engine,
                   Engine::Open(directory, options));
  return std::unique_ptr<Store>(new Store(std::move(engine)));
}

Store::Store(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

Store::~Store() = default;

absl::Status Store::Close() { return engine_->Close(); }

absl::Status Store::Put(std::string_view key, std::string_view value,
                        const WriteOptions& options) {
  ASSIGN_OR_RETURN(Commit * commit, engine_->ForWriting());
  return commit->Put(key, value, options);
}

absl::StatusOr<bool> Store::Delete(std::string_view key,
                                   const WriteOptions& options) {
  ASSIGN_OR_RETURN(Commit * commit, engine_->ForWriting());
  return commit->Delete(key, options);
}

absl::Status Store::Write(const WriteBatch& batch,
                          const WriteOptions& options) {
  ASSIGN_OR_RETURN(Commit * commit, engine_->ForWriting());
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
  ASSIGN_OR_RETURN(const Reader* const reader, engine_->ForReading());
  return reader->Get(key, options, value);
}

absl::StatusOr<PinnedValue> Store::GetPinned(std::string_view key,
                                             const ReadOptions& options) {
  ASSIGN_OR_RETURN(const Reader* const reader, engine_->ForReading());
  return reader->GetPinned(key, options);
}

absl::StatusOr<bool> Store::Exists(std::string_view key,
                                   const ReadOptions& options) {
  ASSIGN_OR_RETURN(const Reader* const reader, engine_->ForReading());
  return reader->Exists(key, options);
}

absl::StatusOr<std::unique_ptr<Iterator>> Store::NewIterator(
    const ReadOptions& options) {
  return engine_->NewIterator(options);
}

absl::Status Store::Merge(const MergeOptions& options) {
  ASSIGN_OR_RETURN(Merger * merger, engine_->ForMerging());
  return merger->MergeNow(options);
}

absl::StatusOr<MergePlan> Store::PlanMerge(const MergeOptions& options) const {
  ASSIGN_OR_RETURN(Merger * merger, engine_->ForMerging());
  return merger->Plan(options);
}

void Store::PauseMerge() { engine_->PauseMerge(); }

void Store::ResumeMerge() { engine_->ResumeMerge(); }

Statistics Store::GetStatistics() const { return engine_->GetStatistics(); }

}  // namespace stave
