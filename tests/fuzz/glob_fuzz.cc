#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stave/glob.h"
#include "tests/fuzz/fuzz_target.h"

// A pattern, a newline, and a key.

namespace stave {
namespace {

// Whether `byte` is in the class whose pattern follows its '['; takes the class
// off the pattern. As in Redis, a range ends with any byte, also ']', and does
// not begin with one behind a backslash.
bool TakeClass(std::string_view* pattern, char byte) {
  const auto take = [pattern] {
    const char taken = pattern->front();
    pattern->remove_prefix(1);
    return static_cast<unsigned char>(taken);
  };
  const auto wanted = static_cast<unsigned char>(byte);
  const bool negated = pattern->starts_with('^');
  if (negated) take();
  bool found = false;
  while (!pattern->empty()) {
    unsigned char low = take();
    if (low == ']') break;
    const bool escaped = low == '\\' && !pattern->empty();
    if (escaped) low = take();
    unsigned char high = low;
    if (!escaped && pattern->size() >= 2 && pattern->front() == '-') {
      take();
      high = take();
    }
    if (low > high) std::swap(low, high);
    found = found || (low <= wanted && wanted <= high);
  }
  return found != negated;
}

// Slow, and plain to see right.
bool Matches(std::string_view pattern, std::string_view key) {
  if (pattern.empty()) return key.empty();
  if (pattern.front() == '*') {
    for (size_t i = 0; i <= key.size(); ++i) {
      if (Matches(pattern.substr(1), key.substr(i))) return true;
    }
    return false;
  }
  if (key.empty()) return false;
  const char kind = pattern.front();
  pattern.remove_prefix(1);
  if (kind == '[') {
    if (!TakeClass(&pattern, key.front())) return false;
  } else if (kind == '\\' && !pattern.empty()) {
    if (pattern.front() != key.front()) return false;
    pattern.remove_prefix(1);
  } else if (kind != '?' && kind != key.front()) {
    return false;
  }
  return Matches(pattern, key.substr(1));
}

}  // namespace
}  // namespace stave

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  const std::string_view input = FuzzInput(data, size);
  const size_t end = input.find('\n');
  if (end == input.npos) return 0;
  const std::string_view pattern = input.substr(0, end);
  const std::string_view key = input.substr(end + 1);
  const Glob glob(pattern);
  const bool matches = glob.Matches(key);
  FUZZ_CHECK(!matches || key.starts_with(glob.LiteralPrefix()));
  // The slow way takes time exponential in the stars.
  if (pattern.size() > 24 || key.size() > 24) return 0;
  if (std::count(pattern.begin(), pattern.end(), '*') > 4) return 0;
  FUZZ_CHECK(matches == Matches(pattern, key));
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  return {"user:*\nuser:17", "a*b*c\naxxbyyc", "[a-z]?[^0-9]\nabc",
          "\\*\\?\\[\n*?[",  "[z-a\nm",        "*****\n",
          "[\\]-a]x\n^x",    "a[]b\nab",       "[^]b\nb",
          "[a-]\n-",         "[a\\\na"};
}
