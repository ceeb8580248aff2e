#ifndef STAVE_TOOLS_STAVE_FILE_REPLACEMENT_H_
#define STAVE_TOOLS_STAVE_FILE_REPLACEMENT_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/stave/file_descriptor.h"
#include "tools/stave/removal_on_signal.h"

namespace stave::tool {

// A file that takes its name only when it is complete: until then, and for
// ever if that never comes, an older file of that name stays as it was. What
// is written goes to a file beside it, readable by its owner alone, as a store
// is. A name that stands for something else than a regular file, such as a
// pipe or /dev/null, is written to directly.
class FileReplacement {
 public:
  static absl::StatusOr<FileReplacement> Create(const std::string& path);

  FileReplacement(FileReplacement&& other) noexcept
      : file_(std::move(other.file_)),
        temporary_(std::exchange(other.temporary_, {})),
        path_(std::move(other.path_)),
        on_signal_(std::move(other.on_signal_)) {}
  FileReplacement& operator=(FileReplacement&&) = delete;
  // Removes what was written, unless it was committed. So does a signal that
  // ends the process, as Ctrl-C does.
  ~FileReplacement();

  int descriptor() const { return file_.number(); }

  // When this returns OK, the bytes and their name are on the device.
  absl::Status Commit();

 private:
  FileReplacement(FileDescriptor file, std::string temporary, std::string path)
      : file_(std::move(file)),
        temporary_(std::move(temporary)),
        path_(std::move(path)) {
    if (temporary_.empty()) return;
    on_signal_ = std::make_unique<RemovalOnSignal>(temporary_);
  }

  FileDescriptor file_;
  std::string temporary_;  // empty: written directly, or committed
  std::string path_;
  std::unique_ptr<RemovalOnSignal> on_signal_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_FILE_REPLACEMENT_H_
