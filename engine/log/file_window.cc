#include "engine/log/file_window.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace stave {
namespace {

constexpr size_t kPageBytes = 4096;

}  // namespace

FileWindow::FileWindow(const File* file, uint64_t size,
                       std::function<void(uint64_t)> read)
    : file_(*file),
      read_(std::move(read)),
      size_(size),
      buffer_(new char[kBytes]) {}

std::string_view FileWindow::From(uint64_t offset, size_t least) {
  if (offset >= size_) return {};
  least = std::min<uint64_t>(least, size_ - offset);
  if (offset < start_ || offset - start_ + least > length_) Load(offset);
  if (offset - start_ >= length_) return {};
  return std::string_view(buffer_.get() + (offset - start_),
                          length_ - (offset - start_));
}

void FileWindow::Load(uint64_t offset) {
  start_ = offset - offset % kPageBytes;
  length_ = std::min<uint64_t>(kBytes, size_ - start_);
  const absl::StatusOr<size_t> read =
      file_.Read(start_, absl::MakeSpan(buffer_.get(), length_));
  if (!read.ok()) {
    LoadPages();
  } else if (*read < length_) {
    length_ = *read;
    size_ = start_ + length_;
  }
  const uint64_t end = start_ + length_;
  if (end <= read_through_) return;
  if (read_) read_(end - read_through_);
  read_through_ = end;
}

void FileWindow::LoadPages() {
  for (size_t at = 0; at < length_; at += kPageBytes) {
    const size_t size = std::min(kPageBytes, length_ - at);
    const absl::Span<char> page = absl::MakeSpan(buffer_.get() + at, size);
    const absl::StatusOr<size_t> read = file_.Read(start_ + at, page);
    const size_t good = read.ok() ? *read : 0;
    std::fill(page.begin() + good, page.end(), '\0');
    if (read.ok()) continue;
    read_error_ = std::string(read.status().message());
    NoteUnreadable({start_ + at, start_ + at + size});
  }
}

void FileWindow::NoteUnreadable(ByteRange range) {
  if (!unreadable_.empty() && unreadable_.back().end >= range.begin) {
    unreadable_.back().end = std::max(unreadable_.back().end, range.end);
    return;
  }
  unreadable_.push_back(range);
}

}  // namespace stave
