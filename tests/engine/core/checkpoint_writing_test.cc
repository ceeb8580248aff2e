#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/merge.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "tests/engine/core/checkpoint_fixture.h"
#include "tests/engine/core/directory_image.h"
#include "tests/engine/fs/faulty_file_system.h"

namespace stave {
namespace {

// When keydir checkpoints are written, by whom, and what is counted of them.
class CheckpointWritingTest : public CheckpointTest {};

FOR_EACH_KEYDIR(CheckpointWritingTest);

TEST_P(CheckpointWritingTest, ACloseWritesOne) {
  options.checkpoint_interval_bytes = 64 << 10;
  MakeStore();
  EXPECT_EQ(CheckpointName(), "KEYDIR-1");
  Open();
  EXPECT_EQ(All(), contents_);
}

TEST_P(CheckpointWritingTest, WritersHaveOneEachInterval) {
  Open();
  PutNumbers(0, 300);
  const uint64_t first = store().GetStatistics().checkpoints;
  EXPECT_GT(first, 1u);
  PutNumbers(0, 300);
  EXPECT_GT(store().GetStatistics().checkpoints, first);
  EXPECT_EQ(CheckpointNames(Image()).size(), 1u);
}

TEST_P(CheckpointWritingTest, AnIntervalIsThreeTimesItsBytesAtLeast) {
  Open();
  for (int i = 0; i < 5000; ++i) {
    Put(absl::StrCat("key", i % 1000), ValueOf(i, 100));
  }
  const Statistics statistics = store().GetStatistics();
  EXPECT_GT(statistics.checkpoints, 4u);
  // There were fewer keys at first.
  constexpr uint64_t kInterval = 3 * 16 * 1000;
  EXPECT_LT(statistics.checkpoints * kInterval,
            statistics.bytes_appended + statistics.merge_bytes_written +
                12 * kInterval);
}

// Keys that have expired leave without a record in the log, so an open that
// finds nothing behind the checkpoint would believe the live bytes in it.
TEST_P(CheckpointWritingTest, OneIsGivenUpIfOnlyExpiredKeysLeftMeanwhile) {
  options.background_merge = false;
  Open();
  PutNumbers(0, 40);
  Put("expires", "soon", {.ttl = absl::Seconds(1)});
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(Get("expires"), "NOT_FOUND");
  Sync();  // the time, so that a sweep has nothing to write
  const std::vector<std::string> before = CheckpointNames(Image());
  const uint64_t written = store().GetStatistics().checkpoints;
  bool swept = false;
  faults_.Before(FaultyFileSystem::kWrite, [&] {
    // The first write to the next one.
    if (swept || CheckpointNames(Image()) == before) return;
    swept = true;
    ASSERT_EQ(store().Merge(), absl::OkStatus());
  });
  for (int i = 0; !swept; ++i) {
    ASSERT_LT(i, 100);
    Put("filler", ValueOf(i, 100));
  }
  faults_.Before(FaultyFileSystem::kWrite, nullptr);
  EXPECT_EQ(store().GetStatistics().keys, 41u);
  EXPECT_EQ(store().GetStatistics().checkpoints, written);
  EXPECT_EQ(CheckpointNames(Image()), before);
}

TEST_P(CheckpointWritingTest, AStoreThatHardlyChangedKeepsIt) {
  MakeStore();
  const std::string name = CheckpointName();
  const std::string bytes = Image().at(name);
  for (int round = 0; round < 3; ++round) {
    Open();
    EXPECT_EQ(All(), contents_);
    if (round == 1) Put("key1", contents_["key1"] = "another");
    Close();
    EXPECT_EQ(CheckpointName(), name);
  }
  EXPECT_TRUE(Image().at(name) == bytes);
  Open();
  EXPECT_EQ(All(), contents_);
}

TEST_P(CheckpointWritingTest, ASmallStoreHasNone) {
  options.checkpoint_min_keys = 101;
  MakeStore();
  EXPECT_TRUE(CheckpointNames(Image()).empty());
  Open();
  PutNumbers(100, 101);
  Close();
  EXPECT_EQ(CheckpointName(), "KEYDIR-1");
}

TEST_P(CheckpointWritingTest, ItsBytesAreCounted) {
  MakeStore();
  Open();
  EXPECT_EQ(store().GetStatistics().checkpoint_bytes,
            Image().at(CheckpointName()).size());
  uint64_t all = 0;
  for (const auto& [name, bytes] : Image()) all += bytes.size();
  EXPECT_EQ(store().GetStatistics().disk_bytes, all);
}

TEST_P(CheckpointWritingTest, ACloseThatCantWriteItSucceeds) {
  for (const auto operation :
       {FaultyFileSystem::kWrite, FaultyFileSystem::kSyncData,
        FaultyFileSystem::kCreateFile}) {
    std::filesystem::create_directory(path());
    WriteDirectory(path(), {});
    MakeStore();
    const std::string name = CheckpointName();
    // What Close calls last is for the checkpoint, or for hint files.
    int calls = 0;
    for (const bool fails : {false, true}) {
      Open();
      Put("one", ValueOf(fails, 400));
      if (fails) faults_.FailAlways(operation, DiskBroken(), calls);
      calls = -faults_.calls(operation);
      Close();
      calls += faults_.calls(operation);
      faults_.Heal(operation);
    }
    EXPECT_EQ(CheckpointNames(Image()).size(), 1u) << operation;
    Open();
    EXPECT_EQ(Get("one"), ValueOf(1, 400));
    Close();
  }
}

TEST_P(CheckpointWritingTest, ThreadsWriteAndReadIt) {
  options.background_threads = true;
  options.recovery_threads = 3;
  options.segment_size_bytes = 1 << 20;
  options.checkpoint_interval_bytes = 1 << 20;
  Open();
  for (int i = 0; i < 60000; ++i) Put(absl::StrCat("key", i), ValueOf(i, 20));
  Close();
  Open();
  EXPECT_EQ(store().GetStatistics().keys, 60000u);
  const uint64_t key_bytes = GetParam() == KeydirKind::kHash ? 16 : 10;
  EXPECT_GT(store().GetStatistics().checkpoint_bytes, 60000 * key_bytes);
  for (int i = 0; i < 60000; i += 7) {
    ASSERT_EQ(store().Get(absl::StrCat("key", i)).value(), ValueOf(i, 20));
  }
}

// Writers, merges and checkpoints at the same time, and a look at what a kill
// would leave.
TEST_P(CheckpointWritingTest, ThreadsWriteItWhileOthersWriteAndMerge) {
  options.background_threads = true;
  options.segment_size_bytes = 16 << 10;
  options.checkpoint_interval_bytes = 32 << 10;
  Open();
  std::vector<std::thread> writers;
  for (unsigned seed = 1; seed <= 2; ++seed) {
    writers.emplace_back([this, seed] { ChangeAtRandom(seed, 30000); });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_GT(store().GetStatistics().checkpoints, 0u);
  EXPECT_GT(store().GetStatistics().merges, 0u);
  const Contents contents = All();
  Close();
  const DirectoryImage image = Image();
  ExpectTheSameWithout(image);
  WriteDirectory(path(), image);
  Open();
  EXPECT_EQ(All(), contents);
}

}  // namespace
}  // namespace stave
