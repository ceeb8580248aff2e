#include "engine/fs/posix_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "engine/base/durability_site.h"
#include "engine/fs/errno_status.h"
#include "engine/fs/posix_mapping.h"
#include "engine/fs/remaining_parts.h"

namespace stave {
namespace {

// As in mman.h from Linux 5.14 on, for C libraries that are older.
#ifdef MADV_POPULATE_READ
constexpr int kPopulateRead = MADV_POPULATE_READ;
#else
constexpr int kPopulateRead = 22;
#endif

}  // namespace

// A forked child has a copy of the descriptor, which would keep the lock; and
// what the child does with its copy must not take the lock from the parent.
PosixFile::~PosixFile() {
  if (claim_ != nullptr && claim_->IsOfThisProcess()) {
    flock(descriptor_.get(), LOCK_UN);
  }
}

absl::Status PosixFile::FailedAt(uint64_t offset,
                                 std::string_view operation) const {
  const int error = errno;  // Before the allocation below can change it.
  return ErrnoStatus(error, operation, absl::StrCat(path_, " at ", offset));
}

absl::StatusOr<uint64_t> PosixFile::Size() const {
  struct stat about;
  if (fstat(descriptor_.get(), &about) != 0) {
    return ErrnoStatus(errno, "stat", path_);
  }
  return static_cast<uint64_t>(about.st_size);
}

absl::StatusOr<size_t> PosixFile::Read(uint64_t offset,
                                       absl::Span<char> to) const {
  size_t done = 0;
  while (done < to.size()) {
    const ssize_t read = RetryInterrupted([&] {
      return pread(descriptor_.get(), to.data() + done, to.size() - done,
                   static_cast<off_t>(offset + done));
    });
    if (read < 0) return FailedAt(offset + done, "read");
    if (read == 0) break;  // The end of the file.
    done += static_cast<size_t>(read);
  }
  return done;
}

size_t PosixFile::ReadCached(uint64_t offset, absl::Span<char> to) const {
  const iovec vector{to.data(), to.size()};
  const ssize_t read = preadv2(descriptor_.get(), &vector, 1,
                               static_cast<off_t>(offset), RWF_NOWAIT);
  return read < 0 ? 0 : static_cast<size_t>(read);
}

void PosixFile::WillNeed(uint64_t offset, uint64_t size) const {
  static_cast<void>(posix_fadvise(descriptor_.get(), static_cast<off_t>(offset),
                                  static_cast<off_t>(size),
                                  POSIX_FADV_WILLNEED));
}

// By a mapping that goes at once: the advice would stay with one that is read,
// whose every page fault would then read as much from the device.
void PosixFile::CacheInHugePages(uint64_t offset, uint64_t size) const {
  void* const mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED,
                            descriptor_.get(), static_cast<off_t>(offset));
  if (mapped == MAP_FAILED) return;
  if (madvise(mapped, size, MADV_HUGEPAGE) == 0) {
    static_cast<void>(madvise(mapped, size, kPopulateRead));
  }
  munmap(mapped, size);
}

void PosixFile::StartSync(uint64_t offset, uint64_t size) const {
  static_cast<void>(
      sync_file_range(descriptor_.get(), static_cast<off_t>(offset),
                      static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE));
}

absl::Status PosixFile::Write(uint64_t offset,
                              absl::Span<const std::string_view> parts) {
  RemainingParts remaining(parts);
  while (!remaining.empty()) {
    std::array<iovec, 16> vectors;
    const size_t count = remaining.Describe(absl::MakeSpan(vectors));
    const ssize_t written = RetryInterrupted([&] {
      return pwritev(descriptor_.get(), vectors.data(), static_cast<int>(count),
                     static_cast<off_t>(offset));
    });
    if (written < 0) return FailedAt(offset, "write");
    remaining.Advance(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return absl::OkStatus();
}

absl::Status PosixFile::Allocate(uint64_t offset, uint64_t size) {
  if (size == 0) return absl::OkStatus();  // fallocate refuses to do nothing.
  const int result = RetryInterrupted([&] {
    return fallocate(descriptor_.get(), 0, static_cast<off_t>(offset),
                     static_cast<off_t>(size));
  });
  return result == 0 ? absl::OkStatus() : FailedAt(offset, "allocate");
}

absl::Status PosixFile::Truncate(uint64_t size) {
  const int result = RetryInterrupted(
      [&] { return ftruncate(descriptor_.get(), static_cast<off_t>(size)); });
  return result == 0 ? absl::OkStatus() : FailedAt(size, "truncate");
}

absl::Status PosixFile::SyncData() {
  // Only an interrupted call is made again, which has reported nothing about
  // the data; a failed one never is (I7).
  const auto sync = [this] { return fdatasync(descriptor_.get()); };
  const int result = DURABILITY_SITE(kFileSync, RetryInterrupted(sync));
  if (result != 0) return ErrnoStatus(errno, "fdatasync", path_);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FileMapping>> PosixFile::Map(size_t size,
                                                            bool writable) {
  return PosixMapping::Map(descriptor_.get(), size, writable, path_);
}

}  // namespace stave
