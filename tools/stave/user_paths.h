#ifndef STAVE_TOOLS_STAVE_USER_PATHS_H_
#define STAVE_TOOLS_STAVE_USER_PATHS_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace stave::tool {

// A path as the user meant it: a relative one starts where the command was
// typed, which under `bazel run` is not the present directory but
// BUILD_WORKING_DIRECTORY.
std::string UserPath(std::string_view path);

struct StoreLocation {
  std::string directory;
  // Nobody named it, so its parents may be made for it.
  bool is_default = false;
};

// The store that `flag` (--store) names, else STAVE_STORE, else
// $XDG_DATA_HOME/stave, else ~/.local/share/stave. InvalidArgument if none of
// these says anything.
absl::StatusOr<StoreLocation> LocateStore(
    const std::optional<std::string>& flag);

// InvalidArgument if `path` is, or would be, in the store's own directory or
// one below it: what took the name of a file of the store would be its end.
absl::Status CheckOutsideOf(const std::string& directory,
                            const std::string& path);

// Where the shell keeps its history: $XDG_STATE_HOME/stave/history, else
// ~/.local/state/stave/history; nullopt without a home directory.
std::optional<std::string> HistoryPath();

// Makes the directories that `path` stands in, open to their owner alone.
absl::Status MakeParents(const std::string& path);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_USER_PATHS_H_
