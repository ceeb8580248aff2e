#ifndef STAVE_ENGINE_CORE_COMMIT_H_
#define STAVE_ENGINE_CORE_COMMIT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/core/checkpoint_keeper.h"
#include "engine/core/dictionary_trainer.h"
#include "engine/core/memory_budget.h"
#include "engine/core/merger.h"
#include "engine/core/state.h"
#include "engine/format/compression.h"
#include "engine/log/log.h"
#include "stave/options.h"
#include "stave/write_batch.h"

namespace stave {

// The write path. Values are compressed, hashes and body checksums made first;
// then, under the log's append lock, a record gets its place, its bytes are
// copied and the keydir is told, so that sequence order is the order of
// visibility, and a reader can't see what a kill would take away. Thread-safe.
class Commit {
 public:
  // `always_sync`: every write waits for the device.
  Commit(State* state, Log* log, Merger* merger, CheckpointKeeper* checkpoints,
         MemoryBudget* memory_budget, const Compressor* compressor,
         DictionaryTrainer* trainer, bool always_sync)
      : state_(*state),
        log_(*log),
        merger_(*merger),
        checkpoints_(*checkpoints),
        memory_budget_(*memory_budget),
        compressor_(*compressor),
        trainer_(*trainer),
        always_sync_(always_sync) {}

  // InvalidArgument if they are beyond what limits.h allows.
  static absl::Status CheckSizes(std::string_view key, std::string_view value);
  // When a key expires that is to live for `ttl` from now. InvalidArgument
  // unless that is positive.
  absl::StatusOr<absl::Time> After(absl::Duration ttl) const;

  absl::Status Put(std::string_view key, std::string_view value,
                   const WriteOptions& options);

  // A put in two steps, for those who look at the key before they write.
  struct PreparedPut {
    KeyRef key;
    PendingRecord record;
    std::unique_ptr<char[]> compressed;  // what the record may refer to
  };
  // Borrows both; InvalidArgument as Put.
  absl::StatusOr<PreparedPut> Prepare(std::string_view key,
                                      std::string_view value,
                                      const WriteOptions& options) const;
  // The same with a value that is in a record already, which it stays like.
  absl::StatusOr<PreparedPut> PrepareStored(std::string_view key,
                                            const StoredValue& value,
                                            const WriteOptions& options) const;
  // What somebody has seen of a key.
  struct Seen {
    KeydirEntry entry;
    // Until when that holds; InfiniteFuture where the key was absent.
    absl::Time expire_at = absl::InfiniteFuture();
  };
  // Puts if the key's entry is still the one that was `seen`, whose record's
  // segment the caller has pinned, and has not expired since; else Aborted, and
  // nothing has changed. Does not wait for the device.
  absl::StatusOr<Sequence> PutIfStill(const Seen& seen, const PreparedPut& put);

  absl::StatusOr<bool> Delete(std::string_view key,
                              const WriteOptions& options);
  absl::Status Write(const WriteBatch& batch, const WriteOptions& options) {
    return WriteIf(batch, options, [] { return absl::OkStatus(); });
  }
  // The same if `condition` returns OK; else its error, and nothing has
  // changed. It is called with the append lock held: what it finds in the
  // keydir and in the overlay is so until the batch is published. A batch of
  // nothing has no condition.
  absl::Status WriteIf(const WriteBatch& batch, const WriteOptions& options,
                       absl::FunctionRef<absl::Status()> condition);
  // Brings all that was written before to the device.
  absl::Status Sync();
  // The same through `sequence`, if it is asked for.
  absl::Status SyncIfAsked(const WriteOptions& options, Sequence sequence);
  // For a write that found nothing to do: brings what its answer depends on to
  // the device, if that is asked for.
  absl::Status SyncAnswerIfAsked(const WriteOptions& options) {
    return options.sync || always_sync_ ? Sync() : absl::OkStatus();
  }

  uint64_t puts() const { return puts_.load(std::memory_order_relaxed); }
  uint64_t deletes() const { return deletes_.load(std::memory_order_relaxed); }
  // Of the values that were put: what was given, and what is stored of it.
  uint64_t value_bytes() const {
    return value_bytes_.load(std::memory_order_relaxed);
  }
  uint64_t stored_value_bytes() const {
    return stored_value_bytes_.load(std::memory_order_relaxed);
  }

 private:
  absl::Status PreparePut(std::string_view key, const StoredValue& value,
                          absl::Duration ttl, absl::Time expire_at,
                          PendingRecord* record) const;
  void CountPut(const PendingRecord& record)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(log_.append_mutex());
  void Prefetch(const KeyRef& key) const;
  KeydirEntry Present(const KeyRef& key) const;
  bool IsExpired(KeydirEntry entry) const;
  bool IsStill(const KeyRef& key, const Seen& seen) const;
  // ResourceExhausted where the memory is full and the key a new one.
  absl::Status CheckMemory(const KeyRef& key, const PendingRecord& record)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(log_.append_mutex()) {
    if (!memory_budget_.is_full()) [[likely]]
      return absl::OkStatus();
    if (record.header.kind == RecordKind::kDelete || !Present(key).absent()) {
      return absl::OkStatus();
    }
    return memory_budget_.Check();
  }
  // Adds the put to the log and to the keydir, unless the key is not as it was
  // `*seen`.
  absl::Status Append(const KeyRef& key, const PendingRecord& record,
                      const Seen* seen, Sequence* sequence);
  // Tells the keydir of a record in the log.
  absl::Status Publish(const KeyRef& key, const PendingRecord& record,
                       const Log::Place& place)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(log_.append_mutex());
  absl::Status PublishBatch(const std::vector<KeyRef>& keys,
                            const std::vector<bool>& are_last,
                            const std::vector<PendingRecord>& records,
                            const std::vector<Log::Place>& places)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(log_.append_mutex());
  void NoteExpiry(const RecordHeader& header, Segment* segment);
  // After a write, without locks: what has fallen due, without threads.
  void DoWhatIsDue() {
    merger_.RunIfDue();
    checkpoints_.RunIfDue();
    trainer_.RunIfDue();
  }

  State& state_;
  Log& log_;
  Merger& merger_;
  CheckpointKeeper& checkpoints_;
  MemoryBudget& memory_budget_;
  const Compressor& compressor_;
  DictionaryTrainer& trainer_;
  const bool always_sync_;
  // Changed under the append lock.
  std::atomic<uint64_t> puts_{0};
  std::atomic<uint64_t> deletes_{0};
  std::atomic<uint64_t> value_bytes_{0};
  std::atomic<uint64_t> stored_value_bytes_{0};
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_COMMIT_H_
