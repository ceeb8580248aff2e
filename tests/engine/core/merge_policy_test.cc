#include "engine/core/merge_policy.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace stave {
namespace {

using Indexes = std::vector<size_t>;

constexpr uint64_t kCapacity = 1000;

// A sealed segment of 1000 bytes of records.
SegmentUse Segment(uint64_t live_bytes) {
  SegmentUse use;
  use.id = 7;
  use.record_bytes = 1000;
  use.live_bytes = live_bytes;
  use.sealed = true;
  return use;
}

SegmentChoice ChoiceFor(const SegmentUse& segment, bool all = false) {
  return PlanWholeMerge({segment}, 1.5, all).segments.front();
}

bool Says(const SegmentChoice& choice, const std::string& text) {
  return choice.reason.find(text) != std::string::npos;
}

TEST(SpaceBudgetTest, BoundIsThatOfTheOptions) {
  EXPECT_EQ(SpaceBudget(1.5, 10'000, kCapacity).bound, 17'000u);
  EXPECT_EQ(SpaceBudget(3, 10'000, kCapacity).bound, 32'000u);
  EXPECT_EQ(SpaceBudget(1.5, 0, kCapacity).bound, 2'000u);
}

TEST(SpaceBudgetTest, LevelsFollowOneAnother) {
  for (const uint64_t live_bytes : {0, 1, 700, 100'000}) {
    const SpaceBudget budget(1.5, live_bytes, kCapacity);
    EXPECT_LT(budget.blocked, budget.bound);
    EXPECT_LE(budget.urgent, budget.blocked);
    EXPECT_LE(budget.due, budget.urgent);
  }
}

// Even in a store without a live byte, or one whose keys are all cold but one,
// a merge is due only when more than what is being written is there.
TEST(SpaceBudgetTest, OneFullSegmentIsNoReasonToMerge) {
  for (const uint64_t live_bytes : {0, 1, 700, 1000, 8000, 100'000}) {
    const SpaceBudget budget(1.5, live_bytes, kCapacity);
    const uint64_t output = std::min(live_bytes, kCapacity);
    EXPECT_LE(live_bytes + output + kCapacity, budget.blocked) << live_bytes;
  }
}

// While a merge runs, writers go on.
TEST(SpaceBudgetTest, DueMergeLeavesWritersTime) {
  for (const uint64_t capacity : {uint64_t{1000}, uint64_t{1} << 30}) {
    const SpaceBudget budget(1.5, 8 * capacity, capacity);
    EXPECT_GE(budget.blocked - budget.due, capacity / 4);
    EXPECT_LE(budget.blocked - budget.due, capacity);
  }
}

TEST(WriteDelayTest, BeginsHalfWayAndGrowsToTheBlock) {
  const SpaceBudget budget(1.5, 10'000, kCapacity);
  const uint64_t half = (budget.due + budget.blocked) / 2;
  EXPECT_EQ(WriteDelayNsPerByte(budget, 0), 0);
  EXPECT_EQ(WriteDelayNsPerByte(budget, budget.due), 0);
  EXPECT_EQ(WriteDelayNsPerByte(budget, half), 0);
  double before = 0;
  for (uint64_t bytes = half + 1; bytes <= budget.blocked; ++bytes) {
    const double delay = WriteDelayNsPerByte(budget, bytes);
    EXPECT_GT(delay, before);
    before = delay;
  }
  EXPECT_LE(before, 1023);
  EXPECT_EQ(WriteDelayNsPerByte(budget, uint64_t{1} << 40), 1023);
}

TEST(MergeUrgencyTest, GrowsFromWhereAMergeIsDue) {
  const SpaceBudget budget(1.5, 10'000, kCapacity);
  EXPECT_EQ(MergeUrgency(budget, 0), 0);
  EXPECT_EQ(MergeUrgency(budget, budget.due), 0);
  EXPECT_GT(MergeUrgency(budget, budget.due + kCapacity / 20), 0);
  EXPECT_LT(MergeUrgency(budget, budget.due + kCapacity / 20), 1);
  // Before writers are slowed.
  EXPECT_EQ(MergeUrgency(budget, budget.due + kCapacity / 8 + 1), 1);
  EXPECT_EQ(WriteDelayNsPerByte(budget, budget.due + kCapacity / 8 + 1), 0);
  EXPECT_EQ(MergeUrgency(budget, uint64_t{1} << 40), 1);
}

// Without a live byte the bound leaves no time.
TEST(MergeUrgencyTest, IsGreatestWhereThereIsNoWay) {
  EXPECT_EQ(MergeUrgency(SpaceBudget(1.5, 0, kCapacity), 5000), 1);
}

TEST(ChooseInputsTest, TakesThoseOfWhichMostIsDeadUntilAnOutputIsFull) {
  const std::vector<SegmentUse> segments = {Segment(900), Segment(300),
                                            Segment(600), Segment(100)};
  EXPECT_EQ(ChooseInputs(segments, 400), (Indexes{1, 3}));
  EXPECT_EQ(ChooseInputs(segments, 1000), (Indexes{1, 2, 3}));
  EXPECT_EQ(ChooseInputs(segments, 1900), (Indexes{0, 1, 2, 3}));
}

TEST(ChooseInputsTest, TakesOneThatIsLargerThanAnOutput) {
  EXPECT_EQ(ChooseInputs({Segment(900)}, 100), (Indexes{0}));
}

TEST(ChooseInputsTest, LeavesWhatCannotBeMergedOrHasNothingToFree) {
  SegmentUse active = Segment(0), damaged = Segment(0), needed = Segment(400);
  active.sealed = false;
  damaged.quarantined = true;
  needed.kept_tombstone_bytes = 600;
  EXPECT_EQ(ChooseInputs({active, damaged, needed, Segment(1000)}, 5000),
            Indexes());
  EXPECT_EQ(ChooseInputs({}, 5000), Indexes());
}

// What is dead is free only once the merge has read all of it.
TEST(ChooseInputsTest, TakesThreeSegmentsBytesThoughLittleOfThemIsLive) {
  constexpr uint64_t kLarge = uint64_t{64} << 20;
  std::vector<SegmentUse> segments(10, Segment(0));
  for (SegmentUse& segment : segments) segment.record_bytes = kLarge;
  EXPECT_EQ(ChooseInputs(segments, kLarge), (Indexes{0, 1, 2}));
  // A merge waits for the device as well: small ones would only be more.
  for (SegmentUse& segment : segments) segment.record_bytes = kLarge / 32;
  EXPECT_EQ(ChooseInputs(segments, kLarge / 32).size(), 8u);
}

// Each is open while the merge runs.
TEST(ChooseInputsTest, TakesNoMoreThanAProcessMayHaveOpen) {
  EXPECT_EQ(
      ChooseInputs(std::vector<SegmentUse>(2000, Segment(0)), kCapacity).size(),
      256u);
}

TEST(PlanWholeMergeTest, ChoosesWhatIsMoreDeadThanTheBoundAllows) {
  EXPECT_FALSE(ChoiceFor(Segment(1000)).chosen);
  EXPECT_FALSE(ChoiceFor(Segment(700)).chosen);
  EXPECT_TRUE(ChoiceFor(Segment(660)).chosen);
  EXPECT_TRUE(ChoiceFor(Segment(0)).chosen);
}

TEST(PlanWholeMergeTest, AllAreThoseWithAnythingDead) {
  EXPECT_TRUE(ChoiceFor(Segment(999), /*all=*/true).chosen);
  EXPECT_FALSE(ChoiceFor(Segment(1000), /*all=*/true).chosen);
}

TEST(PlanWholeMergeTest, SaysWhy) {
  SegmentUse active = Segment(0), damaged = Segment(0), needed = Segment(400);
  active.sealed = false;
  damaged.quarantined = true;
  needed.kept_tombstone_bytes = 600;
  for (const bool all : {false, true}) {
    EXPECT_TRUE(Says(ChoiceFor(active, all), "still being added"));
    EXPECT_TRUE(Says(ChoiceFor(damaged, all), "damage"));
    EXPECT_TRUE(Says(ChoiceFor(needed, all), "tombstones still needed"));
    EXPECT_TRUE(Says(ChoiceFor(Segment(1000), all), "nothing in it is dead"));
    for (const auto& each : {active, damaged, needed}) {
      EXPECT_FALSE(ChoiceFor(each, all).chosen);
    }
  }
  EXPECT_EQ(ChoiceFor(Segment(250)).reason, "75.0% of it is dead");
  EXPECT_EQ(ChoiceFor(Segment(750)).reason,
            "25.0% of it is dead, no more than 33.3%, the bound's share");
}

TEST(PlanWholeMergeTest, HasAllSegmentsInTheirOrder) {
  const MergePlan plan = PlanWholeMerge({Segment(1), Segment(2)}, 1.5, false);
  ASSERT_EQ(plan.segments.size(), 2u);
  EXPECT_EQ(plan.segments[0].id, 7u);
  EXPECT_EQ(plan.segments[0].live_bytes, 1u);
  EXPECT_EQ(plan.segments[1].dead_bytes, 998u);
}

}  // namespace
}  // namespace stave
