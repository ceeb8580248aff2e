#ifndef STAVE_TOOLS_STAVE_JSON_LINES_H_
#define STAVE_TOOLS_STAVE_JSON_LINES_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tools/stave/record.h"

namespace stave::tool {

// A record as one JSON object in a line, without its newline:
//
//   {"key":"user:1","value":"Alice","expire_at_ms":1789000000000}
//
// `key_base64` and `value_base64` take the places of those that are not UTF-8;
// `expire_at_ms` is there where the key expires.
void AppendJsonLine(const Record& record, std::string* line);

// Reads such lines. Thread-compatible.
class JsonLineDecoder {
 public:
  // The record's bytes live until the next call. InvalidArgument says what is
  // wrong with the line: it must be one object with exactly these fields, in
  // any order. Memory and time are bounded by the line's length; nothing is
  // ever nested.
  absl::StatusOr<Record> Decode(std::string_view line);

 private:
  std::string key_;
  std::string value_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_JSON_LINES_H_
