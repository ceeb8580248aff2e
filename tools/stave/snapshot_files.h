#ifndef STAVE_TOOLS_STAVE_SNAPSHOT_FILES_H_
#define STAVE_TOOLS_STAVE_SNAPSHOT_FILES_H_

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stave/store.h"
#include "tools/stave/snapshot_format.h"
#include "tools/stave/snapshot_reader.h"

namespace stave::tool {

// Writes all records of the store, as of one instant, to file `path`, which is
// replaced as a whole when the snapshot is complete and on the device.
// InvalidArgument if the file would be in the store's own directory. Others who
// want to save, in other threads, wait meanwhile.
absl::Status SaveSnapshot(Store& store, const std::string& store_directory,
                          SnapshotFormat format, const std::string& path);

// What is to become of a store that has keys already.
enum class LoadMode {
  kEmptyOnly,  // InvalidArgument, and nothing is changed
  kAdd,        // keys that the snapshot has not stay as they are
  kReplace,    // they go, when all that it has is there
};

// A snapshot file that was read and found right.
class SnapshotFile {
 public:
  // Errors as SnapshotReader::Open's, and of reading.
  static absl::StatusOr<std::unique_ptr<SnapshotFile>> Open(
      const std::string& path);

  uint64_t records() const { return reader_->records(); }

  // Brings the store to what the snapshot has, in several writes: after an
  // error, or if the process is killed, a part of them may be there.
  absl::Status LoadInto(Store& store, LoadMode mode);

 private:
  SnapshotFile() = default;

  absl::Status DeleteOthers(Store& store);

  std::ifstream file_;
  std::unique_ptr<SnapshotReader> reader_;
};

// Whether there are any keys.
absl::StatusOr<bool> HasKeys(Store& store);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SNAPSHOT_FILES_H_
