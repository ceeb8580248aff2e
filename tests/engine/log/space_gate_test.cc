#include "engine/log/space_gate.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/log/log.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/log/log_fixture.h"

namespace stave {
namespace {

// Has so many bytes to give, and notes what it was asked for.
class Budget : public SpaceGate {
 public:
  uint64_t Take(uint64_t needed, uint64_t wanted, Claim claim) override {
    EXPECT_GT(needed, 0u);
    EXPECT_LE(needed, wanted);
    uint64_t taken = std::max(needed, std::min(wanted, left));
    if (claim == Claim::kAlways) taken = needed;
    if (taken > left) {
      ++(claim == Claim::kIfThereIsRoom ? refused : forced);
      if (claim == Claim::kIfThereIsRoom) return 0;
    }
    left -= std::min(taken, left);
    given += taken;
    unsettled += taken;
    return taken;
  }
  void Settle(uint64_t bytes) override { unsettled -= bytes; }

  uint64_t left = 0;
  uint64_t given = 0;
  uint64_t unsettled = 0;
  int refused = 0;
  int forced = 0;
};

// A log that asks before it grows; mapped, or written.
class SpaceGateTest : public LogFixture,
                      public testing::WithParamInterface<bool> {
 protected:
  SpaceGateTest() {
    Log::Settings settings = Settings();
    settings.space = &budget_;
    settings.make_space = [this](uint64_t needed) {
      EXPECT_GT(needed, 0u);
      ++asked_for_space_;
      budget_.left += freed_each_time_;
      return freed_each_time_ > 0 ? SpaceGate::Claim::kIfThereIsRoom
                                  : SpaceGate::Claim::kNothingToFree;
    };
    settings.mapped = GetParam();
    Open(settings);
  }
  uint64_t FileBytes() const { return segments_->GetUsage().file_bytes; }

  Budget budget_;
  uint64_t freed_each_time_ = 0;
  int asked_for_space_ = 0;
};

TEST_P(SpaceGateTest, NoFileIsLongerThanWhatWasTaken) {
  budget_.left = 10'000;
  for (int i = 0; i < 30; ++i) {
    Put(absl::StrCat("key", i));
    ASSERT_LE(FileBytes(), budget_.given);
    ASSERT_EQ(budget_.unsettled, 0u);
  }
  EXPECT_EQ(asked_for_space_, 0);
  ASSERT_EQ(Sync(), absl::OkStatus());
  // Seals may have cut some; what marks took was taken, too.
  EXPECT_LE(FileBytes(), budget_.given);
}

TEST_P(SpaceGateTest, WhoIsRefusedHasSpaceMadeAndAsksAgain) {
  freed_each_time_ = 40;
  std::vector<std::string> keys;
  for (int i = 0; i < 10; ++i) {
    keys.push_back(absl::StrCat("k", i));
    Put(keys.back());
  }
  EXPECT_GT(asked_for_space_, 3);
  EXPECT_EQ(budget_.forced, 0);
  EXPECT_EQ(KeysOnDisk(), keys);
}

TEST_P(SpaceGateTest, WhereNothingCanBeFreedItGrowsAllTheSame) {
  std::vector<std::string> keys;
  for (int i = 0; i < 10; ++i) {
    keys.push_back(absl::StrCat("k", i));
    Put(keys.back());
  }
  EXPECT_GT(budget_.forced, 0);
  EXPECT_EQ(budget_.forced, asked_for_space_);
  EXPECT_EQ(budget_.unsettled, 0u);
  EXPECT_EQ(KeysOnDisk(), keys);
}

TEST_P(SpaceGateTest, WhatAFullDiskRefusesIsGivenBack) {
  budget_.left = 10'000;
  Put("a");
  files_.FailAlways(Files::kAllocate, absl::ResourceExhaustedError("full"));
  files_.FailAlways(Files::kWrite, absl::ResourceExhaustedError("full"));
  files_.FailAlways(Files::kCreateFile, absl::ResourceExhaustedError("full"));
  absl::Status status;
  for (int i = 0; i < 10 && status.ok(); ++i) {
    status = TryPut(absl::StrCat("b", i), "").status();
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(budget_.unsettled, 0u);
}

TEST_P(SpaceGateTest, BatchCountsOnceHoweverManyRecordsItHas) {
  budget_.left = 10'000;
  ASSERT_TRUE(TryPutBatch({"a", "b"}).ok());
  ASSERT_TRUE(TryPutBatch({"c", "d", "e", "f", "g"}).ok());
  EXPECT_EQ(budget_.unsettled, 0u);
  EXPECT_LE(FileBytes(), budget_.given);
  if (!GetParam()) {
    EXPECT_EQ(FileBytes(), budget_.given);
  }
}

INSTANTIATE_TEST_SUITE_P(MappedOrWritten, SpaceGateTest, testing::Bool());

}  // namespace
}  // namespace stave
