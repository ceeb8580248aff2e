#include "tools/stave/line_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"
#include "tools/stave/file_descriptor.h"
#include "tools/stave/system_error.h"

namespace stave::tool {
namespace {

constexpr size_t kBlockBytes = size_t{1} << 18;

}  // namespace

bool LineReader::Next() {
  while (status_.ok()) {
    const char* from = buffer_.data() + scanned_;
    const void* newline = std::memchr(from, '\n', end_ - scanned_);
    if (newline != nullptr) {
      const char* line_end = static_cast<const char*>(newline);
      TakeLine(static_cast<size_t>(line_end - buffer_.data()) - begin_, 1);
      return true;
    }
    scanned_ = end_;
    if (end_ - begin_ > max_line_bytes_) {
      status_ = absl::InvalidArgumentError(absl::StrFormat(
          "%s: line %d: longer than any record", name_, line_number_ + 1));
    } else if (!at_end_) {
      Fill();
    } else if (begin_ < end_) {
      TakeLine(end_ - begin_, 0);
      return true;
    } else {
      break;
    }
  }
  line_ = {};
  return false;
}

bool LineReader::HasBufferedLine() const {
  return std::memchr(buffer_.data() + scanned_, '\n', end_ - scanned_) !=
         nullptr;
}

void LineReader::TakeLine(size_t size, size_t end_size) {
  line_ = std::string_view(buffer_).substr(begin_, size);
  ++line_number_;
  bytes_ += size + end_size;
  begin_ += size + end_size;
  scanned_ = begin_;
}

void LineReader::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    scanned_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    buffer_.resize(end_ + std::max(end_, kBlockBytes));
  }
  const ssize_t count =
      ReadSome(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
  if (count < 0) status_ = SystemError("read", name_, errno);
  if (count == 0) at_end_ = true;
  if (count > 0) end_ += static_cast<size_t>(count);
}

}  // namespace stave::tool
