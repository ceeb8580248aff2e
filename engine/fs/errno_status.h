#ifndef STAVE_ENGINE_FS_ERRNO_STATUS_H_
#define STAVE_ENGINE_FS_ERRNO_STATUS_H_

#include <cerrno>
#include <string_view>

#include "absl/status/status.h"

namespace stave {

// The Status of a system call that has failed with `error`, one of errno.h, by
// the table in file_system.h. Its message is, for example,
//   open /data/store/MANIFEST-1: Permission denied
absl::Status ErrnoStatus(int error, std::string_view operation,
                         std::string_view path);

// Makes a system call, which says that it failed by -1 and errno, again for as
// long as signals interrupt it. Returns what it returned last.
template <typename SystemCall>
auto RetryInterrupted(SystemCall call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

}  // namespace stave

#endif  // STAVE_ENGINE_FS_ERRNO_STATUS_H_
