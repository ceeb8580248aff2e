#include "tests/simulation/system_call_faults.h"

#include <fcntl.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>

namespace stave {

SystemCallFaults& SystemCallFaults::Get() {
  static SystemCallFaults faults;
  return faults;
}

void SystemCallFaults::Plan(Kind kind, uint64_t nth, bool sticky) {
  kind_ = kind;
  nth_ = nth;
  sticky_ = sticky;
  was_interrupted_ = false;
  ResetCalls();
}

bool SystemCallFaults::Meets(Kind kind) {
  // The same call, made again.
  if (kind == kInterrupted && was_interrupted_) {
    was_interrupted_ = false;
    return false;
  }
  const uint64_t number = calls_[kind]++;
  const bool meets =
      kind == kind_ && (number == nth_ || (sticky_ && number > nth_));
  was_interrupted_ = meets && kind == kInterrupted;
  return meets;
}

namespace {

bool IsInterrupted() {
  if (!SystemCallFaults::Get().Meets(SystemCallFaults::kInterrupted)) {
    return false;
  }
  errno = EINTR;
  return true;
}

size_t Transferred(size_t size) {
  const bool is_short =
      size > 1 && SystemCallFaults::Get().Meets(SystemCallFaults::kShort);
  return is_short ? std::max<size_t>(1, size / 2) : size;
}

}  // namespace
}  // namespace stave

// NOLINTBEGIN: the linker chooses these names.
extern "C" {

int __real_open(const char* path, int flags, ...);
int __real_openat(int directory, const char* path, int flags, ...);
ssize_t __real_pread(int file, void* to, size_t size, off_t offset);
ssize_t __real_pwritev(int file, const iovec* from, int count, off_t offset);
int __real_fallocate(int file, int mode, off_t offset, off_t size);
int __real_ftruncate(int file, off_t size);
int __real_fdatasync(int file);
int __real_fsync(int file);
int __real_flock(int file, int operation);
int __real_close(int file);

int __wrap_open(const char* path, int flags, ...) {
  if (stave::IsInterrupted()) return -1;
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return __real_open(path, flags, mode);
}

int __wrap_openat(int directory, const char* path, int flags, ...) {
  if (stave::IsInterrupted()) return -1;
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return __real_openat(directory, path, flags, mode);
}

ssize_t __wrap_pread(int file, void* to, size_t size, off_t offset) {
  if (stave::IsInterrupted()) return -1;
  return __real_pread(file, to, stave::Transferred(size), offset);
}

ssize_t __wrap_pwritev(int file, const iovec* from, int count, off_t offset) {
  if (stave::IsInterrupted()) return -1;
  size_t size = 0;
  for (int i = 0; i < count; ++i) size += from[i].iov_len;
  size_t left = stave::Transferred(size);
  if (left == size) return __real_pwritev(file, from, count, offset);
  ssize_t written = 0;
  for (int i = 0; i < count && left > 0; ++i) {
    const iovec part = {from[i].iov_base, std::min(from[i].iov_len, left)};
    const ssize_t result = __real_pwritev(file, &part, 1, offset + written);
    if (result < 0) return result;
    written += result;
    left -= part.iov_len;
  }
  return written;
}

int __wrap_fallocate(int file, int mode, off_t offset, off_t size) {
  if (stave::IsInterrupted()) return -1;
  return __real_fallocate(file, mode, offset, size);
}

int __wrap_ftruncate(int file, off_t size) {
  if (stave::IsInterrupted()) return -1;
  return __real_ftruncate(file, size);
}

int __wrap_fdatasync(int file) {
  if (stave::IsInterrupted()) return -1;
  return __real_fdatasync(file);
}

int __wrap_fsync(int file) {
  if (stave::IsInterrupted()) return -1;
  return __real_fsync(file);
}

int __wrap_flock(int file, int operation) {
  if (stave::IsInterrupted()) return -1;
  return __real_flock(file, operation);
}

int __wrap_close(int file) {
  const int result = __real_close(file);
  if (!stave::SystemCallFaults::Get().Meets(
          stave::SystemCallFaults::kCloseError)) {
    return result;
  }
  errno = EIO;
  return -1;
}

}  // extern "C"
// NOLINTEND
