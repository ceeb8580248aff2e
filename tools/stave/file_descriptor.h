#ifndef STAVE_TOOLS_STAVE_FILE_DESCRIPTOR_H_
#define STAVE_TOOLS_STAVE_FILE_DESCRIPTOR_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace stave::tool {

// An open file that is closed with the object.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept
      : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor();

  int number() const { return number_; }

 private:
  int number_ = -1;
};

// Opens a file for reading.
absl::StatusOr<FileDescriptor> OpenForReading(const std::string& path);

// read(2) and write(2), again when a signal interrupted them, and, where the
// file is in non-blocking mode, when it is ready.
ssize_t ReadSome(int descriptor, char* to, size_t size);
ssize_t WriteSome(int descriptor, const char* from, size_t size);

// All bytes up to the end. InvalidArgument if there are more than `max_bytes`;
// then no more than that many and one block were read.
absl::StatusOr<std::string> ReadAll(int descriptor, std::string_view name,
                                    size_t max_bytes);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_FILE_DESCRIPTOR_H_
