#ifndef STAVE_TOOLS_STAVE_LINE_READER_H_
#define STAVE_TOOLS_STAVE_LINE_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace stave::tool {

// Splits what a file holds into lines, read in large blocks. A line ends with
// '\n', which is not part of it; the last one may lack it. Takes the memory of
// the longest line. Thread-compatible.
//
//   LineReader reader(descriptor, "a.tsv", max_line_bytes);
//   while (reader.Next()) Use(reader.line());
//   if (!reader.status().ok()) return reader.status();
class LineReader {
 public:
  // Borrows `descriptor`; `name` is for messages.
  LineReader(int descriptor, std::string_view name, size_t max_line_bytes)
      : descriptor_(descriptor), name_(name), max_line_bytes_(max_line_bytes) {}

  // To the next line. False: there is none, and status() tells why.
  bool Next();

  // The present line; valid until Next is called.
  std::string_view line() const { return line_; }
  // Its number; the first one is 1. After the end, how many there were.
  uint64_t line_number() const { return line_number_; }
  // What all lines so far take, their ends included.
  uint64_t bytes() const { return bytes_; }
  // Whether Next can return without reading from the file.
  bool HasBufferedLine() const;

  // InvalidArgument, with the line's number: a line that is too long.
  const absl::Status& status() const { return status_; }

 private:
  // Takes the `size` bytes at begin_ as the line, and its end.
  void TakeLine(size_t size, size_t end_size);
  // Appends a block to the buffer, or notes that there is none.
  void Fill();

  const int descriptor_;
  const std::string name_;
  const size_t max_line_bytes_;

  // Bytes from begin_ to end_ are not taken yet; there is no '\n' before
  // scanned_. begin_ <= scanned_ <= end_ <= buffer_.size().
  std::string buffer_;
  size_t begin_ = 0;
  size_t scanned_ = 0;
  size_t end_ = 0;
  bool at_end_ = false;

  std::string_view line_;
  uint64_t line_number_ = 0;
  uint64_t bytes_ = 0;
  absl::Status status_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_LINE_READER_H_
