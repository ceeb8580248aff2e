#include "tools/stave/file_descriptor.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_format.h"
#include "tools/stave/system_error.h"

namespace stave::tool {
namespace {

constexpr size_t kBlockBytes = size_t{1} << 18;

// Whether a call that failed is worth another try; waits until it is.
bool ShouldRetry(int descriptor, short events) {
  if (errno == EINTR) return true;
  if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
  pollfd poll_descriptor = {descriptor, events, 0};
  return poll(&poll_descriptor, 1, -1) >= 0 || errno == EINTR;
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  // Whoever wrote to it has synced it; a reader has nothing to lose.
  if (number_ >= 0) (void)close(number_);
}

absl::StatusOr<FileDescriptor> OpenForReading(const std::string& path) {
  const int number = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (number < 0) return SystemError("open", path, errno);
  return FileDescriptor(number);
}

ssize_t ReadSome(int descriptor, char* to, size_t size) {
  while (true) {
    const ssize_t result = read(descriptor, to, size);
    if (result >= 0 || !ShouldRetry(descriptor, POLLIN)) return result;
  }
}

ssize_t WriteSome(int descriptor, const char* from, size_t size) {
  while (true) {
    const ssize_t result = write(descriptor, from, size);
    if (result >= 0 || !ShouldRetry(descriptor, POLLOUT)) return result;
  }
}

absl::StatusOr<std::string> ReadAll(int descriptor, std::string_view name,
                                    size_t max_bytes) {
  std::string bytes;
  size_t size = 0;
  while (size <= max_bytes) {
    if (bytes.size() == size) {
      // The last time to all that there may be, so that no copy of nearly as
      // much is made for the rest.
      const size_t wanted = size + std::max(size, kBlockBytes);
      bytes.resize(wanted >= max_bytes ? max_bytes + 1 : wanted);
    }
    const ssize_t count =
        ReadSome(descriptor, bytes.data() + size, bytes.size() - size);
    if (count < 0) return SystemError("read", name, errno);
    if (count == 0) {
      bytes.resize(size);
      return bytes;
    }
    size += static_cast<size_t>(count);
  }
  return absl::InvalidArgumentError(absl::StrFormat(
      "%s has more than %d bytes, the most a value may have", name, max_bytes));
}

}  // namespace stave::tool
