#ifndef STAVE_ENGINE_FS_POSIX_MAPPING_H_
#define STAVE_ENGINE_FS_POSIX_MAPPING_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/fs/file_system.h"

namespace stave {

// A file mapped by mmap(2), shared: loads see what Write wrote, Read sees what
// Store stored, and both survive the process without a further call.
class PosixMapping : public FileMapping {
 public:
  // Maps the first `size` bytes of an open file; `path` is for messages.
  static absl::StatusOr<std::unique_ptr<FileMapping>> Map(
      int descriptor, size_t size, bool writable, const std::string& path);

  PosixMapping(const PosixMapping&) = delete;
  PosixMapping& operator=(const PosixMapping&) = delete;
  ~PosixMapping() override;

  void Store(size_t offset, absl::Span<const std::string_view> parts) override;
  void Populate(size_t offset, size_t size) override;
  absl::Status MakeReadOnly() override;

 private:
  PosixMapping(char* data, size_t size, const std::string& path)
      : FileMapping(data, size), path_(path) {}

  const std::string path_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_FS_POSIX_MAPPING_H_
