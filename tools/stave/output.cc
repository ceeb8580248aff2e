#include "tools/stave/output.h"

#include <cerrno>
#include <cstddef>

#include "absl/strings/str_format.h"
#include "tools/stave/file_descriptor.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/system_error.h"

namespace stave::tool {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 16;

}  // namespace

absl::Status Output::Write(std::string_view bytes) {
  if (bytes.size() >= kBufferBytes) {
    RETURN_IF_ERROR(Flush());
    return WriteThrough(bytes);
  }
  buffer_.append(bytes);
  if (buffer_.size() < kBufferBytes) return status_;
  return Flush();
}

absl::Status Output::Flush() {
  RETURN_IF_ERROR(WriteThrough(buffer_));
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status Output::WriteThrough(std::string_view bytes) {
  while (status_.ok() && !bytes.empty()) {
    const ssize_t count = WriteSome(descriptor_, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EPIPE) {
      status_ = absl::CancelledError(
          absl::StrFormat("%s: nobody reads it any more", name_));
    } else {
      status_ = SystemError("write to", name_, errno);
    }
  }
  return status_;
}

}  // namespace stave::tool
