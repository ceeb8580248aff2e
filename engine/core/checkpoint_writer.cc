#include "engine/core/checkpoint_writer.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/durability_site.h"
#include "engine/base/mutex.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/core/checkpoint_copy.h"
#include "engine/format/checkpoint.h"
#include "engine/format/file_names.h"
#include "engine/log/hint_file.h"

namespace stave {
namespace {

// `Copy` is one of the classes of checkpoint_copy.h.
template <typename Copy>
class CheckpointWriter {
 public:
  CheckpointWriter(uint64_t generation, const CheckpointScope& scope,
                   State* state, Log* log, File* file,
                   const std::atomic<bool>& cancelled)
      : state_(*state),
        log_(*log),
        file_(*file),
        cancelled_(cancelled),
        expired_keys_removed_(state->expired_keys_removed),
        places_(scope, *state->segments),
        copy_(state->keydir.get(), &places_),
        rows_(copy_.stretches()) {
    header_.kind = Copy::kKind;
    header_.generation = generation;
    header_.store_id = scope.store_id;
    header_.secret_check = HintSecretCheck(*state_.hasher);
    header_.segments = static_cast<uint32_t>(scope.segments.size());
    for (const auto& [segment, summary] : scope.segments) {
      AppendCheckpointSegment({segment->id(), segment->header().salt, summary,
                               segment->live_bytes()},
                              &segments_);
    }
  }

  uint64_t file_bytes() const { return header_.file_bytes(); }

  absl::Status Run(size_t threads) {
    const uint64_t appended = log_.bytes_appended();
    RETURN_IF_ERROR(WriteKeys(threads));
    // Else an open that finds nothing more in the log than this covers would
    // take the segments' live bytes for what the keys come to.
    if (state_.expired_keys_removed != expired_keys_removed_ &&
        log_.bytes_appended() == appended) {
      return absl::AbortedError("keys that had expired left meanwhile");
    }
    std::string pages;
    for (const std::string& rows : rows_) pages += rows;
    Copy::NoteBytes(PlacedBytes(), &header_);
    header_.pages = static_cast<uint32_t>(pages.size() / kCheckpointPageBytes);
    header_.tables_checksum = CheckpointTablesChecksum(segments_, pages);
    RETURN_IF_ERROR(file_.Write(header_.segments_offset(), segments_));
    RETURN_IF_ERROR(file_.Write(header_.pages_offset(), pages));
    RETURN_IF_ERROR(file_.SyncData());
    RETURN_IF_ERROR(SyncLog());
    // What has a header is complete on the device: so damage can be told from
    // a checkpoint that was never finished.
    RETURN_IF_ERROR(file_.Write(0, EncodeCheckpointHeader(header_)));
    return file_.SyncData();
  }

 private:
  absl::Status WriteKeys(size_t threads) {
    std::atomic<size_t> next{0};
    return ParallelFor(threads, threads, [&](size_t) {
      typename Copy::Copied copied;
      // Who has taken a stretch places it: others wait for that.
      while (!cancelled_) {
        const size_t i = next++;
        if (i >= rows_.size()) return absl::OkStatus();
        copy_.Copy(i, &copied);
        const uint64_t offset = Place(i, copied.bytes().size());
        RETURN_IF_ERROR(Write(copied, offset, &rows_[i]));
      }
      return absl::CancelledError("the store is being closed");
    });
  }

  // Stretches stand in the file in their order, though nobody knows before how
  // many keys one has. Returns where this one begins.
  uint64_t Place(size_t stretch, uint64_t bytes) {
    MutexLock lock(&mutex_);
    while (placed_ < stretch) has_placed_.Wait(&mutex_);
    ++placed_;
    has_placed_.SignalAll();
    const uint64_t offset = header_.keys_offset() + placed_bytes_;
    placed_bytes_ += bytes;
    return offset;
  }
  uint64_t PlacedBytes() {
    MutexLock lock(&mutex_);
    return placed_bytes_;
  }

  absl::Status Write(const typename Copy::Copied& copied, uint64_t offset,
                     std::string* rows) {
    const std::string_view bytes = copied.bytes();
    if (bytes.empty()) return absl::OkStatus();
    uint64_t at = 0;
    const auto checksum_of_next = [&](uint64_t size) {
      const uint64_t begin = std::exchange(at, at + size);
      return CheckpointPageChecksum(header_, offset + begin,
                                    bytes.substr(begin, size));
    };
    copied.AppendRows(checksum_of_next, rows);
    return file_.Write(offset, bytes);
  }

  // I8: a key is left out if what the keydir named was in a segment that is not
  // covered, and what that had replaced is not in the copy either.
  absl::Status SyncLog() {
    {
      MutexLock lock(&log_.append_mutex());
      header_.end_sequence = log_.last_change();
    }
    return DURABILITY_SITE(kCheckpointLogSync,
                           log_.SyncThrough(header_.end_sequence));
  }

  State& state_;
  Log& log_;
  File& file_;
  const std::atomic<bool>& cancelled_;
  const uint64_t expired_keys_removed_;  // before live bytes are looked at
  const CheckpointPlaces places_;
  const Copy copy_;
  std::vector<std::string> rows_;  // of the pages' table, by stretch
  CheckpointHeader header_;
  std::string segments_;  // their table

  Mutex mutex_;
  CondVar has_placed_;
  size_t placed_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t placed_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

template <typename Copy>
absl::StatusOr<uint64_t> WriteOfKind(Directory* directory, uint64_t generation,
                                     const CheckpointScope& scope, State* state,
                                     Log* log, size_t threads,
                                     const std::atomic<bool>& cancelled) {
  const std::string name = CheckpointFileName(generation);
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                   directory->CreateFile(name));
  CheckpointWriter<Copy> writer(generation, scope, state, log, file.get(),
                                cancelled);
  const absl::Status status = writer.Run(threads);
  if (status.ok()) return writer.file_bytes();
  directory->Unlink(name).IgnoreError();
  return status;
}

}  // namespace

absl::StatusOr<uint64_t> WriteCheckpoint(Directory* directory,
                                         uint64_t generation,
                                         const CheckpointScope& scope,
                                         State* state, Log* log, size_t threads,
                                         const std::atomic<bool>& cancelled) {
  const auto write = state->keydir->order() != nullptr
                         ? &WriteOfKind<OrderedCheckpointCopy>
                         : &WriteOfKind<HashedCheckpointCopy>;
  return write(directory, generation, scope, state, log, threads, cancelled);
}

}  // namespace stave
