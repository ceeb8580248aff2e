#ifndef STAVE_ENGINE_CORE_KEY_RANGE_H_
#define STAVE_ENGINE_CORE_KEY_RANGE_H_

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "stave/options.h"

namespace stave {

// The keys that an iterator is asked for, see ReadOptions. Copies the bounds.
class KeyRange {
 public:
  explicit KeyRange(const ReadOptions& options)
      : lower_bound_(options.lower_bound),
        upper_bound_(options.upper_bound),
        prefix_(options.prefix),
        has_bounds_(!(lower_bound_.empty() && upper_bound_.empty() &&
                      prefix_.empty())) {}

  bool Contains(std::string_view key) const {
    return !has_bounds_ || IsWithin(key);
  }

  // All keys from `begin` on that are less than `end`, if there is one, are
  // contained, and no others.
  std::string_view begin() const { return std::max(lower_bound_, prefix_); }
  std::optional<std::string> end() const {
    std::optional<std::string> end = AfterPrefix();
    if (upper_bound_.empty()) return end;
    return end.has_value() ? std::min(*end, upper_bound_) : upper_bound_;
  }

 private:
  bool IsWithin(std::string_view key) const {
    return key.starts_with(prefix_) && key >= lower_bound_ &&
           (upper_bound_.empty() || key < upper_bound_);
  }
  // The least of the keys behind all that start with the prefix.
  std::optional<std::string> AfterPrefix() const {
    std::string after = prefix_;
    while (!after.empty() && after.back() == '\xff') after.pop_back();
    if (after.empty()) return std::nullopt;
    after.back() =
        static_cast<char>(static_cast<unsigned char>(after.back()) + 1);
    return after;
  }

  std::string lower_bound_;
  std::string upper_bound_;  // empty: none
  std::string prefix_;
  bool has_bounds_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_KEY_RANGE_H_
