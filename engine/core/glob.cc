#include "stave/glob.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace stave {
namespace {

// Takes one byte of a class from `*pattern`, the one after the backslash if
// there is one.
uint8_t TakeClassByte(std::string_view* pattern) {
  if (pattern->size() >= 2 && pattern->front() == '\\') {
    pattern->remove_prefix(1);
  }
  const auto byte = static_cast<uint8_t>(pattern->front());
  pattern->remove_prefix(1);
  return byte;
}

bool TakePrefix(std::string_view prefix, std::string_view* pattern) {
  if (!pattern->starts_with(prefix)) return false;
  pattern->remove_prefix(prefix.size());
  return true;
}

// Takes a class, whose '[' is gone already, and says whether `byte` is in it.
bool TakeClass(std::string_view* pattern, uint8_t byte) {
  const bool negated = TakePrefix("^", pattern);
  bool found = false;
  while (!pattern->empty() && !TakePrefix("]", pattern)) {
    // As in Redis, a byte after a backslash never begins a range.
    const bool is_range = pattern->size() >= 3 && pattern->front() != '\\' &&
                          (*pattern)[1] == '-';
    uint8_t first = TakeClassByte(pattern);
    uint8_t last = first;
    if (is_range) {
      last = static_cast<uint8_t>((*pattern)[1]);
      pattern->remove_prefix(2);
    }
    if (first > last) std::swap(first, last);
    if (first <= byte && byte <= last) found = true;
  }
  return found != negated;
}

// Takes what stands for one byte, not a '*', from `*pattern`, and says whether
// `byte` is one that it stands for.
bool TakeOne(std::string_view* pattern, char byte) {
  if (TakePrefix("?", pattern)) return true;
  if (TakePrefix("[", pattern)) {
    return TakeClass(pattern, static_cast<uint8_t>(byte));
  }
  return TakeClassByte(pattern) == static_cast<uint8_t>(byte);
}

}  // namespace

// Only the last '*' is ever tried with more bytes: whatever an earlier one
// could take instead, the last one can skip. That is what bounds the time.
bool Glob::Matches(std::string_view key) const {
  struct Retry {
    std::string_view pattern;  // after the '*'
    std::string_view key;      // where that began last time
  };
  std::optional<Retry> retry;
  std::string_view pattern = pattern_;
  while (true) {
    if (TakePrefix("*", &pattern)) {
      retry = Retry{pattern, key};
      continue;
    }
    if (pattern.empty() && key.empty()) return true;
    if (!pattern.empty() && !key.empty() && TakeOne(&pattern, key.front())) {
      key.remove_prefix(1);
      continue;
    }
    if (!retry.has_value() || retry->key.empty()) return false;
    retry->key.remove_prefix(1);
    pattern = retry->pattern;
    key = retry->key;
  }
}

std::string Glob::LiteralPrefix() const {
  std::string prefix;
  std::string_view pattern = pattern_;
  while (!pattern.empty() && pattern.front() != '*' && pattern.front() != '?' &&
         pattern.front() != '[') {
    prefix.push_back(static_cast<char>(TakeClassByte(&pattern)));
  }
  return prefix;
}

}  // namespace stave
