#include "engine/log/segment_set.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/types.h"
#include "engine/log/segment.h"
#include "gtest/gtest.h"
#include "stave/limits.h"
#include "tests/engine/log/memory_segment.h"

namespace stave {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

class SegmentSetTest : public testing::Test {
 protected:
  Location Reserve(uint64_t size) { return set_->ReserveRange(size).value(); }
  // Adds a segment of this size; the set is its only owner.
  Segment* Add(SegmentId id, uint64_t size) {
    auto segment = MakeMemorySegment(id, size, Reserve(size), &destroyed_);
    set_->Add(segment);
    return segment.get();
  }
  std::vector<SegmentId> Ids() const {
    std::vector<SegmentId> ids;
    for (const auto& segment : set_->All()) ids.push_back(segment->id());
    return ids;
  }

  std::atomic<int> destroyed_{0};
  const std::unique_ptr<SegmentSet> set_ = SegmentSet::Create().value();
};

TEST_F(SegmentSetTest, NoLocationIsZero) { EXPECT_GT(Reserve(1).unit, 0u); }

TEST_F(SegmentSetTest, RangesDoNotOverlap) {
  uint64_t free_from = 0;
  for (const uint64_t size : {uint64_t{1}, kMiB - 1, kMiB, kMiB + 1, kGiB}) {
    const Location first = Reserve(size);
    EXPECT_GE(first.unit * kRecordAlignment, free_from);
    free_from = first.unit * kRecordAlignment + size;
  }
}

TEST_F(SegmentSetTest, EveryLocationLeadsToItsSegment) {
  for (const uint64_t size : {uint64_t{64}, kMiB, kMiB + 8, 3 * kMiB}) {
    Segment* const segment = Add(size, size);
    for (uint64_t offset = 0; offset < size; offset += 56) {
      ASSERT_EQ(set_->Find(segment->LocationOf(offset)), segment) << offset;
    }
    EXPECT_EQ(set_->Find(segment->LocationOf(size - 8)), segment);
  }
}

TEST_F(SegmentSetTest, SegmentsAreListedInLogOrder) {
  EXPECT_TRUE(Ids().empty());
  Add(5, 64);
  Add(3, 64);
  Add(9, 64);
  EXPECT_EQ(Ids(), (std::vector<SegmentId>{5, 3, 9}));
}

TEST_F(SegmentSetTest, RemovedSegmentIsGivenUp) {
  Add(1, 64);
  const Segment* const removed = Add(2, 64);
  Add(3, 64);
  set_->Remove(removed);
  EXPECT_EQ(destroyed_.load(), 1);
  EXPECT_EQ(Ids(), (std::vector<SegmentId>{1, 3}));
  set_->Remove(nullptr);  // Not there.
  EXPECT_EQ(Ids().size(), 2u);
}

TEST_F(SegmentSetTest, ListKeepsItsSegments) {
  const auto list = set_->All();
  Segment* const segment = Add(1, 64);
  const auto longer_list = set_->All();
  set_->Remove(segment);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(longer_list.front()->id(), 1u);
  EXPECT_EQ(destroyed_.load(), 0);
}

TEST_F(SegmentSetTest, StoreHoldsSegmentsUpToItsLimit) {
  uint64_t reserved = 0;
  absl::StatusOr<Location> range;
  while ((range = set_->ReserveRange(kGiB)).ok()) reserved += kGiB;
  EXPECT_TRUE(absl::IsResourceExhausted(range.status()));
  EXPECT_GE(reserved, kMaxStoreBytes - kGiB);
  EXPECT_LE(reserved, kMaxStoreBytes);
  EXPECT_TRUE(set_->ReserveRange(kMiB).ok());  // What is left is of use.
}

TEST_F(SegmentSetTest, SizesBeyondAllBoundsAreTurnedDown) {
  for (const uint64_t size :
       {kMaxStoreBytes, kMaxStoreBytes * 2, uint64_t{1} << 63, ~uint64_t{0}}) {
    EXPECT_TRUE(absl::IsResourceExhausted(set_->ReserveRange(size).status()))
        << size;
  }
}

TEST_F(SegmentSetTest, RangeThatIsReturnedIsUsedAgain) {
  const Location first = Reserve(kGiB);
  set_->ReturnRange(first, kGiB);
  EXPECT_EQ(Reserve(kMiB), first);
}

TEST_F(SegmentSetTest, RangeBeforeAnotherIsUsedAgainAsFarAsItGoes) {
  const Location first = Reserve(kGiB);
  const Location second = Reserve(kGiB);
  set_->ReturnRange(first, kGiB);
  EXPECT_GT(Reserve(2 * kGiB).unit, second.unit);
  EXPECT_EQ(Reserve(kMiB), first);
  EXPECT_EQ(Reserve(kMiB).unit, first.unit + kMiB / kRecordAlignment);
}

TEST_F(SegmentSetTest, NeighboursThatAreReturnedBecomeOneRange) {
  const Location first = Reserve(kMiB);
  const Location second = Reserve(kMiB);
  const Location third = Reserve(kMiB);
  Reserve(kMiB);
  set_->ReturnRange(first, kMiB);
  set_->ReturnRange(third, kMiB);
  set_->ReturnRange(second, kMiB);
  EXPECT_EQ(Reserve(3 * kMiB), first);
}

TEST_F(SegmentSetTest, RestOfARangeIsUsedAgain) {
  const Location first = Reserve(3 * kMiB);
  Reserve(kMiB);
  set_->ShrinkRange(first, 3 * kMiB, kMiB + 8);
  EXPECT_EQ(Reserve(kMiB).unit, first.unit + 2 * kMiB / kRecordAlignment);
}

TEST_F(SegmentSetTest, OutputIsFoundBeforeItIsListedInItsInputsPlace) {
  Add(1, 64);
  Add(2, 64);
  Add(3, 64);
  const auto before = set_->All();
  auto output = MakeMemorySegment(9, 64, Reserve(64), &destroyed_);
  set_->Stage(output);
  EXPECT_EQ(set_->Find(output->LocationOf(8)), output.get());
  EXPECT_EQ(Ids(), (std::vector<SegmentId>{1, 2, 3}));
  set_->Install({output}, /*after=*/2, {before[0], before[1]});
  EXPECT_EQ(Ids(), (std::vector<SegmentId>{9, 3}));
}

TEST_F(SegmentSetTest, MergedSegmentLeavesWhenNobodyHoldsIt) {
  Add(1, kMiB);
  Segment* const pinned = Add(2, kMiB);
  auto held = set_->All();
  pinned->Pin();
  set_->Install({}, /*after=*/2, held);
  EXPECT_TRUE(set_->TakeLeft(/*all=*/false).empty());
  held.clear();
  EXPECT_EQ(set_->TakeLeft(/*all=*/false).size(), 1u);
  EXPECT_EQ(set_->GetUsage().pinned_bytes, pinned->file_bytes());
  pinned->Unpin();
  EXPECT_EQ(set_->TakeLeft(/*all=*/false).size(), 1u);
  EXPECT_EQ(destroyed_.load(), 2);
}

TEST_F(SegmentSetTest, SegmentsAreFoundWhileOthersAreAdded) {
  constexpr int kSegments = 200;
  std::vector<std::atomic<uint64_t>> units(kSegments);
  std::thread reader([&] {
    for (int i = 0; i < kSegments; ++i) {
      uint64_t unit = 0;
      while ((unit = units[i].load()) == 0) std::this_thread::yield();
      EXPECT_EQ(set_->Find(Location{unit})->id(), static_cast<SegmentId>(i));
      EXPECT_GT(set_->All().size(), static_cast<size_t>(i));
    }
  });
  for (int i = 0; i < kSegments; ++i) {
    units[i].store(Add(i, 64)->LocationOf(8).unit);
  }
  reader.join();
}

}  // namespace
}  // namespace stave
