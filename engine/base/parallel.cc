#include "engine/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "engine/base/mutex.h"

namespace stave {

size_t ThreadCount(int wanted) {
  if (wanted > 0) return static_cast<size_t>(wanted);
  return std::max<size_t>(std::thread::hardware_concurrency(), 1);
}

absl::Status ParallelFor(size_t count, size_t threads,
                         absl::FunctionRef<absl::Status(size_t)> run) {
  std::atomic<size_t> next{0};
  Mutex mutex;
  absl::Status first_error;
  size_t first_error_index = count;
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) {
      const absl::Status status = run(i);
      if (status.ok()) continue;
      next = count;
      MutexLock lock(&mutex);
      if (i < first_error_index) {
        first_error_index = i;
        first_error = status;
      }
    }
  };
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < std::min(threads, count); ++i) {
    helpers.emplace_back(work);
  }
  work();
  for (std::thread& helper : helpers) helper.join();
  return first_error;
}

}  // namespace stave
