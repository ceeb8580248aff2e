#ifndef STAVE_TOOLS_STAVE_PROGRESS_H_
#define STAVE_TOOLS_STAVE_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace stave::tool {

// One line on standard error that tells a person how far long work is. Silent
// unless standard error is a terminal. Thread-compatible.
//
//   Progress progress("loaded", /*total_bytes=*/1000000);
//   while (...) progress.Add(record_bytes);
class Progress {
 public:
  // `total_bytes`: 0 when it is not known, or not yet.
  Progress(std::string_view verb, uint64_t total_bytes);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // Leaves the last figures on a line of their own.
  ~Progress();

  // Whether anybody sees it.
  bool shown() const { return shown_; }

  // More bytes, of work that doesn't count records.
  void AddBytes(uint64_t bytes) {
    bytes_ += bytes;
    if (bytes_ >= look_at_bytes_) Look();
  }

  // Another record of so many bytes. Costs two additions most of the time: the
  // clock is read once in a thousand records or a megabyte.
  void Add(uint64_t record_bytes) {
    ++records_;
    bytes_ += record_bytes;
    if (records_ >= look_at_records_ || bytes_ >= look_at_bytes_) Look();
  }

  // So many bytes by now, of so many, for work that is asked, or tells, now and
  // then how far it is. Reads the clock each time.
  void Reach(uint64_t bytes, uint64_t total_bytes) {
    bytes_ = bytes;
    total_bytes_ = total_bytes;
    Look();
  }

 private:
  // Prints, if the last time is long enough ago.
  void Look();
  void Print(absl::Duration now);

  const std::string verb_;
  uint64_t total_bytes_;
  const bool shown_;
  // By SystemClock's elapsed time.
  const absl::Duration start_;
  absl::Duration printed_;
  bool has_printed_ = false;
  size_t printed_size_ = 0;

  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
  uint64_t look_at_records_ = 0;
  uint64_t look_at_bytes_ = 0;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_PROGRESS_H_
