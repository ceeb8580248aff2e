#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

// A writer, a follower, and threads that read the follower while it refreshes.
class FollowerThreadsTest : public StoreFixture {
 protected:
  static constexpr int kKeys = 20;

  FollowerThreadsTest() {
    options.background_threads = true;
    options.segment_size_bytes = 16 << 10;
    Open();
    WriteRound(0);
    Options read_only = options;
    read_only.read_only = true;
    follower_ = Store::Open(path(), read_only).value();
  }

  // All keys have the same number, at any instant.
  void WriteRound(uint64_t round) {
    WriteBatch batch;
    for (int i = 0; i < kKeys; ++i) {
      batch.Put(absl::StrCat("key", i),
                absl::StrCat(round, ":", std::string(100, 'x')));
    }
    Write(batch);
  }

  static uint64_t NumberOf(std::string_view value) {
    uint64_t number = 0;
    EXPECT_TRUE(absl::SimpleAtoi(std::string(value.substr(0, value.find(':'))),
                                 &number));
    return number;
  }

  // One number for all keys, in each way of reading, and never an older one.
  void Read() {
    uint64_t last = 0;
    const auto see = [&](uint64_t number) {
      EXPECT_GE(number, last);
      last = number;
    };
    std::vector<std::string> keys;
    for (int i = 0; i < kKeys; ++i) keys.push_back(absl::StrCat("key", i));
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    while (!done_ && !HasFailure()) {
      for (const std::string& key : keys) {
        see(NumberOf(follower_->Get(key).value()));
      }
      uint64_t first = 0;
      follower_->MultiGet(
          views, [&](size_t i, absl::StatusOr<std::string_view> value) {
            if (i == 0) first = NumberOf(value.value());
            EXPECT_EQ(NumberOf(value.value()), first);
          });
      see(first);
      const auto snapshot = follower_->GetSnapshot();
      const uint64_t then = NumberOf(
          follower_->Get("key3", {.snapshot = snapshot.get()}).value());
      see(then);
      const auto iterator = follower_->NewIterator().value();
      int visited = 0;
      for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
        if (visited++ == 0) first = NumberOf(iterator->value());
        EXPECT_EQ(NumberOf(iterator->value()), first);
      }
      EXPECT_EQ(visited, kKeys) << iterator->status();
      see(first);
      EXPECT_EQ(
          NumberOf(
              follower_->Get("key7", {.snapshot = snapshot.get()}).value()),
          then);
    }
  }

  std::unique_ptr<Store> follower_;
  std::atomic<bool> done_{false};
};

TEST_F(FollowerThreadsTest, ReadersSeeOneInstantAfterAnother) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) threads.emplace_back([this] { Read(); });
  threads.emplace_back([this] {
    while (!done_) {
      const absl::Status status = follower_->Refresh();
      EXPECT_TRUE(status.ok()) << status;
    }
  });
  for (uint64_t round = 1; round <= 1500; ++round) {
    WriteRound(round);
    // So that merges take what the follower has not read.
    if (round % 300 == 0) {
      EXPECT_EQ(store().Merge({.all = true}), absl::OkStatus());
    }
  }
  done_ = true;
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(follower_->Refresh(), absl::OkStatus());
  EXPECT_EQ(NumberOf(follower_->Get("key0").value()), 1500u);
}

// Each of its refreshes comes so late that it has lost the states in between.
TEST_F(FollowerThreadsTest, ReadersSeeNothingOfWhatIsBetweenTwoLateRefreshes) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) threads.emplace_back([this] { Read(); });
  for (uint64_t round = 1; round <= 40; ++round) {
    for (uint64_t i = 0; i < 20; ++i) WriteRound(20 * round + i);
    ASSERT_EQ(store().Merge({.all = true}), absl::OkStatus());
    ASSERT_EQ(follower_->Refresh(), absl::OkStatus());
  }
  done_ = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace stave
