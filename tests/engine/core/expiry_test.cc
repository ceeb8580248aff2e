#include <cstdint>
#include <string>
#include <thread>

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

// An expiry that a read has seen is kept by what is written next, though
// nothing waited for the device.
class SeenExpiryTest : public ExpiryTest {
 protected:
  // Two keys that have expired; the log ends with their puts.
  void SetUp() override {
    PutFor("k", absl::Seconds(10));
    PutFor("l", absl::Seconds(10));
    Sync();
    clock.Advance(absl::Seconds(10));
  }
  void ExpectNotRevivedByAKill() {
    Kill();
    clock.SetWall(clock.WallNow() - absl::Hours(1));
    Open();
    EXPECT_EQ(Get("k"), "NOT_FOUND");
  }
  uint64_t BytesAppended() { return store().GetStatistics().bytes_appended; }
};

TEST_F(SeenExpiryTest, ByGet) {
  EXPECT_TRUE(absl::IsNotFound(store().Get("k").status()));
  Put("other", "v");
  ExpectNotRevivedByAKill();
}

TEST_F(SeenExpiryTest, ByExists) {
  EXPECT_FALSE(*store().Exists("k"));
  Put("other", "v");
  ExpectNotRevivedByAKill();
}

TEST_F(SeenExpiryTest, ByAnIterator) {
  EXPECT_EQ(All(), Contents());
  Put("other", "v");
  ExpectNotRevivedByAKill();
}

TEST_F(SeenExpiryTest, ByADelete) {
  EXPECT_FALSE(Delete("l"));
  Put("other", "v");
  ExpectNotRevivedByAKill();
}

TEST_F(SeenExpiryTest, ByADurableDelete) {
  EXPECT_FALSE(Delete("l", {.sync = true}));
  ExpectNotRevivedByAKill();
}

TEST_F(SeenExpiryTest, IsKeptBySyncThoughNothingWasWritten) {
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  Sync();
  ExpectNotRevivedByAKill();
}

TEST_F(SeenExpiryTest, IsKeptBySyncBeforeTheFirstWriteOfAProcess) {
  Recover();
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  Sync();
  ExpectNotRevivedByAKill();
}

TEST_F(SeenExpiryTest, IsKeptByClose) {
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  Close();
  Open();
  ExpectNotRevivedByAKill();
}

TEST_F(SeenExpiryTest, IsKeptByAWriteThatBeginsASegment) {
  options.segment_size_bytes = kMinSegmentSizeBytes;
  Reopen();
  for (int i = 0; i < 20; ++i) {
    const std::string key = "expires" + std::to_string(i);
    PutFor(key, absl::Milliseconds(1));
    clock.Advance(absl::Milliseconds(1));
    EXPECT_EQ(Get(key), "NOT_FOUND");
  }
  Put("other", std::string(100, 'v'));
  ExpectNotRevivedByAKill();
  EXPECT_EQ(All().size(), 1u);
}

TEST_F(SeenExpiryTest, IsNotedOnce) {
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  Sync();
  const uint64_t before = BytesAppended();
  for (int i = 0; i < 3; ++i) {
    clock.Advance(absl::Seconds(1));
    EXPECT_EQ(Get("k"), "NOT_FOUND");
    EXPECT_EQ(Get("l"), "NOT_FOUND");
    Sync();
  }
  EXPECT_EQ(BytesAppended(), before);
}

// Opens the store beside its writer, with a clock that was set back.
class RunningExpiryTest : public SeenExpiryTest {
 protected:
  RunningExpiryTest() {
    Close();
    options.background_threads = true;
    options.sync_interval = absl::InfiniteDuration();
    Open();
  }

  bool IsThereWhenTheClockIsSetBack(std::string_view key) {
    ManualClock set_back(clock.WallNow() - absl::Hours(1));
    Options read_only = options;
    read_only.read_only = true;
    read_only.clock = &set_back;
    return *(*Store::Open(path(), read_only))->Exists(key);
  }
};

TEST_F(RunningExpiryTest, ThreadsKeepWhatReadsHaveSeen) {
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  while (IsThereWhenTheClockIsSetBack("k")) std::this_thread::yield();
}

TEST_F(RunningExpiryTest, ThreadsDoSoBeforeTheFirstWriteOfAProcess) {
  Reopen();
  clock.Advance(absl::Seconds(1));
  const absl::Time later = clock.WallNow() + absl::Seconds(1);
  Put("m", "v", {.expire_at = later});
  Reopen();
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(Get("m"), "NOT_FOUND");
  while (IsThereWhenTheClockIsSetBack("m")) std::this_thread::yield();
}

TEST_F(ExpiryTest, AFloorAheadOfTheClockIsTold) {
  EXPECT_EQ(store().GetStatistics().clock_floor_ahead_ms, 0u);
  clock.Advance(absl::Hours(48));
  Close();
  clock.SetWall(clock.WallNow() - absl::Hours(48));
  Open();
  constexpr uint64_t kHourMs = 3'600'000;
  EXPECT_EQ(store().GetStatistics().clock_floor_ahead_ms, 48 * kHourMs);
  clock.Advance(absl::Hours(47));
  EXPECT_EQ(store().GetStatistics().clock_floor_ahead_ms, kHourMs);
  clock.Advance(absl::Hours(2));
  EXPECT_EQ(store().GetStatistics().clock_floor_ahead_ms, 0u);
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
