#ifndef STAVE_TOOLS_STAVE_GLOB_H_
#define STAVE_TOOLS_STAVE_GLOB_H_

#include <string>
#include <string_view>

namespace stave::tool {

// A pattern for keys, as Redis has them, by bytes:
//
//   *        any bytes, also none
//   ?        any one byte
//   [a-z]    one of these bytes; a range may stand the other way round
//   [^a-z]   one byte that is none of these
//   \x       the byte x itself, whatever it is, in brackets too
//
// A '[' without its ']' is a class that ends with the pattern, a '\' at the
// end stands for itself. There is no pattern that is wrong.
//
// Immutable, so thread-safe.
class Glob {
 public:
  explicit Glob(std::string_view pattern) : pattern_(pattern) {}

  // Takes time in the order of both lengths multiplied, whatever the pattern.
  bool Matches(std::string_view key) const;

  // The bytes with which every key that matches begins.
  std::string LiteralPrefix() const;

 private:
  std::string pattern_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_GLOB_H_
