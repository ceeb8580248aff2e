#ifndef STAVE_ENGINE_BASE_PARALLEL_H_
#define STAVE_ENGINE_BASE_PARALLEL_H_

#include <cstddef>
#include <functional>
#include <thread>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace stave {

// `wanted` threads, or one for each processor if that is 0.
size_t ThreadCount(int wanted);

// A thread that runs `run`. ResourceExhausted if the operating system makes no
// more of them. Signals sent to the process are left to the program's own
// threads, which alone know what it wants done about them.
absl::StatusOr<std::thread> StartThread(std::function<void()> run);

// Calls run(i) once for each i below `count`, on up to `threads` threads, of
// which the caller's is one; where no more can be made, on fewer. Indexes are
// begun in order. Returns the error of the least index that failed; those after
// a failed one may be left out.
absl::Status ParallelFor(size_t count, size_t threads,
                         absl::FunctionRef<absl::Status(size_t)> run);

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_PARALLEL_H_
