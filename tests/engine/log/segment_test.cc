#include "engine/log/segment.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "engine/base/epoch.h"
#include "engine/base/types.h"
#include "engine/format/record.h"
#include "gtest/gtest.h"
#include "tests/engine/log/memory_segment.h"

namespace stave {
namespace {

constexpr size_t kSize = 4096;
constexpr Location kFirst{1 << 17};

class SegmentTest : public testing::Test {
 protected:
  bool destroyed() const { return destroyed_.load() > 0; }
  // Gives up the owners' share.
  void Release() { owner_ = nullptr; }
  // Runs `body` on so many threads, to their end.
  template <typename Body>
  static void OnThreads(int count, const Body& body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
    for (std::thread& thread : threads) thread.join();
  }

  std::atomic<int> destroyed_{0};
  std::shared_ptr<Segment> owner_ =
      MakeMemorySegment(7, kSize, kFirst, &destroyed_);
  // Not an owner.
  Segment* const segment_ = owner_.get();
};

TEST_F(SegmentTest, OffsetsAndLocationsLeadToOneAnother) {
  EXPECT_EQ(segment_->LocationOf(0), kFirst);
  EXPECT_EQ(segment_->LocationOf(32), Location{kFirst.unit + 4});
  for (uint64_t offset = 0; offset < kSize; offset += kRecordAlignment) {
    EXPECT_EQ(segment_->OffsetOf(segment_->LocationOf(offset)), offset);
  }
}

TEST_F(SegmentTest, SeedsAreThoseOfTheFormat) {
  EXPECT_EQ(segment_->seed(), SegmentSeed(7 * 31, 7));
  EXPECT_EQ(segment_->SeedAt(64), RecordSeed(segment_->seed(), 64));
}

TEST_F(SegmentTest, BytesReachToTheCapacity) {
  EXPECT_EQ(segment_->capacity(), kSize);
  EXPECT_EQ(segment_->bytes_from(0).size(), kSize);
  EXPECT_EQ(segment_->bytes_from(kSize).size(), 0u);
}

TEST_F(SegmentTest, GoesWithItsLastOwner) {
  std::shared_ptr<Segment> another = owner_;
  Release();
  EXPECT_FALSE(destroyed());
  another = nullptr;
  EXPECT_TRUE(destroyed());
}

TEST_F(SegmentTest, PinKeepsItReadableAfterItsOwnersAreGone) {
  segment_->Pin();
  Release();
  EXPECT_FALSE(destroyed());
  EXPECT_EQ(segment_->bytes_from(0)[kSize - 1], '\0');
  segment_->Unpin();
  EXPECT_TRUE(destroyed());
}

TEST_F(SegmentTest, EveryPinCounts) {
  for (int i = 0; i < 3; ++i) segment_->Pin();
  Release();
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(destroyed());
    segment_->Unpin();
  }
  EXPECT_TRUE(destroyed());
}

TEST_F(SegmentTest, PinsThatWereReleasedKeepNothing) {
  OnThreads(4, [&](int) {
    for (int i = 0; i < 1000; ++i) {
      segment_->Pin();
      segment_->Unpin();
    }
  });
  Release();
  EXPECT_TRUE(destroyed());
}

TEST_F(SegmentTest, PinsMayBeReleasedOnOtherThreads) {
  constexpr int kThreads = 20;  // More than there are stripes.
  OnThreads(kThreads, [&](int) { segment_->Pin(); });
  Release();
  EXPECT_FALSE(destroyed());
  OnThreads(kThreads, [&](int) { segment_->Unpin(); });
  EXPECT_EQ(destroyed_.load(), 1);
}

TEST_F(SegmentTest, LastPinsAndOwnersThatGoAtOnceDestroyItOnce) {
  constexpr int kThreads = 4;
  for (int round = 1; round <= 200; ++round) {
    Segment* const segment = owner_.get();
    for (int i = 1; i < kThreads; ++i) segment->Pin();
    std::atomic<int> arrived{0};
    OnThreads(kThreads, [&](int thread) {
      arrived.fetch_add(1);
      while (arrived.load() < kThreads) std::this_thread::yield();
      if (thread == 0) {
        owner_ = nullptr;
      } else {
        segment->Unpin();
      }
    });
    ASSERT_EQ(destroyed_.load(), round);
    owner_ = MakeMemorySegment(7, kSize, kFirst, &destroyed_);
  }
}

TEST_F(SegmentTest, StaysWhileAReaderThatFoundItHasNotLeft) {
  std::thread releaser;
  {
    EpochGuard guard;
    releaser = std::thread([&] { Release(); });
    for (int i = 0; i < 100; ++i) {
      std::this_thread::yield();
      ASSERT_FALSE(destroyed());
    }
  }
  releaser.join();
  EXPECT_TRUE(destroyed());
}

}  // namespace
}  // namespace stave
