#ifndef STAVE_ENGINE_BASE_PARALLEL_H_
#define STAVE_ENGINE_BASE_PARALLEL_H_

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace stave {

// `wanted` threads, or one for each processor if that is 0.
size_t ThreadCount(int wanted);

// Calls run(i) once for each i below `count`, on up to `threads` threads, of
// which the caller's is one. Indexes are begun in order. Returns the error of
// the least index that failed; those after a failed one may be left out.
absl::Status ParallelFor(size_t count, size_t threads,
                         absl::FunctionRef<absl::Status(size_t)> run);

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_PARALLEL_H_
