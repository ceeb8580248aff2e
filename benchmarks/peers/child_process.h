#ifndef STAVE_BENCHMARKS_PEERS_CHILD_PROCESS_H_
#define STAVE_BENCHMARKS_PEERS_CHILD_PROCESS_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace stave::bench {

// Runs `body` in a process of its own, made by fork, and calls heard(line) here
// for each line that it says. A body that kills its own process by SIGKILL has
// ended well. The caller has no threads.
absl::Status RunInChild(
    const std::function<
        absl::Status(const std::function<void(std::string_view)>& say)>& body,
    const std::function<void(const std::string&)>& heard);

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_PEERS_CHILD_PROCESS_H_
