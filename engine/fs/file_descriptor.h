#ifndef STAVE_ENGINE_FS_FILE_DESCRIPTOR_H_
#define STAVE_ENGINE_FS_FILE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace stave {

// Owns a file descriptor, or none.
class FileDescriptor {
 public:
  // Takes what open(2) returned: a descriptor, or -1 for none.
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept
      : descriptor_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;

  // What close(2) reports was not promised to anybody: durable is only what a
  // sync has confirmed. Linux closes also when it reports EINTR.
  ~FileDescriptor() {
    if (ok()) close(descriptor_);
  }

  bool ok() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }
  // Hands the descriptor to somebody else, who closes it.
  int Release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_FS_FILE_DESCRIPTOR_H_
