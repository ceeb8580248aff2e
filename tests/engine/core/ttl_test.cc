#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/directory_image.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

// What is done about the expiry of a key that is there; expiry_test.cc has what
// an expiry does.
class TtlTest : public StoreFixture {
 protected:
  TtlTest() { Open(); }

  void PutFor(std::string_view key, absl::Duration ttl) {
    Put(key, "v", {.ttl = ttl});
  }
  // The time left, or the error's name.
  std::string Ttl(std::string_view key) {
    const absl::StatusOr<absl::Duration> ttl = store().Ttl(key);
    return ttl.ok() ? absl::FormatDuration(*ttl) : NameOf(ttl.status());
  }
  std::string ExpireIn(std::string_view key, absl::Duration ttl,
                       const WriteOptions& write = {}) {
    return NameOf(store().ExpireAt(key, clock.WallNow() + ttl, write));
  }
  std::string Persist(std::string_view key) {
    return NameOf(store().Persist(key));
  }
  void Read(std::string_view key, absl::Duration refresh_ttl) {
    std::string value;
    const absl::Status status =
        store().Get(key, &value, {.refresh_ttl = refresh_ttl});
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(value, "v");
  }
  static std::string NameOf(const absl::Status& status) {
    return absl::StatusCodeToString(status.code());
  }
  uint64_t Puts() { return store().GetStatistics().puts; }
  void Recover() {
    Kill();
    Open();
  }
};

TEST_F(TtlTest, TellsWhatIsLeft) {
  Put("forever", "v");
  PutFor("k", absl::Seconds(10));
  EXPECT_EQ(Ttl("forever"), "inf");
  EXPECT_EQ(Ttl("k"), "10s");
  clock.Advance(absl::Milliseconds(9'999));
  EXPECT_EQ(Ttl("k"), "1ms");
  clock.Advance(absl::Milliseconds(1));
  EXPECT_EQ(Ttl("k"), "NOT_FOUND");
  EXPECT_EQ(Ttl("never there"), "NOT_FOUND");
  EXPECT_EQ(Ttl(""), "INVALID_ARGUMENT");
}

TEST_F(TtlTest, ExpireAtGivesAnExpiryAndKeepsTheValue) {
  Put("k", "v");
  EXPECT_EQ(ExpireIn("k", absl::Milliseconds(1500) + absl::Microseconds(999)),
            "OK");
  EXPECT_EQ(Ttl("k"), "1.5s");
  EXPECT_EQ(Get("k"), "v");
  Recover();
  EXPECT_EQ(Ttl("k"), "1.5s");
  clock.Advance(absl::Milliseconds(1500));
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  EXPECT_EQ(ExpireIn("k", absl::Seconds(1)), "NOT_FOUND");
}

TEST_F(TtlTest, ExpireAtMovesAnExpiryBothWays) {
  PutFor("k", absl::Seconds(10));
  EXPECT_EQ(ExpireIn("k", absl::Seconds(20)), "OK");
  EXPECT_EQ(Ttl("k"), "20s");
  EXPECT_EQ(ExpireIn("k", absl::Seconds(5)), "OK");
  EXPECT_EQ(Ttl("k"), "5s");
}

TEST_F(TtlTest, ATimeThatHasPassedMakesTheKeyAbsent) {
  Put("a", "v");
  Put("b", "v");
  EXPECT_EQ(ExpireIn("a", absl::ZeroDuration()), "OK");
  EXPECT_EQ(NameOf(store().ExpireAt("b", absl::InfinitePast())), "OK");
  EXPECT_EQ(All(), Contents());
  Recover();
  EXPECT_EQ(All(), Contents());
}

TEST_F(TtlTest, ExpireCountsFromNowByTheStoresTime) {
  Put("k", "v");
  // The date is set back, which a store takes no notice of.
  clock.SetWall(clock.WallNow() + absl::Hours(1));
  Reopen();
  Put("seen", "v", {.ttl = absl::Seconds(1)});
  Close();
  clock.SetWall(clock.WallNow() - absl::Hours(1));
  Open();
  EXPECT_EQ(NameOf(store().Expire("k", absl::Seconds(5))), "OK");
  EXPECT_EQ(Ttl("k"), "5s");
  EXPECT_EQ(NameOf(store().Expire("none", absl::Seconds(5))), "NOT_FOUND");
  for (const absl::Duration ttl : {absl::ZeroDuration(), -absl::Seconds(1)}) {
    EXPECT_EQ(NameOf(store().Expire("k", ttl)), "INVALID_ARGUMENT");
  }
  EXPECT_EQ(Ttl("k"), "5s");
  EXPECT_EQ(NameOf(store().Expire("k", absl::InfiniteDuration())), "OK");
  EXPECT_EQ(Ttl("k"), "inf");
}

TEST_F(TtlTest, PersistTakesTheExpiryAway) {
  PutFor("k", absl::Seconds(1));
  EXPECT_EQ(Persist("k"), "OK");
  EXPECT_EQ(Ttl("k"), "inf");
  clock.Advance(absl::Hours(1));
  Recover();
  EXPECT_EQ(Get("k"), "v");
  EXPECT_EQ(Persist("never there"), "NOT_FOUND");
}

TEST_F(TtlTest, WhatIsSoAlreadyIsNotWritten) {
  Put("a", "v");
  PutFor("b", absl::Seconds(1));
  const uint64_t before = Puts();
  EXPECT_EQ(Persist("a"), "OK");
  EXPECT_EQ(ExpireIn("b", absl::Seconds(1)), "OK");
  EXPECT_EQ(Puts(), before);
  // But with sync what it stands on is on the device.
  const uint64_t syncs = store().GetStatistics().syncs;
  EXPECT_EQ(ExpireIn("b", absl::Seconds(1), {.sync = true}), "OK");
  EXPECT_GT(store().GetStatistics().syncs, syncs);
}

TEST_F(TtlTest, ReadingMayMoveTheExpiry) {
  PutFor("k", absl::Seconds(10));
  clock.Advance(absl::Seconds(4));
  Read("k", absl::Seconds(10));
  EXPECT_EQ(Ttl("k"), "10s");
  Recover();
  EXPECT_EQ(Ttl("k"), "10s");
}

TEST_F(TtlTest, EveryWayOfReadingMovesIt) {
  const ReadOptions refresh = {.refresh_ttl = absl::Seconds(10)};
  PutFor("k", absl::Seconds(1));
  EXPECT_TRUE(store().Get("k", refresh).ok());
  EXPECT_EQ(Ttl("k"), "10s");
  PutFor("k", absl::Seconds(1));
  EXPECT_EQ(store().GetPinned("k", refresh)->view(), "v");
  EXPECT_EQ(Ttl("k"), "10s");
  PutFor("k", absl::Seconds(1));
  EXPECT_TRUE(*store().Exists("k", refresh));
  EXPECT_EQ(Ttl("k"), "10s");
  PutFor("k", absl::Seconds(1));
  const std::string_view keys[] = {"k"};
  store().MultiGet(
      keys, [](size_t, absl::StatusOr<std::string_view>) {}, refresh);
  EXPECT_EQ(Ttl("k"), "10s");
}

TEST_F(TtlTest, MostReadsWriteNothing) {
  PutFor("k", absl::Seconds(100));
  const uint64_t before = Puts();
  for (int i = 0; i < 1000; ++i) {
    clock.Advance(absl::Seconds(1));
    Read("k", absl::Seconds(100));
  }
  EXPECT_EQ(Puts() - before, 1000u / 25);
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(TtlTest, OnlyAKeyThatExpiresGetsANewExpiry) {
  Put("k", "v");
  Read("k", absl::Seconds(1));
  EXPECT_EQ(Ttl("k"), "inf");
  const ReadOptions refresh = {.refresh_ttl = absl::Seconds(1)};
  EXPECT_EQ(NameOf(store().Get("none", refresh).status()), "NOT_FOUND");
  PutFor("k", absl::Seconds(5));
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(NameOf(store().Get("k", refresh).status()), "NOT_FOUND");
  EXPECT_EQ(Ttl("k"), "NOT_FOUND");
}

TEST_F(TtlTest, AnInfiniteRefreshTakesTheExpiryAway) {
  PutFor("k", absl::Seconds(1));
  Read("k", absl::InfiniteDuration());
  EXPECT_EQ(Ttl("k"), "inf");
}

TEST_F(TtlTest, ANegativeRefreshIsRefusedByEveryRead) {
  Put("k", "v");
  const ReadOptions negative = {.refresh_ttl = absl::Seconds(-1)};
  EXPECT_EQ(NameOf(store().Get("k", negative).status()), "INVALID_ARGUMENT");
  EXPECT_EQ(NameOf(store().GetPinned("k", negative).status()),
            "INVALID_ARGUMENT");
  EXPECT_EQ(NameOf(store().Exists("k", negative).status()), "INVALID_ARGUMENT");
  const std::string_view keys[] = {"k"};
  store().MultiGet(
      keys,
      [](size_t, absl::StatusOr<std::string_view> value) {
        EXPECT_EQ(NameOf(value.status()), "INVALID_ARGUMENT");
      },
      negative);
}

TEST_F(TtlTest, AReadOnlyStoreTellsAndDoesNotMove) {
  PutFor("k", absl::Seconds(10));
  Close();
  options.read_only = true;
  Open();
  const DirectoryImage before = Image();
  Read("k", absl::Seconds(100));
  EXPECT_EQ(Ttl("k"), "10s");
  EXPECT_EQ(ExpireIn("k", absl::Seconds(1)), "FAILED_PRECONDITION");
  EXPECT_EQ(Persist("k"), "FAILED_PRECONDITION");
  EXPECT_EQ(Difference(before, Image()), "");
}

TEST_F(TtlTest, MergesKeepWhatWasSaidLast) {
  options.segment_size_bytes = 512;
  Reopen();
  PutFor("a", absl::Seconds(1));
  Put("b", "v");
  EXPECT_EQ(Persist("a"), "OK");
  EXPECT_EQ(ExpireIn("b", absl::Seconds(2)), "OK");
  ASSERT_TRUE(store().Merge({.all = true}).ok());
  Reopen();
  EXPECT_EQ(Ttl("a"), "inf");
  EXPECT_EQ(Ttl("b"), "2s");
  clock.Advance(absl::Seconds(2));
  EXPECT_EQ(All(), (Contents{{"a", "v"}}));
}

}  // namespace
}  // namespace stave
