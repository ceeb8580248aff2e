#include "engine/base/parallel.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/mutex.h"

namespace stave {
namespace {

// While it lives, a thread that is made takes no signals but those that its own
// instructions raise and a profiler's.
class SignalsStayWithTheCaller {
 public:
  SignalsStayWithTheCaller() {
    sigset_t blocked;
    sigfillset(&blocked);
    for (const int signal :
         {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGPROF, SIGSEGV, SIGSYS, SIGTRAP}) {
      sigdelset(&blocked, signal);
    }
    pthread_sigmask(SIG_BLOCK, &blocked, &before_);
  }
  ~SignalsStayWithTheCaller() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SignalsStayWithTheCaller(const SignalsStayWithTheCaller&) = delete;
  SignalsStayWithTheCaller& operator=(const SignalsStayWithTheCaller&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

size_t ThreadCount(int wanted) {
  if (wanted > 0) return static_cast<size_t>(wanted);
  return std::max<size_t>(std::thread::hardware_concurrency(), 1);
}

absl::StatusOr<std::thread> StartThread(std::function<void()> run) {
  const SignalsStayWithTheCaller signals;
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
