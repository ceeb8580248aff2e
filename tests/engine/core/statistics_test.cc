#include "stave/statistics.h"

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

class StatisticsTest : public StoreFixture {
 protected:
  StatisticsTest() {
    options.segment_size_bytes = 4096;
    Open();
  }

  Statistics Now() { return store().GetStatistics(); }
  // FORMAT.md: a header of 24 bytes, 32 with an expiry, padding to 8.
  static uint64_t RecordSize(uint64_t body, bool expires = false) {
    return ((expires ? 32 : 24) + body + 7) / 8 * 8;
  }
};

TEST_F(StatisticsTest, ANewStoreHoldsNothing) {
  const Statistics now = Now();
  EXPECT_EQ(now.keys, 0u);
  EXPECT_EQ(now.live_bytes, 0u);
  EXPECT_EQ(now.dead_bytes, 0u);
  EXPECT_EQ(now.segment_bytes, 0u);
  EXPECT_EQ(now.segments, 0u);
  EXPECT_EQ(now.space_amplification(), 0);
  EXPECT_FALSE(now.latched);
  EXPECT_EQ(now.first_error, "");
}

TEST_F(StatisticsTest, LiveAndDeadBytesAreExact) {
  Put("k", std::string(100, 'v'));
  EXPECT_EQ(Now().live_bytes, RecordSize(101));
  EXPECT_EQ(Now().dead_bytes, 0u);
  Put("k", "v");
  EXPECT_EQ(Now().live_bytes, RecordSize(2));
  EXPECT_EQ(Now().dead_bytes, RecordSize(101));
  Put("expires", "v", {.ttl = absl::Seconds(1)});
  EXPECT_EQ(Now().live_bytes, RecordSize(2) + RecordSize(8, true));
  Delete("k");
  EXPECT_EQ(Now().live_bytes, RecordSize(8, true));
  EXPECT_EQ(Now().dead_bytes, RecordSize(101) + RecordSize(2) + RecordSize(1));
  EXPECT_EQ(Now().keys, 1u);
}

TEST_F(StatisticsTest, RecordsOfEverySizeAreCountedExactly) {
  uint64_t live = 0;
  for (uint64_t size = 900; size < 1100; size += 7) {
    Put(absl::StrCat(size), std::string(size, 'v'));
    live += RecordSize(absl::StrCat(size).size() + size);
    EXPECT_EQ(Now().live_bytes, live);
  }
  for (uint64_t size = 900; size < 1100; size += 7) {
    Put(absl::StrCat(size), "");
    live -= RecordSize(absl::StrCat(size).size() + size);
    live += RecordSize(absl::StrCat(size).size());
    EXPECT_EQ(Now().live_bytes, live);
  }
}

TEST_F(StatisticsTest, ABatchsFrameIsDead) {
  WriteBatch batch;
  batch.Put("a", "1");
  batch.Put("a", "22");
  batch.Delete("b");
  Write(batch);
  EXPECT_EQ(Now().live_bytes, RecordSize(3));
  EXPECT_EQ(Now().dead_bytes, 24 + RecordSize(2) + RecordSize(1));
}

TEST_F(StatisticsTest, CallsAreCounted) {
  Put("a", "1");
  Put("a", "2", {.sync = true});
  Delete("a");
  Delete("a");
  WriteBatch batch;
  batch.Put("b", "1");
  batch.Delete("c");
  Write(batch);
  EXPECT_EQ(Now().puts, 3u);
  EXPECT_EQ(Now().deletes, 2u);
  EXPECT_EQ(Now().syncs, 1u);
  Reopen();
  EXPECT_EQ(Now().puts + Now().deletes + Now().bytes_appended, 0u);
}

TEST_F(StatisticsTest, ARecountAtOpenGivesTheSame) {
  std::mt19937 random(1);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 300; ++i) {
      const std::string key = absl::StrCat("key", random() % 100);
      switch (random() % 4) {
        case 0:
          Delete(key);
          break;
        case 1:
          Put(key, ValueOf(i, random() % 2000), {.ttl = absl::Hours(1)});
          break;
        default:
          Put(key, ValueOf(i, random() % 300));
      }
    }
    Sync();
    const Statistics before = Now();
    EXPECT_EQ(before.keys, All().size());
    round % 2 == 0 ? Reopen() : Kill();
    if (!is_open()) Open();
    EXPECT_EQ(Now().keys, before.keys);
    EXPECT_EQ(Now().live_bytes, before.live_bytes);
    EXPECT_EQ(Now().dead_bytes, before.dead_bytes);
  }
}

TEST_F(StatisticsTest, SegmentBytesAreTheLengthsOfTheFiles) {
  options.segment_size_bytes = 2 << 20;
  Reopen();
  for (int i = 0; i < 40; ++i) {
    Put("k", ValueOf(i, 60'000));
    const DirectoryImage image = Image();
    ASSERT_EQ(Now().segment_bytes, SegmentBytes(image));
    ASSERT_EQ(Now().segments, SegmentNames(image).size());
  }
  Reopen();
  EXPECT_EQ(Now().segment_bytes, SegmentBytes(Image()));
  Kill();
  Open();
  EXPECT_EQ(Now().segment_bytes, SegmentBytes(Image()));
}

TEST_F(StatisticsTest, DiskBytesAreTheLengthsOfTheStoresFiles) {
  for (int i = 0; i < 100; ++i) Put(absl::StrCat(i), ValueOf(i, 100));
  WriteFile(PathOf("letter.txt"), "Dear Sir");
  uint64_t bytes = 0;
  for (const auto& [name, contents] : Image()) {
    if (name != "letter.txt") bytes += contents.size();
  }
  EXPECT_EQ(Now().disk_bytes, bytes);
}

TEST_F(StatisticsTest, SpaceAmplificationComparesFilesAndLiveRecords) {
  Put("k", std::string(1000, 'v'));
  Reopen();
  const Statistics now = Now();
  EXPECT_DOUBLE_EQ(now.space_amplification(), (1032.0 + 32) / 1032);
}

TEST_F(StatisticsTest, ExpiredKeysCountUntilTheyAreMet) {
  Put("k", "v", {.ttl = absl::Seconds(1)});
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(Now().keys, 1u);
  Put("k", "w");
  EXPECT_EQ(Now().keys, 1u);
}

TEST_F(StatisticsTest, PrometheusUnderstandsTheText) {
  Put("k", "v");
  const std::string text = Now().PrometheusText();
  EXPECT_NE(text.find("# TYPE stave_keys gauge\nstave_keys 1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("# TYPE stave_puts_total counter\nstave_puts_total 1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\nstave_bytes_cut_at_open 0\n"), std::string::npos);
  EXPECT_EQ(text.back(), '\n');
}

}  // namespace
}  // namespace stave
