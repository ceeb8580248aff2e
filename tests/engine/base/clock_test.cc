#include "engine/base/clock.h"

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/engine/base/manual_clock.h"

namespace stave {
namespace {

TEST(SystemClockTest, TellsTheDateOfTheSystem) {
  const absl::Time before = absl::Now();
  const absl::Time now = SystemClock()->WallNow();
  // An hour either way: the date may be set while the test runs.
  EXPECT_GT(now, before - absl::Hours(1));
  EXPECT_LT(now, before + absl::Hours(1));
}

TEST(SystemClockTest, ElapsedTimeNeverGoesBack) {
  absl::Duration last = SystemClock()->Elapsed();
  for (int i = 0; i < 1000; ++i) {
    const absl::Duration now = SystemClock()->Elapsed();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(ManualClockTest, StandsStillUntilAdvanced) {
  ManualClock clock(absl::FromUnixSeconds(1000));
  EXPECT_EQ(clock.WallNow(), clock.WallNow());
  clock.Advance(absl::Milliseconds(1500));
  EXPECT_EQ(clock.WallNow(), absl::FromUnixMillis(1'001'500));
  EXPECT_EQ(clock.Elapsed(), absl::Milliseconds(1500));
}

TEST(ManualClockTest, SettingTheDateIsNotPassingTime) {
  ManualClock clock;
  clock.Advance(absl::Seconds(5));
  clock.SetWall(absl::FromUnixSeconds(1));
  EXPECT_EQ(clock.WallNow(), absl::FromUnixSeconds(1));
  EXPECT_EQ(clock.Elapsed(), absl::Seconds(5));
}

}  // namespace
}  // namespace stave
