#ifndef STAVE_TOOLS_STAVE_TSV_H_
#define STAVE_TOOLS_STAVE_TSV_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tools/stave/record.h"

namespace stave::tool {

// A record as a line of tab-separated text, without its newline:
//
//   KEY<TAB>VALUE[<TAB>expire_at_ms=MILLISECONDS]
//
// with key and value escaped as escape.h says, and the expiry, where there is
// one, in milliseconds since the Unix epoch. The third column carries its name
// so that a table which happens to have three columns is refused instead of
// being taken for records that expired long ago.
void AppendTsv(const Record& record, std::string* line);

// Reads such lines. Thread-compatible.
class TsvDecoder {
 public:
  // The record's bytes live until the next call, and as long as `line`.
  // InvalidArgument says what is wrong with the line. A carriage return before
  // the line's end is a byte of the value, as any other.
  absl::StatusOr<Record> Decode(std::string_view line);

 private:
  std::string key_;
  std::string value_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_TSV_H_
