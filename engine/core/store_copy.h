#ifndef STAVE_ENGINE_CORE_STORE_COPY_H_
#define STAVE_ENGINE_CORE_STORE_COPY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/format/dictionary.h"
#include "engine/fs/file_system.h"
#include "engine/log/manifest.h"
#include "engine/log/segment_scanner.h"
#include "engine/log/segment_set.h"
#include "engine/log/segment_writer.h"

namespace stave {

// Writes a new store, all of whose records are known: segments first, and the
// manifest last. Until Finish has returned OK there are only segments, with
// which no store opens. Thread-compatible.
class StoreCopy {
 public:
  // `directory` has no store's files; `live_bytes` are about to come.
  static absl::StatusOr<std::unique_ptr<StoreCopy>> Begin(
      Directory* directory, const ManifestState& manifest, uint64_t live_bytes);
  // Removes what was written, unless Finish has succeeded.
  ~StoreCopy();

  // Adds a dictionary that records may need.
  absl::Status AddDictionary(const Dictionary& dictionary);
  // Adds a put, with its expiry; its sequence is the next one here.
  absl::Status Add(const RecordView& record);

  // Makes all of it durable, as a store that was closed.
  absl::Status Finish();

 private:
  StoreCopy(Directory* directory, const ManifestState& manifest,
            std::unique_ptr<SegmentSet> segments, uint64_t capacity)
      : directory_(*directory),
        manifest_(manifest),
        segments_(std::move(segments)),
        capacity_(capacity) {}

  absl::Status BeginSegment(uint64_t record_size);
  absl::Status EndSegment();

  Directory& directory_;
  ManifestState manifest_;
  // Where segments get their ranges of locations; nobody looks for them.
  const std::unique_ptr<SegmentSet> segments_;
  const uint64_t capacity_;
  std::unique_ptr<SegmentWriter> writer_;
  std::vector<std::string> names_;
  Sequence last_sequence_ = 0;
  bool finished_ = false;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_STORE_COPY_H_
