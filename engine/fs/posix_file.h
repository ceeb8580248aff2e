#ifndef STAVE_ENGINE_FS_POSIX_FILE_H_
#define STAVE_ENGINE_FS_POSIX_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/fs/file_descriptor.h"
#include "engine/fs/file_system.h"
#include "engine/fs/lock_registry.h"

namespace stave {

// A File by Linux's system calls.
class PosixFile : public File {
 public:
  // `descriptor` is that of a regular file, `path` is for messages, and
  // `claim` is for a file that is locked.
  PosixFile(FileDescriptor descriptor, std::string path,
            std::unique_ptr<LockClaim> claim = nullptr)
      : path_(std::move(path)),
        claim_(std::move(claim)),
        descriptor_(std::move(descriptor)) {}
  ~PosixFile() override;

  using File::Write;
  absl::StatusOr<uint64_t> Size() const override;
  absl::StatusOr<size_t> Read(uint64_t offset,
                              absl::Span<char> to) const override;
  size_t ReadCached(uint64_t offset, absl::Span<char> to) const override;
  void WillNeed(uint64_t offset, uint64_t size) const override;
  void CacheInHugePages(uint64_t offset, uint64_t size) const override;
  void StartSync(uint64_t offset, uint64_t size) const override;
  absl::Status Write(uint64_t offset,
                     absl::Span<const std::string_view> parts) override;
  absl::Status Allocate(uint64_t offset, uint64_t size) override;
  absl::Status Truncate(uint64_t size) override;
  absl::Status SyncData() override;
  absl::StatusOr<std::unique_ptr<FileMapping>> Map(size_t size,
                                                   bool writable) override;

 private:
  // The status of a call on the bytes at `offset` that has just failed.
  absl::Status FailedAt(uint64_t offset, std::string_view operation) const;

  const std::string path_;
  const std::unique_ptr<LockClaim> claim_;
  // Unlocked and closed before the claim is given up.
  const FileDescriptor descriptor_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_FS_POSIX_FILE_H_
