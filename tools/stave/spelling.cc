#include "tools/stave/spelling.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace stave::tool {
namespace {

// Names are short; a text that is much longer was not meant to be one.
constexpr size_t kLongestTyped = 32;

// How many bytes must be added, left out or changed to make one of the other.
size_t EditDistance(std::string_view a, std::string_view b) {
  // row[j]: the distance between the first bytes of `a` and j bytes of `b`.
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string> ClosestName(std::string_view typed,
                                       const std::vector<std::string>& names) {
  if (typed.size() > kLongestTyped) return std::nullopt;
  std::optional<std::string> closest;
  size_t least = 3;
  for (const std::string& name : names) {
    const size_t distance = EditDistance(typed, name);
    // Whatever is typed is two changes away from any name of two letters.
    if (distance >= least || distance >= name.size()) continue;
    least = distance;
    closest = name;
  }
  return closest;
}

}  // namespace stave::tool
