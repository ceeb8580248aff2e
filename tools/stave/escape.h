#ifndef STAVE_TOOLS_STAVE_ESCAPE_H_
#define STAVE_TOOLS_STAVE_ESCAPE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace stave::tool {

// Keys and values as text within a line: bytes that would break the line or
// the terminal (control characters, the backslash, bytes that are not UTF-8)
// are written \n \t \r \\ \xHH, all others stand for themselves. Any bytes
// come back from their escaped form unchanged.
void AppendEscaped(std::string_view bytes, std::string* line);

// The same, for one string.
std::string Escaped(std::string_view bytes);

// A key as messages name it: escaped, in quotes, and cut where it is long.
std::string Quoted(std::string_view key);

// Sets *bytes to what `text` stands for. Accepts every byte that is not part
// of an escape as it is, also those that AppendEscaped would have escaped.
// InvalidArgument: a backslash that begins none of the escapes above.
absl::Status Unescape(std::string_view text, std::string* bytes);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_ESCAPE_H_
