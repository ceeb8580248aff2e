#include "engine/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/mutex.h"

namespace stave {

size_t ThreadCount(int wanted) {
  if (wanted > 0) return static_cast<size_t>(wanted);
  return std::max<size_t>(std::thread::hardware_concurrency(), 1);
}

absl::StatusOr<std::thread> StartThread(std::function<void()> run) {
  // std::thread has no other way to say so.
  try {
    return std::thread(std::move(run));
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(
        absl::StrCat("make a thread: ", error.code().message()));
  }
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
    absl::StatusOr<std::thread> helper = StartThread(work);
    if (!helper.ok()) break;  // the others do its share
    helpers.push_back(*std::move(helper));
  }
  work();
  for (std::thread& helper : helpers) helper.join();
  return first_error;
}

}  // namespace stave
