#include "engine/core/space_ledger.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "engine/base/types.h"
#include "engine/core/merge_policy.h"
#include "engine/core/state.h"
#include "engine/format/segment_header.h"
#include "engine/log/segment.h"
#include "engine/log/segment_set.h"
#include "engine/log/space_gate.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

constexpr uint64_t kCapacity = 16'000;
constexpr auto kIfThereIsRoom = SpaceGate::Claim::kIfThereIsRoom;
constexpr auto kNothingToFree = SpaceGate::Claim::kNothingToFree;
constexpr auto kMuchToFree = SpaceGate::Claim::kMuchToFree;
constexpr auto kAlways = SpaceGate::Claim::kAlways;

// Segments of which nothing is known but numbers.
class SpaceLedgerTest : public testing::Test {
 protected:
  SpaceLedgerTest() {
    state_.segments = SegmentSet::Create().value();
    state_.live_bytes = 10'000;
  }
  std::shared_ptr<Segment> Add(uint64_t file_bytes, uint64_t live_bytes) {
    Segment::Parts parts;
    parts.header.id = ++last_id_;
    parts.capacity = kCapacity;
    parts.first = state_.segments->ReserveRange(kCapacity).value();
    std::shared_ptr<Segment> segment = Segment::Adopt(std::move(parts));
    segment->file_bytes() = file_bytes;
    segment->end() = file_bytes;
    segment->live_bytes() = live_bytes;
    state_.segments->Add(segment);
    return segment;
  }
  // All that is to be had in one piece.
  uint64_t TakeAll() {
    uint64_t all = 0;
    while (const uint64_t taken = ledger_.Take(1, 1, kIfThereIsRoom)) {
      all += taken;
    }
    return all;
  }
  uint64_t Blocked() const { return ledger_.Budget().blocked; }

  State state_;
  SpaceLedger ledger_{&state_, [] { return kCapacity; }, 1.5};

 private:
  SegmentId last_id_ = 0;
};

TEST_F(SpaceLedgerTest, LeavesRoomForTheNextOutput) {
  Add(12'000, 10'000);
  EXPECT_EQ(12'000 + TakeAll() + 10'000 + kSegmentHeaderBytes, Blocked());
  EXPECT_FALSE(ledger_.HasRoom(1));
  EXPECT_EQ(ledger_.Take(1, 1, kIfThereIsRoom), 0u);
}

// An output takes no more than all that lives, nor than a segment.
TEST_F(SpaceLedgerTest, OutputIsNoLargerThanASegment) {
  state_.live_bytes = 10 * kCapacity;
  Add(11 * kCapacity, 10 * kCapacity);
  EXPECT_EQ(11 * kCapacity + TakeAll() + kCapacity + kSegmentHeaderBytes,
            Blocked());
}

TEST_F(SpaceLedgerTest, MergeThatBeginsTakesWhatWasLeftForIt) {
  const auto input = Add(12'000, 10'000);
  TakeAll();
  const uint64_t used = ledger_.Used();
  ledger_.BeginMerge({input});
  // The next output will have its room in what this merge frees.
  EXPECT_EQ(ledger_.Used(), used);
  EXPECT_EQ(TakeAll(), 0u);
  ledger_.EndMerge({input});
  EXPECT_EQ(ledger_.Used(), used);
  EXPECT_EQ(TakeAll(), 0u);
}

TEST_F(SpaceLedgerTest, MergeOfLittleLeavesRoomForTheNext) {
  const auto input = Add(1'000, 100);
  Add(11'000, 9'900);
  ledger_.BeginMerge({input});
  TakeAll();
  input->file_bytes() = 100 + kSegmentHeaderBytes;  // the output in its place
  ledger_.EndMerge({input});
  EXPECT_EQ(ledger_.Used(), Blocked());
}

TEST_F(SpaceLedgerTest, WhatWasTakenCountsUntilAFileDoes) {
  const auto active = Add(1'000, 0);
  const uint64_t all = TakeAll();
  active->file_bytes() = 1'000 + all;
  ledger_.Settle(all);
  EXPECT_EQ(TakeAll(), 0u);
  active->file_bytes() = 1'000;
  EXPECT_EQ(TakeAll(), all);
}

TEST_F(SpaceLedgerTest, WhatIsTakenAheadLeavesRoomForANextSegmentToBegin) {
  EXPECT_EQ(ledger_.Take(10, 2'000, kIfThereIsRoom), 2'000u);
  EXPECT_GT(ledger_.Take(10, 1'000'000, kIfThereIsRoom), kCapacity / 4);
  EXPECT_EQ(ledger_.Take(10, 1'000'000, kIfThereIsRoom), kCapacity / 16);
  EXPECT_EQ(ledger_.Take(10, 1'000'000, kIfThereIsRoom), kCapacity / 32);
  EXPECT_EQ(ledger_.Take(kCapacity / 32, 1'000'000, kIfThereIsRoom),
            kCapacity / 32);
  EXPECT_EQ(ledger_.Take(1, 1, kIfThereIsRoom), 0u);
}

TEST_F(SpaceLedgerTest, SpaceAheadOfRecordsIsNotUsed) {
  const auto active = Add(5'000, 0);
  const uint64_t used = ledger_.Used();
  active->growing() = true;
  active->end() = 2'000;
  EXPECT_EQ(ledger_.Used(), used - 3'000);
}

TEST_F(SpaceLedgerTest, WhereNothingCanBeFreedTheOutputsRoomIsToBeHad) {
  Add(12'000, 10'000);
  TakeAll();
  const uint64_t taken = ledger_.Take(100, 1'000'000, kNothingToFree);
  EXPECT_GT(taken, 4'000u);
  EXPECT_LE(taken, 10'000u + kSegmentHeaderBytes);
  // More than there is, but in steps of some size.
  for (int i = 0; i < 100; ++i) {
    EXPECT_GE(ledger_.Take(100, 1'000'000, kNothingToFree), kCapacity / 16);
  }
}

TEST_F(SpaceLedgerTest, WhereMuchIsToBeFreedWritersGetALittle) {
  Add(Blocked() + kCapacity - 10'000 - kSegmentHeaderBytes, 10'000);
  EXPECT_FALSE(ledger_.IsFarOver());
  Add(1, 0);
  EXPECT_TRUE(ledger_.IsFarOver());
  EXPECT_EQ(ledger_.Take(100, 1'000, kMuchToFree), 1'000u);
  EXPECT_EQ(ledger_.Take(100, 1'000'000, kMuchToFree), 65'536u);
  EXPECT_EQ(ledger_.Take(100'000, 1'000'000, kMuchToFree), 100'000u);
}

TEST_F(SpaceLedgerTest, MarksGetWhatTheyNeed) {
  TakeAll();
  EXPECT_EQ(ledger_.Take(56, 1'000'000, kAlways), 56u);
}

TEST_F(SpaceLedgerTest, WithoutABoundAllGetWhatTheyWant) {
  TakeAll();
  ledger_.Lift(true);
  EXPECT_EQ(ledger_.Take(10, 1'000'000, kIfThereIsRoom), 1'000'000u);
  ledger_.Lift(false);
  EXPECT_EQ(ledger_.Take(10, 10, kIfThereIsRoom), 0u);
}

// A batch of a gigabyte has room where a segment has.
TEST_F(SpaceLedgerTest, WhatIsLargerThanASegmentNeedsNoMoreRoomThanOne) {
  EXPECT_TRUE(ledger_.HasRoom(uint64_t{1} << 30));
  EXPECT_EQ(ledger_.Take(uint64_t{1} << 30, uint64_t{1} << 30, kIfThereIsRoom),
            uint64_t{1} << 30);
  EXPECT_FALSE(ledger_.HasRoom(1));
}

TEST_F(SpaceLedgerTest, WhatMergesLeaveAloneCountsForNothing) {
  const uint64_t used = ledger_.Used();
  Add(5'000, 0)->quarantined() = true;
  Add(5'000, 0)->retained() = true;
  EXPECT_EQ(ledger_.Used(), used);
}

}  // namespace
}  // namespace stave
