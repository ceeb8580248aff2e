#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "stave/verify.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

// A key that lives for a day, and a clock that once was a year ahead.
class ResetClockTest : public StoreFixture {
 protected:
  ResetClockTest() {
    Open();
    WriteOptions a_day;
    a_day.ttl = absl::Hours(24);
    Put("key", "value", a_day);
    Reopen();
    clock.SetWall(start_ + absl::Hours(24 * 365));
    Reopen();
    Put("other", "value");
    Sync();  // a mark with that time
    Close();
    clock.SetWall(start_);
  }

  ClockReset Reset() {
    const absl::StatusOr<ClockReset> reset = ResetClock(path(), options);
    EXPECT_TRUE(reset.ok()) << reset.status();
    return reset.value_or(ClockReset());
  }

  const absl::Time start_ = clock.WallNow();
};

TEST_F(ResetClockTest, AStoreThatIsAheadIsSetBack) {
  Open();
  EXPECT_EQ(Get("key"), "NOT_FOUND");
  EXPECT_GT(store().GetStatistics().clock_floor_ms,
            absl::ToUnixMillis(start_ + absl::Hours(24)));
  Close();
  const ClockReset reset = Reset();
  EXPECT_TRUE(reset.reset);
  EXPECT_EQ(reset.floor, start_ + absl::Hours(24 * 365));
  EXPECT_EQ(reset.now, start_);
  Open();
  EXPECT_EQ(Get("key"), "value");
  EXPECT_EQ(Get("other"), "value");
  EXPECT_EQ(store().GetStatistics().clock_floor_ms, absl::ToUnixMillis(start_));
}

// A keydir checkpoint lacks what had expired when it was written.
TEST_F(ResetClockTest, KeysThatHadLeftTheKeydirAreThereAgain) {
  options.checkpoint_min_keys = 0;
  options.checkpoint_interval_bytes = 64;
  options.max_space_amplification = 100;  // their records stay
  Open();
  for (int i = 0; i < 10; ++i) Put("filler", ValueOf(i, 100));
  ASSERT_EQ(store().Merge(), absl::OkStatus());
  EXPECT_EQ(store().GetStatistics().keys, 2u);
  Close();
  EXPECT_TRUE(Reset().reset);
  Open();
  EXPECT_EQ(Get("key"), "value");
  EXPECT_EQ(Get("other"), "value");
}

TEST_F(ResetClockTest, TheOldTimeDoesNotComeBackAfterAKill) {
  Reset();
  EXPECT_TRUE(Verify(path()).value().clean);
  Open();
  Put("new", "value");
  Sync();
  Kill();
  Open();
  EXPECT_EQ(Get("key"), "value");
  EXPECT_EQ(All().size(), 3u);
}

TEST_F(ResetClockTest, AStoreThatWasKilledIsRecoveredFirst) {
  clock.SetWall(start_ + absl::Hours(24 * 365));
  Open();
  Put("new", "value");
  Sync();
  Kill();
  clock.SetWall(start_);
  EXPECT_TRUE(Reset().reset);
  Open();
  EXPECT_EQ(Get("key"), "value");
  EXPECT_EQ(Get("new"), "value");
}

TEST_F(ResetClockTest, AStoreThatIsNotAheadStays) {
  clock.SetWall(start_ + absl::Hours(24 * 400));
  const DirectoryImage before = Image();
  EXPECT_FALSE(Reset().reset);
  EXPECT_EQ(Difference(before, Image()), "");
}

TEST_F(ResetClockTest, NoStoreIsMadeAndNoneThatIsOpenTouched) {
  EXPECT_TRUE(absl::IsNotFound(ResetClock(path() + "none").status()));
  Open();
  EXPECT_TRUE(absl::IsUnavailable(ResetClock(path(), options).status()));
}

}  // namespace
}  // namespace stave
