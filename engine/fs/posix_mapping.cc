#include "engine/fs/posix_mapping.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>

#include "engine/fs/errno_status.h"

namespace stave {
namespace {

// As in mman.h from Linux 5.14 on, for C libraries that are older.
#ifdef MADV_POPULATE_WRITE
constexpr int kPopulateWrite = MADV_POPULATE_WRITE;
#else
constexpr int kPopulateWrite = 23;
#endif

size_t PageSize() {
  static const size_t size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileMapping>> PosixMapping::Map(
    int descriptor, size_t size, bool writable, const std::string& path) {
  char* data = nullptr;
  if (size > 0) {  // mmap refuses to map nothing.
    const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void* mapped = mmap(nullptr, size, protection, MAP_SHARED, descriptor, 0);
    if (mapped == MAP_FAILED) return ErrnoStatus(errno, "map", path);
    data = static_cast<char*>(mapped);
    // Where nothing is written yet there is nothing to read ahead: the kernel
    // would make as many empty pages, megabytes of them, and no huge one can
    // come where one of those is. Only advice.
    if (writable) static_cast<void>(madvise(data, size, MADV_RANDOM));
  }
  return std::unique_ptr<FileMapping>(new PosixMapping(data, size, path));
}

PosixMapping::~PosixMapping() {
  if (size() > 0) munmap(mutable_data(), size());
}

void PosixMapping::Store(size_t offset,
                         absl::Span<const std::string_view> parts) {
  assert(offset <= size());
  char* to = mutable_data() + offset;
  for (const std::string_view part : parts) {
    if (part.empty()) continue;  // Its address may be null.
    assert(part.size() <= static_cast<size_t>(data() + size() - to));
    std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
}

void PosixMapping::Populate(size_t offset, size_t size) {
  assert(offset <= this->size() && size <= this->size() - offset);
  const size_t in_page = offset % PageSize();
  // Older kernels don't know this advice. Whatever else may fail, the Store
  // that follows meets it too.
  static_cast<void>(madvise(mutable_data() + offset - in_page, in_page + size,
                            kPopulateWrite));
}

absl::Status PosixMapping::MakeReadOnly() {
  if (size() == 0) return absl::OkStatus();
  if (mprotect(mutable_data(), size(), PROT_READ) != 0) {
    return ErrnoStatus(errno, "protect", path_);
  }
  static_cast<void>(madvise(mutable_data(), size(), MADV_NORMAL));
  return absl::OkStatus();
}

}  // namespace stave
