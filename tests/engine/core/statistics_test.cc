#include "stave/statistics.h"

#include <random>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/prometheus_text.h"
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
    ASSERT_EQ(Now().segment_bytes, BytesOfSegments(image));
    ASSERT_EQ(Now().segments, SegmentNames(image).size());
  }
  Reopen();
  EXPECT_EQ(Now().segment_bytes, BytesOfSegments(Image()));
  Kill();
  Open();
  EXPECT_EQ(Now().segment_bytes, BytesOfSegments(Image()));
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

TEST_F(StatisticsTest, ReadsAreCountedWhateverTheyReturn) {
  Put("a", "1");
  const auto transaction = store().Begin();
  std::string value;
  EXPECT_TRUE(store().Get("a", &value).ok());
  EXPECT_FALSE(store().Get("b").ok());
  EXPECT_TRUE(store().GetPinned("a").ok());
  EXPECT_FALSE(store().Exists("b").value());
  EXPECT_TRUE(transaction->Get("a").ok());
  store().MultiGet({"a", "b", "c"}, [](size_t, auto) {});
  EXPECT_EQ(Now().gets, 5u);
  EXPECT_EQ(Now().multi_gets, 1u);
  EXPECT_EQ(Now().multi_get_keys, 3u);
}

TEST_F(StatisticsTest, OneCallInSixtyFourOfEachKindIsTimed) {
  for (int i = 0; i < 200; ++i) {
    Put(absl::StrCat(i), "v");
    EXPECT_TRUE(store().Exists(absl::StrCat(i)).ok());
    if (i < 100) Delete(absl::StrCat(i));
  }
  const Statistics now = Now();
  EXPECT_EQ(now.put_ns.count(), 200u / 64);
  EXPECT_EQ(now.get_ns.count(), 200u / 64);
  EXPECT_EQ(now.delete_ns.count(), 1u);
  EXPECT_EQ(now.write_ns.count() + now.update_ns.count(), 0u);
  EXPECT_GT(now.put_ns.Quantile(0.5), 0u);
  EXPECT_LE(now.put_ns.Quantile(0.5), now.put_ns.max());
}

TEST_F(StatisticsTest, AllFlushesAndMergesAreTimed) {
  for (int i = 0; i < 50; ++i) Put("k", ValueOf(i, 1000));
  Sync();
  EXPECT_TRUE(store().Merge({.all = true}).ok());
  const Statistics now = Now();
  EXPECT_GT(now.syncs, 0u);
  EXPECT_EQ(now.sync_ns.count(), now.syncs);
  EXPECT_GT(now.merges, 0u);
  EXPECT_EQ(now.merge_ns.count(), now.merges);
}

TEST_F(StatisticsTest, EachSegmentIsListed) {
  for (int i = 0; i < 30; ++i) Put(absl::StrCat(i % 20), ValueOf(i, 500));
  const Statistics now = Now();
  ASSERT_EQ(now.segment_list.size(), now.segments);
  uint64_t file = 0, live = 0, dead = 0;
  std::set<uint64_t> ids;
  for (const SegmentStatistics& segment : now.segment_list) {
    EXPECT_TRUE(ids.insert(segment.id).second);
    file += segment.file_bytes;
    live += segment.live_bytes;
    dead += segment.dead_bytes;
  }
  EXPECT_EQ(file, now.segment_bytes);
  EXPECT_EQ(live, now.live_bytes);
  EXPECT_EQ(dead, now.dead_bytes);
}

TEST_F(StatisticsTest, CompleteSegmentsAreMappedWithoutAnOpenFile) {
  for (int i = 0; i < 30; ++i) Put(absl::StrCat(i), ValueOf(i, 500));
  Sync();
  const Statistics now = Now();
  EXPECT_GT(now.segments, 2u);
  EXPECT_EQ(now.mappings, now.segments);
  EXPECT_GE(now.mapped_bytes, now.segment_bytes);
  EXPECT_LE(now.open_segment_files, 2u);  // that which grows, and a next one
  EXPECT_GE(now.open_segment_files, 1u);
}

TEST_F(StatisticsTest, PrometheusUnderstandsTheText) {
  for (int i = 0; i < 130; ++i) Put("k", "v");
  Sync();
  const absl::StatusOr<PrometheusText> text =
      ParsePrometheusText(Now().PrometheusText());
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(text->types.at("stave_keys"), "gauge");
  EXPECT_EQ(text->types.at("stave_puts_total"), "counter");
  EXPECT_EQ(text->types.at("stave_latency_seconds"), "histogram");
  const auto& samples = text->samples;
  EXPECT_EQ(samples.at("stave_keys"), 1);
  EXPECT_EQ(samples.at("stave_puts_total"), 130);
  EXPECT_EQ(samples.at("stave_bytes_cut_at_open"), 0);
  EXPECT_EQ(samples.at("stave_delayed_writes_total"), 0);
  EXPECT_EQ(samples.at("stave_write_delay_seconds_total"), 0);
  EXPECT_EQ(samples.at("stave_longest_write_delay_seconds"), 0);
  EXPECT_EQ(samples.at("stave_latency_seconds_count{operation=\"put\"}"), 2);
  EXPECT_EQ(samples.at("stave_latency_seconds_count{operation=\"get\"}"), 0);
  EXPECT_EQ(samples.at("stave_latency_seconds_count{operation=\"sync\"}"),
            samples.at("stave_syncs_total"));
  EXPECT_NEAR(samples.at("stave_latency_seconds_sum{operation=\"put\"}"),
              static_cast<double>(Now().put_ns.sum()) * 1e-9, 1e-12);
}

TEST_F(StatisticsTest, BucketsCountWhatIsNotAboveTheirEnds) {
  Statistics statistics;
  for (const uint64_t ns : {1, 127, 128, 1023, 1024}) statistics.put_ns.Add(ns);
  statistics.put_ns.Add(UINT64_MAX);
  const absl::StatusOr<PrometheusText> text =
      ParsePrometheusText(statistics.PrometheusText());
  ASSERT_TRUE(text.ok()) << text.status();
  const auto bucket = [&](const char* le) {
    return text->samples.at(absl::StrCat("stave_latency_seconds_bucket{le=\"",
                                         le, "\",operation=\"put\"}"));
  };
  EXPECT_EQ(bucket("1.27e-07"), 2);
  EXPECT_EQ(bucket("2.55e-07"), 3);
  EXPECT_EQ(bucket("1.023e-06"), 4);
  EXPECT_EQ(bucket("2.047e-06"), 5);
  EXPECT_EQ(bucket("+Inf"), 6);
}

TEST(PrometheusTextTest, WhatBreaksTheFormatIsRefused) {
  const std::string head = "# HELP a A \\n.\n# TYPE a gauge\n";
  EXPECT_TRUE(ParsePrometheusText(head + "a{b=\"\\\"\"} 1\n").ok());
  for (const std::string text :
       {"a 1\n", "# TYPE a gauge\na 1", "# TYPE a wheel\na 1\n",
        "# HELP a \\x\n# TYPE a gauge\na 1\n", "# TYPE a gauge\na one\n",
        "# TYPE a gauge\na{b=\"\\x\"} 1\n", "# TYPE a gauge\na 1\na 1\n",
        "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\na{c=\"\"} 1\n",
        "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n",
        "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n",
        "# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n"
        "a_sum 1\na_count 1\n"}) {
    EXPECT_FALSE(ParsePrometheusText(text).ok()) << text;
  }
}

}  // namespace
}  // namespace stave
