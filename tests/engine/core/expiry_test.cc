#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

class ExpiryTest : public StoreFixture {
 protected:
  ExpiryTest() { Open(); }

  void PutFor(std::string_view key, absl::Duration ttl) {
    Put(key, "v", {.ttl = ttl});
  }
  void Recover() {
    Kill();
    Open();
  }
};

TEST_F(ExpiryTest, AKeyIsThereUntilTheMillisecondItExpires) {
  PutFor("k", absl::Seconds(10));
  clock.Advance(absl::Milliseconds(9'999));
  EXPECT_EQ(Get("k"), "v");
  EXPECT_EQ(All().size(), 1u);
  clock.Advance(absl::Milliseconds(1));
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  EXPECT_EQ(All(), Contents());
}

TEST_F(ExpiryTest, TheShortestTimeIsAMillisecond) {
  PutFor("k", absl::Milliseconds(1));
  EXPECT_EQ(Get("k"), "v");
  clock.Advance(absl::Milliseconds(1));
  EXPECT_EQ(Get("k"), "NOT_FOUND");
}

TEST_F(ExpiryTest, AMomentMayBeGivenInsteadOfADuration) {
  const absl::Time when = clock.WallNow() + absl::Seconds(5);
  Put("k", "v", {.expire_at = when + absl::Microseconds(999)});
  clock.Advance(absl::Seconds(5) - absl::Milliseconds(1));
  EXPECT_EQ(Get("k"), "v");
  clock.Advance(absl::Milliseconds(1));
  EXPECT_EQ(Get("k"), "NOT_FOUND");
}

TEST_F(ExpiryTest, TheEarlierOfDurationAndMomentCounts) {
  const absl::Time now = clock.WallNow();
  Put("a", "v", {.ttl = absl::Seconds(1), .expire_at = now + absl::Hours(1)});
  Put("b", "v", {.ttl = absl::Hours(1), .expire_at = now + absl::Seconds(1)});
  EXPECT_EQ(All().size(), 2u);
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(All().size(), 0u);
}

TEST_F(ExpiryTest, AMomentThatHasPassedMakesTheKeyAbsent) {
  Put("k", "old");
  Put("k", "new", {.expire_at = clock.WallNow()});
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  Put("l", "old");
  Put("l", "new", {.expire_at = absl::InfinitePast()});
  EXPECT_EQ(Get("l"), "NOT_FOUND");
  Reopen();
  EXPECT_EQ(All(), Contents());
}

TEST_F(ExpiryTest, TimesToLiveMustBePositive) {
  for (const absl::Duration ttl :
       {absl::ZeroDuration(), -absl::Seconds(1), -absl::InfiniteDuration()}) {
    const absl::Status status = store().Put("k", "v", {.ttl = ttl});
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  }
  EXPECT_EQ(Get("k"), "NOT_FOUND");
}

TEST_F(ExpiryTest, TimesFarAwayAreKept) {
  PutFor("a", absl::Hours(24 * 365 * 10'000.0));
  PutFor("b", absl::Hours(1e15));
  Put("c", "v", {.expire_at = absl::FromUnixSeconds(int64_t{1} << 55)});
  Recover();
  clock.Advance(absl::Hours(24 * 365 * 1'000.0));
  EXPECT_EQ(All().size(), 3u);
}

TEST_F(ExpiryTest, APutClearsTheExpiry) {
  PutFor("k", absl::Seconds(1));
  Put("k", "w");
  clock.Advance(absl::Hours(1));
  EXPECT_EQ(Get("k"), "w");
  Reopen();
  EXPECT_EQ(Get("k"), "w");
}

TEST_F(ExpiryTest, APutSetsANewExpiry) {
  PutFor("k", absl::Seconds(10));
  clock.Advance(absl::Seconds(9));
  PutFor("k", absl::Seconds(10));
  clock.Advance(absl::Seconds(9));
  EXPECT_EQ(Get("k"), "v");
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  Put("k", "w");
  EXPECT_EQ(Get("k"), "w");
}

TEST_F(ExpiryTest, TheExpirySurvivesAReopenAndAKill) {
  PutFor("k", absl::Seconds(10));
  Reopen();
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(Get("k"), "v");
  Recover();
  EXPECT_EQ(Get("k"), "v");
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  Reopen();
  EXPECT_EQ(Get("k"), "NOT_FOUND");
}

TEST_F(ExpiryTest, DeletingAnExpiredKeyFindsNone) {
  PutFor("k", absl::Seconds(1));
  clock.Advance(absl::Seconds(1));
  EXPECT_FALSE(Delete("k"));
  EXPECT_EQ(store().GetStatistics().keys, 0u);
}

TEST_F(ExpiryTest, BatchesHaveExpiriesOfTheirOwn) {
  WriteBatch batch;
  batch.Put("a", "v", absl::Seconds(1));
  batch.PutUntil("b", "v", clock.WallNow() + absl::Seconds(2));
  batch.Put("c", "v");
  Write(batch, {.ttl = absl::Milliseconds(1)});
  EXPECT_EQ(All().size(), 3u);
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(All(), (Contents{{"b", "v"}, {"c", "v"}}));
  clock.Advance(absl::Seconds(1));
  Recover();
  EXPECT_EQ(All(), (Contents{{"c", "v"}}));
}

TEST_F(ExpiryTest, IteratorsTellWhenAKeyExpires) {
  PutFor("k", absl::Seconds(10));
  const auto iterator = NewIterator();
  iterator->SeekToFirst();
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->expiry(), clock.WallNow() + absl::Seconds(10));
  Put("k", "w");
  const auto later = NewIterator();
  later->SeekToFirst();
  ASSERT_TRUE(later->Valid());
  EXPECT_EQ(later->expiry(), absl::InfiniteFuture());
}

// I12: a clock that is set back revives nothing.

TEST_F(ExpiryTest, AClockSetBackRevivesNoKey) {
  PutFor("k", absl::Seconds(10));
  clock.Advance(absl::Seconds(10));
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  clock.SetWall(clock.WallNow() - absl::Hours(1));
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  clock.Advance(absl::Minutes(2));
  EXPECT_EQ(Get("k"), "NOT_FOUND");
}

TEST_F(ExpiryTest, AClockSetBackBeforeAReopenRevivesNoKey) {
  PutFor("k", absl::Seconds(10));
  clock.Advance(absl::Seconds(10));
  Close();
  clock.SetWall(clock.WallNow() - absl::Hours(1));
  for (int i = 0; i < 3; ++i) {
    Open();
    EXPECT_EQ(Get("k"), "NOT_FOUND");
    Close();
  }
}

TEST_F(ExpiryTest, AClockSetBackAfterADurableWriteAndAKillRevivesNoKey) {
  PutFor("k", absl::Seconds(10));
  clock.Advance(absl::Seconds(10));
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  Put("other", "v", {.sync = true});
  for (int i = 0; i < 3; ++i) {
    Kill();
    clock.SetWall(clock.WallNow() - absl::Hours(1));
    Open();
    EXPECT_EQ(Get("k"), "NOT_FOUND");
  }
}

TEST_F(ExpiryTest, AClockSetBackIsSeenByReadOnlyOpensToo) {
  PutFor("k", absl::Seconds(10));
  clock.Advance(absl::Seconds(10));
  Put("other", "v", {.sync = true});
  Kill();
  clock.SetWall(clock.WallNow() - absl::Hours(1));
  options.read_only = true;
  Open();
  EXPECT_EQ(Get("k"), "NOT_FOUND");
}

TEST_F(ExpiryTest, AClockSetForwardIsFollowedWithinAMinute) {
  PutFor("k", absl::Hours(1));
  clock.SetWall(clock.WallNow() + absl::Hours(2));
  clock.Advance(absl::Minutes(1));
  EXPECT_EQ(Get("k"), "NOT_FOUND");
}

TEST_F(ExpiryTest, TimeGoesOnFromWhereItWasSetBackTo) {
  clock.SetWall(clock.WallNow() - absl::Hours(1));
  PutFor("k", absl::Seconds(10));
  clock.Advance(absl::Seconds(9));
  EXPECT_EQ(Get("k"), "v");
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(Get("k"), "NOT_FOUND");
}

}  // namespace
}  // namespace stave
