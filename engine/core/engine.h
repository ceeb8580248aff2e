#ifndef STAVE_ENGINE_CORE_ENGINE_H_
#define STAVE_ENGINE_CORE_ENGINE_H_

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/mutex.h"
#include "engine/core/backup.h"
#include "engine/core/call_times.h"
#include "engine/core/checkpoint_keeper.h"
#include "engine/core/commit.h"
#include "engine/core/dictionary_trainer.h"
#include "engine/core/follower.h"
#include "engine/core/instant.h"
#include "engine/core/memory_budget.h"
#include "engine/core/merger.h"
#include "engine/core/multi_get.h"
#include "engine/core/open_store.h"
#include "engine/core/read_modify_write.h"
#include "engine/core/reader.h"
#include "engine/core/snapshot_saver.h"
#include "engine/core/space_ledger.h"
#include "engine/core/state.h"
#include "engine/format/compression.h"
#include "engine/format/dictionary.h"
#include "engine/fs/file_system.h"
#include "engine/log/hint_writer.h"
#include "engine/log/log.h"
#include "stave/options.h"
#include "stave/statistics.h"
#include "stave/store.h"

namespace stave {

// An open store: puts the parts together, and keeps them in the order in which
// they depend on one another. Thread-safe; store.h has the contract.
class Store::Engine {
 public:
  static absl::StatusOr<std::unique_ptr<Engine>> Open(std::string_view path,
                                                      const Options& options);
  ~Engine();

  absl::Status Close();

  // FailedPrecondition after Close, and for writing in a read-only store.
  absl::StatusOr<Commit*> ForWriting();
  // The same, for writing what depends on what is there.
  absl::StatusOr<ReadModifyWrite*> ForReadModifyWrite();
  // InvalidArgument, too, for options that make no sense.
  absl::StatusOr<const Reader*> ForReading(
      const ReadOptions& options = {}) const;
  absl::StatusOr<Merger*> ForMerging();
  absl::StatusOr<MergePlan> PlanMerge(const MergeOptions& options) const;
  // Nothing in a read-only store.
  void PauseMerge();
  void ResumeMerge();

  absl::Status Backup(std::string_view path, const BackupOptions& options);
  absl::Status SaveSnapshot(std::string_view path, SnapshotFormat format);
  absl::Status Refresh();

  // The log as it can be read now, all of it published.
  struct LogView {
    std::vector<Instant::Part> parts;  // in log order, those with records
    Sequence last = 0;
    uint64_t incarnation = 0;
  };
  absl::StatusOr<LogView> ViewLog();
  // What the manifest says of the log's past.
  ManifestState Listed() const;
  bool is_read_only() const { return options_.read_only; }
  const State& state() const { return *state_; }

  absl::Status MultiGet(absl::Span<const std::string_view> keys,
                        const ReadOptions& options,
                        stave::MultiGet::Visit visit);
  // For a key that has been read.
  void RefreshIfAsked(std::string_view key, const ReadOptions& options) {
    if (options.refresh_ttl == absl::ZeroDuration()) [[likely]]
      return;
    if (read_modify_write_ == nullptr || options.snapshot != nullptr) return;
    read_modify_write_->Refresh(key, options.refresh_ttl);
  }
  // The store as it is now, also after Close.
  std::shared_ptr<const Instant> NewInstant();
  absl::StatusOr<std::unique_ptr<Iterator>> NewIterator(
      const ReadOptions& options);
  Statistics GetStatistics() const;
  CallTimes* call_times() { return &call_times_; }

 private:
  Engine(const Options& options, OpenedStore opened);

  Merger::Settings MergerSettings();
  CheckpointKeeper::Settings CheckpointSettings();
  DictionaryTrainer::Settings TrainerSettings();
  SnapshotSaver::Settings SaverSettings();
  // Dictionaries that come to be after this open.
  void LoadWhatTheWriterMakes();
  absl::Status CloseLog();
  absl::StatusOr<StoreInstant> CaptureInstant();
  // What whoever comes after Close, or after the end of what was followed, is
  // told.
  absl::Status ClosedError() const;
  // What must be held so that nothing changes; null in a store that was opened
  // damaged.
  Mutex* change_mutex() {
    if (log_ != nullptr) return &log_->append_mutex();
    return follower_ == nullptr ? nullptr : &follower_->change_mutex();
  }
  uint64_t NextSegmentCapacity() const;
  void CountSegments(Statistics* statistics) const;
  void CountCalls(Statistics* statistics) const;
  // 0 in a store that was opened damaged.
  Sequence LastSequence() const;
  void CountOtherFiles(Statistics* statistics) const;

  const Options options_;
  CallTimes call_times_;
  SharedLatencies flush_latencies_;
  SharedLatencies merge_latencies_;
  // Shared with what reads dictionaries, which may outlive the store.
  std::shared_ptr<Directory> directory_;
  std::unique_ptr<File> lock_;  // null in a read-only store
  std::unique_ptr<Manifest> manifest_;
  const std::shared_ptr<State> state_;
  std::unique_ptr<HintWriter> hints_;              // null in a read-only store
  std::unique_ptr<SpaceLedger> space_;             // the same
  std::unique_ptr<Log> log_;                       // the same
  std::unique_ptr<Merger> merger_;                 // the same
  std::unique_ptr<CheckpointKeeper> checkpoints_;  // the same
  const Reader reader_;
  std::unique_ptr<MemoryBudget> memory_budget_;         // as log_
  std::unique_ptr<Compressor> compressor_;              // the same
  std::unique_ptr<DictionaryTrainer> trainer_;          // the same
  std::unique_ptr<Commit> commit_;                      // the same
  std::unique_ptr<ReadModifyWrite> read_modify_write_;  // the same
  // In a read-only store, unless it was opened damaged.
  std::unique_ptr<Follower> follower_;
  const uint64_t bytes_cut_at_open_;
  uint64_t incarnation_ = 0;  // of one that can be written to

  SnapshotSaver snapshot_saver_;

  Mutex backup_mutex_;  // held by the one who makes a backup
  Mutex close_mutex_;
  bool close_called_ ABSL_GUARDED_BY(close_mutex_) = false;
  absl::Status close_status_ ABSL_GUARDED_BY(close_mutex_);
  std::atomic<bool> closed_{false};
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_ENGINE_H_
