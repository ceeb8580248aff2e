#include <sys/resource.h>

#include <cstdint>
#include <ctime>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/fs/scoped_limit.h"

namespace stave {
namespace {

// FORMAT.md: what a segment starts with, and what a record adds to its key and
// value.
constexpr uint64_t kSegmentHeader = 32;
constexpr uint64_t kRecordHeader = 24;

uint64_t RecordSize(uint64_t key_size, uint64_t value_size) {
  return (kRecordHeader + key_size + value_size + 7) / 8 * 8;
}

class ReopenTest : public StoreFixture {
 protected:
  ReopenTest() { Open(); }
};

TEST_F(ReopenTest, AnEmptyStoreStaysEmpty) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(All(), Contents());
    Reopen();
  }
  EXPECT_TRUE(SegmentNames(Image()).empty());
}

TEST_F(ReopenTest, TheLogGoesOnInTheSameSegment) {
  Contents expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = std::to_string(i);
    Put(key, key);
    expected[key] = key;
    Reopen();
  }
  EXPECT_EQ(All(), expected);
  EXPECT_EQ(SegmentNames(Image()).size(), 1u);
}

TEST_F(ReopenTest, ManyOpensLeaveNoTraces) {
  Put("k", "v");
  for (int i = 0; i < 2000; ++i) Reopen();
  Close();
  const DirectoryImage image = Image();
  // The segment, the manifest, the lock, the reserve.
  EXPECT_EQ(image.size(), 4u);
  EXPECT_LT(image.at(ManifestName(image)).size(), 128u << 10);
}

// An open that was cut short may leave one, before or behind the one that
// counts.
TEST_F(ReopenTest, NoOtherManifestRemains) {
  Put("key", "value");
  Close();
  const std::string manifest = ManifestName(Image());
  WriteFile(path() + "/MANIFEST-7", "");
  Open();
  EXPECT_EQ(Get("key"), "value");
  Close();
  EXPECT_NE(ManifestName(Image()), manifest);
  EXPECT_NE(ManifestName(Image()), "MANIFEST-7");
}

TEST_F(ReopenTest, NothingPreallocatedRemainsAfterClose) {
  Put("k", "v");
  Put("key", std::string(100, 'v'));
  EXPECT_TRUE(Delete("k"));
  Close();
  const DirectoryImage image = Image();
  EXPECT_EQ(BytesOfSegments(image), kSegmentHeader + RecordSize(1, 1) +
                                        RecordSize(3, 100) + RecordSize(1, 0));
  const std::string& manifest = image.at(ManifestName(image));
  EXPECT_LT(manifest.size(), 1024u);
}

TEST_F(ReopenTest, SealedSegmentsHaveTheLengthOfTheirRecords) {
  Close();
  options.segment_size_bytes = 1024;
  Open();
  for (int i = 0; i < 100; ++i) Put(std::to_string(i), ValueOf(i, 100));
  Close();
  const DirectoryImage image = Image();
  for (const std::string& name : SegmentNames(image)) {
    EXPECT_LE(image.at(name).size(), 1024u) << name;
    EXPECT_NE(image.at(name).back(), '\xee');
  }
  EXPECT_EQ(BytesOfSegments(image),
            kSegmentHeader * SegmentNames(image).size() +
                10 * RecordSize(1, 100) + 90 * RecordSize(2, 100));
}

TEST_F(ReopenTest, SegmentsMayHaveAnotherSizeAtEachOpen) {
  Contents expected;
  int number = 0;
  for (const uint64_t size : {256, 65'536, 1024, 4096, 300, 1 << 20}) {
    Close();
    options.segment_size_bytes = size;
    Open();
    for (int i = 0; i < 50; ++i, ++number) {
      const std::string key = std::to_string(number % 70);
      expected[key] = ValueOf(number, 100);
      Put(key, expected[key]);
    }
    EXPECT_EQ(All(), expected);
  }
  Kill();
  Open();
  EXPECT_EQ(All(), expected);
}

TEST_F(ReopenTest, ASegmentThatIsLongerThanTheNewSizeIsLeftAsItIs) {
  for (int i = 0; i < 100; ++i) Put(std::to_string(i), ValueOf(i, 1000));
  Close();
  options.segment_size_bytes = 4096;
  Open();
  Put("more", "m");
  EXPECT_EQ(All().size(), 101u);
  EXPECT_EQ(SegmentNames(Image()).size(), 2u);
}

// Large segments are for large stores, also in one that was opened again.
TEST_F(ReopenTest, SegmentsOfASmallStoreAreSmall) {
  Put("k", "v");
  Reopen();
  for (int i = 0; i < 4096; ++i) Put("k", ValueOf(i, 1000));
  Close();
  const DirectoryImage image = Image();
  for (const std::string& name : SegmentNames(image)) {
    EXPECT_LE(image.at(name).size(), 1u << 20) << name;
  }
}

TEST_F(ReopenTest, SegmentsMayBeMoreThanAProcessMayOpenFiles) {
  const ScopedLimit few(RLIMIT_NOFILE, 64);
  Close();
  options.segment_size_bytes = kMinSegmentSizeBytes;
  Open();
  for (int i = 0; i < 300; ++i) Put(std::to_string(i), ValueOf(i, 200));
  Reopen();
  EXPECT_EQ(SegmentNames(Image()).size(), 300u);
  Kill();
  Open();
  EXPECT_EQ(All().size(), 300u);
}

TEST_F(ReopenTest, ThreadsMayBeOnOrOffAtEachOpen) {
  options.segment_size_bytes = 1024;
  Contents expected;
  for (int round = 0; round < 6; ++round) {
    Close();
    options.background_threads = round % 2 == 0;
    options.recovery_threads = round;
    Open();
    for (int i = 0; i < 60; ++i) {
      const std::string key = std::to_string(i + round * 10);
      expected[key] = ValueOf(round, 50);
      Put(key, expected[key]);
    }
  }
  Reopen();
  EXPECT_EQ(All(), expected);
}

// Threads that sync are needed in a store that was opened again as well, where
// there is room in a segment already.
TEST_F(ReopenTest, WritesAreSyncedInTheBackground) {
  Put("before", "v");
  Close();
  options.background_threads = true;
  options.sync_interval = absl::Milliseconds(1);
  Open();
  Put("k", "v");
  // Without an answer the test runs out of time.
  while (store().GetStatistics().syncs == 0)
    absl::SleepFor(absl::Seconds(0.001));
}

TEST_F(ReopenTest, ThreadsThatHaveNothingToDoSleep) {
  Close();
  options.background_threads = true;
  options.sync_interval = absl::ZeroDuration();
  Open();
  Put("k", "v");
  const clock_t before = std::clock();
  absl::SleepFor(absl::Milliseconds(300));
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 10);
}

}  // namespace
}  // namespace stave
