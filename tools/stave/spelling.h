#ifndef STAVE_TOOLS_STAVE_SPELLING_H_
#define STAVE_TOOLS_STAVE_SPELLING_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stave::tool {

// The one of `names` that `typed` was most likely meant to be, if any is close
// enough to ask "did you mean ...?".
std::optional<std::string> ClosestName(std::string_view typed,
                                       const std::vector<std::string>& names);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SPELLING_H_
