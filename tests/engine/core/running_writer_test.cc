#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "stave/verify.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

// Beside processes that do all that a writer can do.
class RunningWriterTest : public StoreFixture {
 protected:
  RunningWriterTest() { options.segment_size_bytes = 1024; }

  // Opens the store, writes batches in which two keys get the same number,
  // one more each time, and closes it.
  void RunWriter() {
    options.background_threads = true;
    options.sync_interval = absl::Milliseconds(1);
    const auto writer = Store::Open(path(), options);
    if (!writer.ok()) _exit(1);
    int number = std::stoi((*writer)->Get("a").value_or("0"));
    for (int i = 0; i < 300; ++i) {
      WriteBatch batch;
      batch.Put("a", std::to_string(++number));
      batch.Put("b", std::to_string(number));
      batch.Put("filler", std::string(i % 25 == 0 ? 3000 : 30, 'v'));
      if (!(*writer)->Write(batch, {.sync = i % 10 == 0}).ok()) _exit(1);
    }
    _exit((*writer)->Close().ok() ? 0 : 1);
  }

  // Looks at what is there now: never less than before, and batches whole.
  void Look() {
    Options read_only = options;
    read_only.read_only = true;
    const auto reader = Store::Open(path(), read_only);
    // Its maker may not have come far.
    if (seen_ == 0 && absl::IsNotFound(reader.status())) return;
    ASSERT_TRUE(reader.ok()) << reader.status();
    Contents all = Visit((*reader)->NewIterator().value().get());
    ASSERT_EQ(all["a"], all["b"]);
    const int number = all["a"].empty() ? 0 : std::stoi(all["a"]);
    ASSERT_GE(number, seen_);
    seen_ = number;
    ++looks_;
  }

  // Verifies what is there now, which must be clean.
  void VerifyNow() {
    const auto report = Verify(path());
    if (seen_ == 0 && absl::IsNotFound(report.status())) return;
    ASSERT_TRUE(report.ok()) << report.status();
    for (const Damage& damage : report->damage) {
      ADD_FAILURE() << damage.file << ", offset " << damage.offset << ": "
                    << damage.what;
    }
  }

  int seen_ = 0;
  int looks_ = 0;
};

TEST_F(RunningWriterTest, EveryReadOnlyOpenShowsAPrefixOfTheLog) {
  for (int round = 0; round < 40; ++round) {
    const pid_t writer = fork();
    if (writer == 0) RunWriter();
    // Some writers come to their end, others are killed.
    int ended = 0;
    for (int looks = 0; waitpid(writer, &ended, WNOHANG) == 0; ++looks) {
      Look();
      VerifyNow();
      if (HasFatalFailure() || (round % 2 == 0 && looks == 3 + round)) {
        kill(writer, SIGKILL);
        waitpid(writer, &ended, 0);
        break;
      }
    }
    ASSERT_FALSE(HasFailure()) << "round " << round << ", look " << looks_;
    EXPECT_TRUE(WIFSIGNALED(ended) || WEXITSTATUS(ended) == 0);
  }
  EXPECT_GT(looks_, 40);
  EXPECT_GT(seen_, 40);
}

}  // namespace
}  // namespace stave
