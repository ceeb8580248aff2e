#ifndef STAVE_ENGINE_LOG_MANIFEST_H_
#define STAVE_ENGINE_LOG_MANIFEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/mutex.h"
#include "engine/format/manifest_edit.h"
#include "engine/fs/file_system.h"

namespace stave {

// A segment as the manifest knows it.
struct ListedSegment {
  SegmentHeader header;
  std::optional<SegmentSummary> sealed;
  // Of a segment that is not sealed: what an earlier clean close, recovery or
  // merge knew to be on the device.
  uint64_t synced_length = 0;
};

// So many incarnations are remembered, the latest ones.
inline constexpr size_t kMostIncarnations = 64;

// What a manifest's edits say, all together.
struct ManifestState {
  BaseChange base;
  // In log order.
  std::vector<ListedSegment> segments;
  // Whose unlink may not be durable yet.
  std::vector<SegmentId> removed;
  // Present only if nothing followed it.
  std::optional<CleanCloseChange> clean_close;
  // Present in a backup that nobody has written to.
  std::optional<BackupChange> backup;
  // From the earliest that is remembered to the present one. Empty: there has
  // been none but the first.
  std::vector<IncarnationChange> incarnations;
  // The last put or delete of the log that a merge has taken; 0: none.
  Sequence merged_through = 0;
  // Without which some values can't be restored. What is compressed now uses
  // the last one.
  std::vector<DictionaryChange> dictionaries;

  ListedSegment* Find(SegmentId id);
  const ListedSegment* Find(SegmentId id) const {
    return const_cast<ManifestState*>(this)->Find(id);
  }
  // Null if it is not listed.
  const DictionaryChange* FindDictionary(uint64_t id) const;
  // DataLoss if `edit` can't follow this state.
  absl::Status Apply(const ManifestEdit& edit);
  // The edit that leads from nothing to this state.
  ManifestEdit WholeEdit() const;
};

// FailedPrecondition if the store is a backup that has never been whole: all
// but the next backup refuse it.
absl::Status CheckFinished(const ManifestState& state,
                           const Directory& directory);

// A manifest as it was read.
struct LoadedManifest {
  uint64_t number = 0;
  uint64_t length = 0;      // of the valid edits
  bool whole_file = false;  // nothing but zeros follows them
  std::string last_edit;    // its bytes
  ManifestState state;
};

// The list of a store's segments and all else that must change at one
// instant. An edit is durable when Append returns OK.
//
// Thread-safe. The writer's process has one; read-only opens use Load alone.
class Manifest {
 public:
  // Reads the manifest that counts: that of the highest number whose first
  // edit is valid. NotFound if the directory has none, or none but a
  // MANIFEST-1 that was never finished; DataLoss, with file and offset, if no
  // other can be read.
  static absl::StatusOr<LoadedManifest> Load(Directory* directory);

  // The numbers of all manifests, greatest first, and the bytes of one.
  static absl::StatusOr<std::vector<uint64_t>> ListNumbers(
      Directory* directory);
  static absl::StatusOr<std::string> ReadWhole(Directory* directory,
                                               uint64_t number);

  // Makes MANIFEST-1 of a new store, in place of unfinished ones.
  static absl::StatusOr<std::unique_ptr<Manifest>> Create(
      Directory* directory, const ManifestState& state);

  // Goes on with a manifest that a clean close ended. Like Replace, unlinks
  // files of removed segments that are still there.
  static absl::StatusOr<std::unique_ptr<Manifest>> Resume(
      Directory* directory, LoadedManifest loaded);

  // Writes `state` as a whole new manifest, which is durable before all others
  // are removed. Looks at no segment.
  static absl::StatusOr<std::unique_ptr<Manifest>> Publish(
      Directory* directory, const ManifestState& state);

  // Publishes `loaded.state`.
  static absl::StatusOr<std::unique_ptr<Manifest>> Replace(
      Directory* directory, LoadedManifest loaded);

  // Adds an edit. ResourceExhausted: the disk is full, and nothing has
  // changed. Any other error latches: each later Append returns it (I7).
  absl::Status Append(const ManifestEdit& edit);
  // The same, if afterwards some more edits have space: all edits come so but
  // those that seal or remove a segment, or end a session, which a full disk
  // must not keep back.
  absl::Status AppendWithHeadroom(const ManifestEdit& edit);
  // Sees to that space before the first record of a session.
  absl::Status ReserveHeadroom();

  // Writes a whole new manifest in place of this one if this has grown to many
  // times the size of that. Errors are as Append's; after ResourceExhausted
  // the old one goes on.
  absl::Status ShortenIfLong();

  // A number for a new segment, never used before (I9).
  SegmentId NextSegmentId();

  ManifestState state() const;

  // Gives back space that was reserved for edits to come.
  absl::Status Trim();

 private:
  Manifest(Directory* directory, std::unique_ptr<File> file, uint64_t number,
           uint64_t length, ManifestState state)
      : directory_(directory),
        file_(std::move(file)),
        number_(number),
        length_(length),
        reserved_(length),
        state_(std::move(state)) {}

  static absl::StatusOr<std::unique_ptr<Manifest>> WriteWhole(
      Directory* directory, uint64_t number, const ManifestState& state);
  absl::Status UnlinkRemoved();
  absl::Status AppendLocked(const ManifestEdit& edit, uint64_t headroom)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Reserve(uint64_t size) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Directory* const directory_;
  mutable Mutex mutex_;
  std::unique_ptr<File> file_ ABSL_GUARDED_BY(mutex_);
  uint64_t number_ ABSL_GUARDED_BY(mutex_);
  uint64_t length_ ABSL_GUARDED_BY(mutex_);
  uint64_t reserved_ ABSL_GUARDED_BY(mutex_);
  // The last edit, if this manifest was resumed. It may be in the page cache
  // alone: an error of writing it back was told to a process that is gone. So
  // it is written once more, together with the next edit.
  std::string unproven_ ABSL_GUARDED_BY(mutex_);
  ManifestState state_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_MANIFEST_H_
