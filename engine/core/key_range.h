#ifndef STAVE_ENGINE_CORE_KEY_RANGE_H_
#define STAVE_ENGINE_CORE_KEY_RANGE_H_

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

 private:
  bool IsWithin(std::string_view key) const {
    return key.starts_with(prefix_) && key >= lower_bound_ &&
           (upper_bound_.empty() || key < upper_bound_);
  }

  std::string lower_bound_;
  std::string upper_bound_;  // empty: none
  std::string prefix_;
  bool has_bounds_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_KEY_RANGE_H_
