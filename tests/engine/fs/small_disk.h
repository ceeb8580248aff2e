#ifndef STAVE_TESTS_ENGINE_FS_SMALL_DISK_H_
#define STAVE_TESTS_ENGINE_FS_SMALL_DISK_H_

#include <cstddef>
#include <string>

#include "tests/engine/fs/temporary_directory.h"

namespace stave {

// A file system of its own, a tmpfs, that is soon full. For tests without
// threads. Where the kernel does not allow it, mounted() is false, and the
// test is to be skipped.
class SmallDisk {
 public:
  explicit SmallDisk(size_t bytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  const std::string& path() const { return temporary_.path(); }

 private:
  const TemporaryDirectory temporary_;
  bool mounted_ = false;
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_FS_SMALL_DISK_H_
