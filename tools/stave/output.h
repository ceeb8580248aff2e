#ifndef STAVE_TOOLS_STAVE_OUTPUT_H_
#define STAVE_TOOLS_STAVE_OUTPUT_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace stave::tool {

// A file that is written to through a buffer. Every write is checked: after
// the first one that fails nothing is written any more, and every call returns
// that error. Cancelled: the other end of a pipe was closed, as `head` does;
// all other errors are errors. Thread-compatible.
class Output {
 public:
  // Borrows `descriptor`; `name` is for messages.
  Output(int descriptor, std::string_view name)
      : descriptor_(descriptor), name_(name) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  absl::Status Write(std::string_view bytes);

  // Hands to the operating system what is in the buffer. Whoever writes ends
  // with this; the destructor does not.
  absl::Status Flush();

  // What every call returns by now.
  const absl::Status& status() const { return status_; }
  int descriptor() const { return descriptor_; }

 private:
  absl::Status WriteThrough(std::string_view bytes);

  const int descriptor_;
  const std::string name_;
  std::string buffer_;
  absl::Status status_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_OUTPUT_H_
