#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "stave/verify.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

// Beside processes that do all that a writer can do, checkpoints and merges
// included.
class RunningWriterTest : public StoreFixture {
 protected:
  RunningWriterTest() {
    options.segment_size_bytes = 1024;
    options.checkpoint_min_keys = 0;
    options.checkpoint_interval_bytes = 2048;
  }

  // The key that batch `number` changes beside those that all change. Some are
  // changed a hundred times less often than others, so merges have to move
  // them.
  static std::string KeyOf(int number) {
    return absl::StrCat(
        "key", number % 10 == 0 ? number / 10 % 100 : 1000 + number % 10);
  }

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
      batch.Put(KeyOf(number), std::to_string(number));
      batch.Put("filler", std::string(i % 25 == 0 ? 3000 : 30, 'v'));
      if (!(*writer)->Write(batch, {.sync = i % 10 == 0}).ok()) _exit(1);
    }
    _exit((*writer)->Close().ok() ? 0 : 1);
  }

  // What the first `number` batches leave, but for the filler.
  static Contents After(int number) {
    Contents contents;
    for (int i = 1; i <= number; ++i) {
      contents["a"] = contents["b"] = contents[KeyOf(i)] = std::to_string(i);
    }
    return contents;
  }

  // What `reader` shows: all of a prefix of the log, and no less than before.
  void Check(Store& reader) {
    Contents all = Visit(reader.NewIterator().value().get());
    all.erase("filler");
    const int number = all["a"].empty() ? 0 : std::stoi(all["a"]);
    if (number == 0) all.clear();
    ASSERT_EQ(all, After(number));
    ASSERT_GE(number, seen_);
    seen_ = number;
    ++looks_;
  }

  // Looks at what is there now, by an open and by one that follows.
  void Look() {
    Options read_only = options;
    read_only.read_only = true;
    read_only.keydir = looks_ % 3 == 0 ? KeydirKind::kOrdered : options.keydir;
    read_only.read_mode = looks_ % 4 == 1 ? ReadMode::kPread : ReadMode::kMap;
    auto reader = Store::Open(path(), read_only);
    // Its maker may not have come far.
    if (seen_ == 0 && absl::IsNotFound(reader.status())) return;
    ASSERT_TRUE(reader.ok()) << reader.status();
    Check(**reader);
    if (HasFatalFailure()) return;
    if (follower_ == nullptr) follower_ = *std::move(reader);
    const absl::Status refreshed = follower_->Refresh();
    // A recovery may have cut off what was read, and not durable.
    if (absl::IsFailedPrecondition(refreshed)) {
      follower_ = nullptr;
      return;
    }
    ASSERT_EQ(refreshed, absl::OkStatus());
    Check(*follower_);
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

  std::unique_ptr<Store> follower_;
  int seen_ = 0;
  int looks_ = 0;
};

TEST_F(RunningWriterTest, EveryReadOnlyOpenShowsAPrefixOfTheLog) {
  for (int round = 0; round < 40; ++round) {
    options.keydir = round % 4 == 3 ? KeydirKind::kOrdered : KeydirKind::kHash;
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
