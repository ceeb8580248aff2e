#ifndef STAVE_GLOB_H_
#define STAVE_GLOB_H_

#include <string>
#include <string_view>

namespace stave {

// A pattern for keys, as Redis has them, by bytes:
//
//   *        any bytes, also none
//   ?        any one byte
//   [a-z]    one of these bytes; a range may stand the other way round
//   [^a-z]   one byte that is none of these
//   \x       the byte x itself, whatever it is, in brackets too
//
// A '[' without its ']' is a class that ends with the pattern, a '\' at the
// end stands for itself. There is no pattern that is wrong. The rules are those
// of stringmatchlen in Redis' util.c, but not its time: see Matches.
//
//   const stave::Glob users("user:*");
//   const bool is_user = users.Matches("user:1");  // true
//
// Keeps a copy of the pattern. Immutable, so thread-safe.
class Glob {
 public:
  explicit Glob(std::string_view pattern) : pattern_(pattern) {}

  // Whether all of `key` fits. Takes time linear in the key, and no more than
  // both lengths multiplied, whatever the pattern: stars don't multiply it.
  bool Matches(std::string_view key) const;

  // The bytes with which every key that matches begins: what to give an
  // iterator as its prefix.
  std::string LiteralPrefix() const;

 private:
  std::string pattern_;
};

}  // namespace stave

#endif  // STAVE_GLOB_H_
