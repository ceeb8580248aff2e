#include "tools/stave/statistics_text.h"

#include <linux/magic.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/stave/advice.h"
#include "tools/stave/segment_bars.h"

namespace stave::tool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr uint64_t kMiB = uint64_t{1} << 20;

std::vector<SegmentStatistics> Segments(size_t count) {
  std::vector<SegmentStatistics> segments;
  for (size_t i = 1; i <= count; ++i) {
    segments.push_back({.id = i,
                        .file_bytes = kMiB,
                        .live_bytes = kMiB / 4 * 3,
                        .dead_bytes = kMiB / 4});
  }
  return segments;
}

TEST(SegmentBarsTest, ABarIsAsLongAsItsSegmentIsLarge) {
  std::vector<SegmentStatistics> segments = Segments(2);
  segments[1].live_bytes = segments[1].dead_bytes = kMiB / 4;
  segments.push_back({.id = 9, .file_bytes = 4096});
  EXPECT_EQ(SegmentBars(segments, 12),
            "segment 1               1.0 MiB  75% live  "
            "########################--------\n"
            "segment 2             512.0 KiB  50% live  ########--------\n"
            "segment 9                   0 B   0% live  \n");
}

TEST(SegmentBarsTest, WhatIsThereIsSeen) {
  std::vector<SegmentStatistics> segments = Segments(1);
  segments[0].live_bytes = 1;
  segments[0].dead_bytes = kMiB;
  EXPECT_THAT(SegmentBars(segments, 12), HasSubstr("  0% live  #----"));
  std::swap(segments[0].live_bytes, segments[0].dead_bytes);
  EXPECT_THAT(SegmentBars(segments, 12), HasSubstr(" 99% live  ####"));
}

TEST(SegmentBarsTest, ManySegmentsShareLines) {
  const std::string bars = SegmentBars(Segments(30), 12);
  EXPECT_EQ(std::count(bars.begin(), bars.end(), '\n'), 10);
  EXPECT_THAT(bars, HasSubstr("3 from 1 on             3.0 MiB  75% live  ##"));
  EXPECT_THAT(bars, HasSubstr("\n3 from 28 on "));
  EXPECT_EQ(SegmentBars({}, 12), "");
}

Surroundings Good() {
  Surroundings around;
  around.space = {1000 * kMiB, 500 * kMiB};
  around.file_system_type = EXT4_SUPER_MAGIC;
  around.descriptor_limit = 1024;
  around.mapping_limit = 65530;
  around.huge_page_mode = "madvise";
  return around;
}

Statistics Large() {
  Statistics statistics;
  statistics.disk_bytes = 100 * kMiB;
  statistics.keydir_bytes = 100 * kMiB;
  statistics.mappings = 100;
  statistics.open_segment_files = 2;
  return statistics;
}

TEST(AdviceTest, WhereAllIsWellThereIsNone) {
  EXPECT_THAT(AdviceFor(Good(), Large()), IsEmpty());
  EXPECT_THAT(AdviceFor(Surroundings(), Large()), IsEmpty());
}

TEST(AdviceTest, LittleSpaceIsTold) {
  Surroundings around = Good();
  around.space->available_bytes = 60 * kMiB;
  EXPECT_THAT(AdviceFor(around, Large()),
              ElementsAre(HasSubstr("has 60.0 MiB left of 1000.0 MiB")));
  // It is enough for a small store.
  Statistics small = Large();
  small.disk_bytes = 10 * kMiB;
  EXPECT_THAT(AdviceFor(around, small), IsEmpty());
}

TEST(AdviceTest, LowLimitsAreTold) {
  Surroundings around = Good();
  around.descriptor_limit = 20;
  EXPECT_THAT(AdviceFor(around, Large()), ElementsAre(HasSubstr("ulimit -n")));
  around = Good();
  around.mapping_limit = 150;
  EXPECT_THAT(AdviceFor(around, Large()),
              ElementsAre(HasSubstr("vm.max_map_count")));
}

TEST(AdviceTest, HugePagesMatterToALargeKeydirOnly) {
  Surroundings around = Good();
  around.huge_page_mode = "never";
  EXPECT_THAT(AdviceFor(around, Large()), ElementsAre(HasSubstr("huge pages")));
  Statistics small = Large();
  small.keydir_bytes = kMiB;
  EXPECT_THAT(AdviceFor(around, small), IsEmpty());
}

TEST(AdviceTest, UnusualFileSystemsAreTold) {
  Surroundings around = Good();
  const auto about = [&around](uint64_t type) {
    around.file_system_type = type;
    return AdviceFor(around, Large());
  };
  EXPECT_THAT(about(NFS_SUPER_MAGIC), ElementsAre(HasSubstr("network")));
  EXPECT_THAT(about(0xFE534D42), ElementsAre(HasSubstr("network")));
  EXPECT_THAT(about(TMPFS_MAGIC), ElementsAre(HasSubstr("in memory")));
  EXPECT_THAT(about(OVERLAYFS_SUPER_MAGIC), ElementsAre(HasSubstr("overlay")));
  EXPECT_THAT(about(BTRFS_SUPER_MAGIC), ElementsAre(HasSubstr("system calls")));
  EXPECT_THAT(about(XFS_SUPER_MAGIC), IsEmpty());
}

TEST(AdviceTest, ALatchedStoreComesFirst) {
  Surroundings around = Good();
  around.file_system_type = NFS_SUPER_MAGIC;
  Statistics statistics = Large();
  statistics.latched = true;
  EXPECT_THAT(AdviceFor(around, statistics),
              ElementsAre(HasSubstr("sync failed"), HasSubstr("network")));
}

TEST(AdviceTest, TheSystemAnswers) {
  const Surroundings around = LookAround("/");
  ASSERT_TRUE(around.space.has_value());
  EXPECT_LE(around.space->available_bytes, around.space->bytes);
  EXPECT_GT(around.file_system_type.value_or(0), 0u);
  EXPECT_GT(around.descriptor_limit.value_or(0), 0u);
  EXPECT_FALSE(LookAround("/there/is/no/such/place").space.has_value());
}

TEST(StatisticsTextTest, LatenciesAreThereWhereSomeWereTimed) {
  Statistics statistics;
  EXPECT_THAT(StatisticsText(statistics, {}, {}), Not(HasSubstr("p99")));
  for (int i = 0; i < 10; ++i) statistics.get_ns.Add(50);
  statistics.sync_ns.Add(2'500'000);
  const std::string text = StatisticsText(statistics, {}, {});
  EXPECT_THAT(text, HasSubstr("\nget                       50 ns      50 ns"));
  EXPECT_THAT(text, HasSubstr("\nsync                     2.5 ms"));
  EXPECT_THAT(text, Not(HasSubstr("\nput ")));
}

TEST(StatisticsTextTest, WritesThatWaitedForMergesAreTold) {
  Statistics statistics;
  EXPECT_THAT(StatisticsText(statistics, {}, {}), Not(HasSubstr("waited")));
  statistics.delayed_writes = 1234;
  statistics.write_delay = absl::Milliseconds(2500);
  statistics.longest_write_delay = absl::Milliseconds(12);
  EXPECT_THAT(
      StatisticsText(statistics, {}, {}),
      HasSubstr("\nwaited for merges    1,234 writes, for 2.5 s in all, "
                "12.0 ms at most\n"));
}

TEST(StatisticsTextTest, AdviceFitsTheScreen) {
  const std::string text = StatisticsText(
      {}, {}, {std::string(60, 'a') + " " + std::string(60, 'b')});
  EXPECT_THAT(text, HasSubstr("\nAdvice: " + std::string(60, 'a') + "\nbbb"));
}

TEST(StatisticsTextTest, AdviceIsEscapedInJson) {
  EXPECT_THAT(StatisticsJson({}, {}, {"a \"b\""}),
              HasSubstr("\"segment_list\":[],\"advice\":[\"a \\\"b\\\"\"]}"));
}

}  // namespace
}  // namespace stave::tool
