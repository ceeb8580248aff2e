#ifndef STAVE_ENGINE_LOG_FILE_WINDOW_H_
#define STAVE_ENGINE_LOG_FILE_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/fs/file_system.h"

namespace stave {

// Bytes [begin, end) of a file.
struct ByteRange {
  uint64_t begin = 0;
  uint64_t end = 0;

  uint64_t size() const { return end - begin; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// Reads a file of any size through a megabyte of memory, best from front to
// back. What can't be read is part of what it finds out: pages that the device
// refuses read as zeros, and are listed. A mapping would end the process there.
//
// Thread-compatible; borrows the file.
class FileWindow {
 public:
  static constexpr size_t kBytes = size_t{1} << 20;

  // `size`: where the file is taken to end. `read` is told how many bytes were
  // read each time.
  FileWindow(const File* file, uint64_t size,
             std::function<void(uint64_t)> read = nullptr);

  // Less than at first if the file became shorter.
  uint64_t size() const { return size_; }

  // The bytes that are at hand from `offset` on: at least `least`, which is at
  // most kBytes / 2, or all there are. Valid until the next call.
  std::string_view From(uint64_t offset, size_t least);
  // The same, and no more than `size`.
  std::string_view At(uint64_t offset, size_t size) {
    return From(offset, size).substr(0, size);
  }

  // Forgets what is at hand: somebody may have changed it.
  void Forget() { length_ = 0; }

  // Ranges that could not be read, and the error of the last one.
  const std::vector<ByteRange>& unreadable() const { return unreadable_; }
  const std::string& read_error() const { return read_error_; }

 private:
  void Load(uint64_t offset);
  void LoadPages();
  void NoteUnreadable(ByteRange range);

  const File& file_;
  const std::function<void(uint64_t)> read_;
  uint64_t size_;
  const std::unique_ptr<char[]> buffer_;
  uint64_t start_ = 0;  // of what is in the buffer
  size_t length_ = 0;
  uint64_t read_through_ = 0;
  std::vector<ByteRange> unreadable_;
  std::string read_error_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_FILE_WINDOW_H_
