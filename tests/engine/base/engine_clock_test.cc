#include "engine/base/engine_clock.h"

#include <cstdint>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/engine/base/manual_clock.h"

namespace stave {
namespace {

constexpr int64_t kStartMs = 1'000'000;
constexpr int64_t kDayMs = 24 * 3'600'000;

class EngineClockTest : public testing::Test {
 protected:
  void SetBack(absl::Duration by) { wall_.SetWall(wall_.WallNow() - by); }

  ManualClock wall_{absl::FromUnixMillis(kStartMs)};
  EngineClock clock_{&wall_, /*floor_ms=*/0};
};

TEST_F(EngineClockTest, GoesOnWhenTheDateIsSetBack) {
  wall_.Advance(absl::Milliseconds(5));
  EXPECT_EQ(clock_.NowMs(), kStartMs + 5);
  SetBack(absl::Hours(1));
  wall_.Advance(absl::Hours(2));
  EXPECT_EQ(clock_.NowMs(), kStartMs + 5 + 2 * 3'600'000);
}

TEST_F(EngineClockTest, FollowsADateThatIsSetForwardWithinAMinute) {
  wall_.SetWall(absl::FromUnixMillis(kStartMs + kDayMs));
  wall_.Advance(absl::Minutes(1));
  EXPECT_EQ(clock_.NowMs(), kStartMs + kDayMs + 60'000);
}

TEST_F(EngineClockTest, IsNeverBelowItsFloor) {
  EngineClock clock(&wall_, kStartMs + kDayMs);
  EXPECT_EQ(clock.NowMs(), kStartMs + kDayMs);
  EXPECT_EQ(clock.AheadMs(), kDayMs);
  wall_.Advance(absl::Hours(25));
  EXPECT_EQ(clock.NowMs(), kStartMs + kDayMs + 3'600'000);
  EXPECT_EQ(clock.AheadMs(), 0);
}

TEST_F(EngineClockTest, AnExpiryThatWasSeenMakesTheFloorDue) {
  EXPECT_FALSE(clock_.HasExpired(kStartMs + 1, clock_.NowMs()));
  EXPECT_FALSE(clock_.FloorIsDue());
  EXPECT_TRUE(clock_.HasExpired(kStartMs, clock_.NowMs()));
  EXPECT_TRUE(clock_.FloorIsDue());
  EXPECT_EQ(clock_.expiry_seen_ms(), kStartMs);
}

TEST_F(EngineClockTest, AFloorBeyondTheExpiryEndsThat) {
  EXPECT_TRUE(clock_.HasExpired(kStartMs - 10, clock_.NowMs()));
  clock_.FloorIsDurable(kStartMs - 1);
  EXPECT_TRUE(clock_.FloorIsDue());
  clock_.FloorIsDurable(kStartMs);
  EXPECT_FALSE(clock_.FloorIsDue());
  wall_.Advance(absl::Seconds(1));
  EXPECT_TRUE(clock_.HasExpired(kStartMs - 10, clock_.NowMs()));
  EXPECT_FALSE(clock_.FloorIsDue());
}

}  // namespace
}  // namespace stave
