#ifndef STAVE_TOOLS_STAVE_SNAPSHOT_FILES_H_
#define STAVE_TOOLS_STAVE_SNAPSHOT_FILES_H_

#include <cstdint>
#include <fstream>
#include <ios>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stave/store.h"
#include "tools/stave/loader.h"
#include "tools/stave/progress.h"
#include "tools/stave/snapshot_format.h"
#include "tools/stave/snapshot_reader.h"

namespace stave::tool {

// Writes all records of the store, as of one instant, to file `path`, which is
// replaced as a whole when the snapshot is complete and on the device.
// InvalidArgument if the file would be in the store's own directory. Others who
// want to save, in other threads, wait meanwhile. `show_progress`: on standard
// error, if that is a terminal.
absl::Status SaveSnapshot(Store& store, const std::string& store_directory,
                          SnapshotFormat format, const std::string& path,
                          bool show_progress);

// What is to become of a store that has keys already.
enum class LoadMode {
  kEmptyOnly,  // InvalidArgument, and nothing is changed
  kAdd,        // keys that the snapshot has not stay as they are
  kReplace,    // they go, when all that it has is there
};

// A snapshot file that was read and found right.
class SnapshotFile {
 public:
  // Errors as SnapshotReader::Open's, and of reading. `show_progress`: of this
  // and of LoadInto.
  static absl::StatusOr<std::unique_ptr<SnapshotFile>> Open(
      const std::string& path, bool show_progress);

  uint64_t records() const { return reader_->records(); }

  // Brings the store to what the snapshot has, in several writes: after an
  // error, or if the process is killed, a part of them may be there.
  absl::Status LoadInto(Store& store, LoadMode mode);

 private:
  // Shows how much of it is read, between Show and Hide.
  class ShownFile : public std::filebuf {
   public:
    void Show(std::string_view verb, uint64_t total_bytes) {
      progress_.emplace(verb, total_bytes);
    }
    void Hide() { progress_.reset(); }
    // Its bytes count as they are read.
    void AddRecord() {
      if (progress_.has_value()) progress_->Add(0);
    }

   protected:
    std::streamsize xsgetn(char* to, std::streamsize size) override;

   private:
    std::optional<Progress> progress_;
  };

  SnapshotFile() = default;

  absl::Status Read(const std::string& path);
  absl::Status LoadAll(Loader* loader);
  absl::Status DeleteOthers(Store& store);

  ShownFile file_;
  std::istream input_{&file_};
  uint64_t size_ = 0;
  bool show_progress_ = false;
  std::unique_ptr<SnapshotReader> reader_;
};

// Whether there are any keys.
absl::StatusOr<bool> HasKeys(Store& store);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SNAPSHOT_FILES_H_
