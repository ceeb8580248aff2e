#include "engine/base/parallel.h"

#include <signal.h>

#include <atomic>
#include <csignal>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/engine/base/no_new_threads.h"

namespace stave {
namespace {

constexpr size_t kCount = 1000;
constexpr size_t kThreads = 4;

// How often each index was run.
std::vector<int> RunAll() {
  std::vector<std::atomic<int>> runs(kCount);
  EXPECT_TRUE(ParallelFor(kCount, kThreads, [&runs](size_t i) {
                ++runs[i];
                return absl::OkStatus();
              }).ok());
  return std::vector<int>(runs.begin(), runs.end());
}

TEST(ParallelTest, EachIndexIsRunOnce) {
  EXPECT_EQ(RunAll(), std::vector<int>(kCount, 1));
}

TEST(ParallelTest, WithoutThreadsTheCallersDoesAll) {
  const NoNewThreads none;
  EXPECT_EQ(RunAll(), std::vector<int>(kCount, 1));
}

TEST(ParallelTest, SignalsToTheProcessAreTheProgramsOwn) {
  absl::StatusOr<std::thread> thread = StartThread([] {
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD}) {
      EXPECT_EQ(sigismember(&blocked, signal), 1) << signal;
    }
    for (const int signal : {SIGSEGV, SIGBUS, SIGPROF}) {
      EXPECT_EQ(sigismember(&blocked, signal), 0) << signal;
    }
  });
  ASSERT_TRUE(thread.ok()) << thread.status();
  thread->join();
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  EXPECT_EQ(sigismember(&blocked, SIGTERM), 0);
}

TEST(ParallelTest, TheErrorOfTheLeastIndexIsReturned) {
  const absl::Status status = ParallelFor(kCount, kThreads, [](size_t i) {
    if (i < 7) return absl::OkStatus();
    return absl::DataLossError(std::to_string(i));
  });
  EXPECT_EQ(status, absl::DataLossError("7"));
}

TEST(ParallelTest, AThreadRunsOrResourcesAreExhausted) {
  bool has_run = false;
  absl::StatusOr<std::thread> thread =
      StartThread([&has_run] { has_run = true; });
  ASSERT_TRUE(thread.ok()) << thread.status();
  thread->join();
  EXPECT_TRUE(has_run);
  const NoNewThreads none;
  const absl::Status status = StartThread([] {}).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
}

}  // namespace
}  // namespace stave
