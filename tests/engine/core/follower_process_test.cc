#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/scratch_place.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

constexpr uint64_t kKeys = 100;

// Follows writers in processes of their own, which put, merge, and are killed
// one after another. Each tells through memory that both have how far it has
// come.
class FollowerProcessTest : public testing::Test {
 protected:
  FollowerProcessTest()
      : memory_(mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
        directory_(PlaceInMemory()) {
    if (memory_ == MAP_FAILED) std::abort();
    shared_ = new (memory_) Shared;
    options_.segment_size_bytes = 64 << 10;
  }
  ~FollowerProcessTest() override { munmap(memory_, sizeof(Shared)); }

  struct Shared {
    std::atomic<uint64_t> acknowledged{0};
    std::atomic<uint64_t> merges{0};
  };

  std::string path() const { return directory_.path() + "/store"; }

  pid_t StartWriter() {
    const pid_t child = fork();
    if (child == 0) Write();
    return child;
  }
  void Kill(pid_t child) {
    kill(child, SIGKILL);
    int ended = 0;
    waitpid(child, &ended, 0);
    ASSERT_TRUE(WIFSIGNALED(ended)) << "the writer has failed";
  }
  void AwaitAcknowledged(uint64_t count) {
    while (shared_->acknowledged < count)
      absl::SleepFor(absl::Microseconds(50));
  }

  void OpenFollower() {
    Options read_only = options_;
    read_only.read_only = true;
    absl::StatusOr<std::unique_ptr<Store>> opened =
        Store::Open(path(), read_only);
    ASSERT_TRUE(opened.ok()) << opened.status();
    follower_ = *std::move(opened);
  }

  // All that was acknowledged is there, each batch as a whole.
  void RefreshAndLook() {
    const uint64_t acknowledged = shared_->acknowledged;
    ASSERT_EQ(follower_->Refresh(), absl::OkStatus());
    const auto snapshot = follower_->GetSnapshot();
    const uint64_t count = NumberAt("count", snapshot.get());
    ASSERT_GE(count, acknowledged);
    for (uint64_t i = 1; i < kKeys && i <= count; ++i) {
      // The last one that is congruent to i.
      const uint64_t expected = count - (count - i) % kKeys;
      EXPECT_EQ(NumberAt(absl::StrCat("key", i), snapshot.get()), expected);
    }
  }
  uint64_t NumberAt(const std::string& key, const Snapshot* snapshot) {
    const auto value = follower_->Get(key, {.snapshot = snapshot});
    uint64_t number = 0;
    EXPECT_TRUE(value.ok()) << key << " " << value.status();
    EXPECT_TRUE(absl::SimpleAtoi(value->substr(0, value->find(':')), &number));
    return number;
  }

  Shared* shared_ = nullptr;
  std::unique_ptr<Store> follower_;

 private:
  [[noreturn]] void Write() {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open(path(), options_);
    if (!store.ok()) _exit(1);
    uint64_t count = 0;
    const absl::StatusOr<std::string> last = (*store)->Get("count");
    if (last.ok() && !absl::SimpleAtoi(*last, &count)) _exit(2);
    while (true) {
      ++count;
      WriteBatch batch;
      batch.Put("count", absl::StrCat(count));
      batch.Put(absl::StrCat("key", count % kKeys),
                absl::StrCat(count, ":", std::string(200, 'x')));
      if (!(*store)->Write(batch).ok()) _exit(3);
      shared_->acknowledged = count;
      if (count % 5000 == 0) {
        shared_->merges = (*store)->GetStatistics().merges;
      }
    }
  }

  void* const memory_;
  const TemporaryDirectory directory_;
  Options options_;
};

TEST_F(FollowerProcessTest, SeesWhatOtherProcessesHaveAcknowledged) {
  uint64_t looks = 0;
  for (uint64_t writer = 1; writer <= 4; ++writer) {
    const pid_t child = StartWriter();
    const uint64_t enough = writer * 20'000;
    AwaitAcknowledged(1);
    if (follower_ == nullptr) OpenFollower();
    while (shared_->acknowledged < enough && !HasFatalFailure()) {
      RefreshAndLook();
      ++looks;
    }
    Kill(child);
    RefreshAndLook();
    if (HasFailure()) break;
  }
  EXPECT_GT(shared_->merges, 0u);
  EXPECT_GT(looks, 4u);
}

TEST_F(FollowerProcessTest, AFeedHasEachChangeOfAnotherProcessOnce) {
  const pid_t child = StartWriter();
  AwaitAcknowledged(1);
  OpenFollower();
  auto feed = follower_->NewChangeFeed().value();
  uint64_t last = 0;
  uint64_t changes = 0;
  while (last < 20'000 && !HasFailure()) {
    const absl::StatusOr<bool> more = feed->Next(absl::Seconds(60));
    if (absl::IsOutOfRange(more.status())) {
      // Merges were faster than this.
      feed = follower_->NewChangeFeed().value();
      last = 0;
      continue;
    }
    ASSERT_TRUE(more.ok() && *more) << more.status();
    if (feed->key() != "count") continue;
    uint64_t count = 0;
    ASSERT_TRUE(absl::SimpleAtoi(
        absl::string_view(feed->value().data(), feed->value().size()), &count));
    if (last != 0) {
      ASSERT_EQ(count, last + 1);
    }
    last = count;
    ++changes;
  }
  Kill(child);
  EXPECT_GT(changes, 0u);
}

}  // namespace
}  // namespace stave
