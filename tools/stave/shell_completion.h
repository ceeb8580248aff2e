#ifndef STAVE_TOOLS_STAVE_SHELL_COMPLETION_H_
#define STAVE_TOOLS_STAVE_SHELL_COMPLETION_H_

#include <string>
#include <string_view>
#include <vector>

#include "stave/store.h"

namespace stave::tool {

// What `word` may become when it stands behind `before` in a line of the
// shell: a command's name, or a key of the store. Gives up looking for keys
// after a tenth of a second, so it may miss some in a large store. Keys that
// would have to be quoted are left out.
std::vector<std::string> Completions(Store& store, std::string_view before,
                                     std::string_view word);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SHELL_COMPLETION_H_
