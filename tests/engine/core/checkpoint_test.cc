#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "stave/verify.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/fs/faulty_file_system.h"

namespace stave {
namespace {

// Keydir checkpoints, seen from outside: what a store is, it is without them.
class CheckpointTest : public StoreFixture {
 protected:
  CheckpointTest() {
    options.segment_size_bytes = 2048;
    options.checkpoint_min_keys = 0;
    options.file_system = &faults_;
  }

  void PutNumbers(int begin, int end) {
    for (int i = begin; i < end; ++i) {
      const std::string key = absl::StrCat("key", i);
      contents_[key] = ValueOf(i, 100);
      Put(key, contents_[key]);
    }
  }
  void MakeStore() {
    Open();
    PutNumbers(0, 100);
    Close();
  }
  // Puts, deletes, batches and expiries, some large, over and over.
  void ChangeAtRandom(unsigned seed, int changes) {
    std::mt19937 random(seed);
    for (int i = 0; i < changes; ++i) {
      const std::string key = absl::StrCat("key", random() % 50);
      const size_t size =
          random() % 10 == 0 ? 1000 + random() % 900 : random() % 100;
      switch (random() % 5) {
        case 0:
          Delete(key);
          break;
        case 1: {
          WriteBatch batch;
          batch.Put(key, ValueOf(i, size / 2));
          batch.Delete(absl::StrCat("key", random() % 50));
          Write(batch);
          break;
        }
        case 2:
          Put(key, ValueOf(i, size), {.ttl = absl::Hours(1 + random() % 5)});
          break;
        default:
          Put(key, ValueOf(i, size));
      }
      if (random() % 20 == 0) clock.Advance(absl::Minutes(10));
    }
  }

  static bool IsCheckpoint(const std::string& name) {
    return name.starts_with("KEYDIR-");
  }
  static DirectoryImage Without(DirectoryImage image) {
    std::erase_if(image,
                  [](const auto& file) { return IsCheckpoint(file.first); });
    return image;
  }
  static std::vector<std::string> CheckpointNames(const DirectoryImage& image) {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : image) {
      if (IsCheckpoint(name)) names.push_back(name);
    }
    return names;
  }
  // Of the only one.
  std::string CheckpointName() const {
    const std::vector<std::string> names = CheckpointNames(Image());
    EXPECT_EQ(names.size(), 1u);
    return names.empty() ? "none" : names.front();
  }
  // What the store in `image` shows, and counts.
  std::string StateOf(const DirectoryImage& image) {
    WriteDirectory(path(), image);
    Open();
    std::string state;
    for (const auto& [key, value] : All()) {
      absl::StrAppend(&state, key, "=", value, "\n");
      EXPECT_EQ(Get(key), value);
    }
    const Statistics statistics = store().GetStatistics();
    absl::StrAppend(&state, statistics.keys, " keys, ", statistics.live_bytes,
                    " live, ", statistics.dead_bytes, " dead, ",
                    statistics.hint_bytes, " in hints");
    Close();
    return state;
  }
  // Spoils all records of all segments: an open that reads one refuses.
  static DirectoryImage WithoutRecords(DirectoryImage image) {
    for (const std::string& name : SegmentNames(image)) {
      std::string& bytes = image[name];
      for (size_t at = 32; at < bytes.size(); ++at) bytes[at] = '#';
    }
    return WithoutHints(std::move(image));
  }
  // Opens from the checkpoint alone.
  bool OpensFrom(const DirectoryImage& image) {
    WriteDirectory(path(), WithoutRecords(image));
    const absl::Status status = TryOpen();
    if (status.ok()) Close();
    EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
    return status.ok();
  }

  FaultyFileSystem faults_{PosixFileSystem()};
  Contents contents_;
};

TEST_F(CheckpointTest, ACloseWritesOne) {
  MakeStore();
  EXPECT_EQ(CheckpointName(), "KEYDIR-1");
  Open();
  EXPECT_EQ(All(), contents_);
}

TEST_F(CheckpointTest, AStoreIsTheSameWithAndWithout) {
  options.background_merge = false;  // many segments are wanted
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::filesystem::create_directory(path());
    WriteDirectory(path(), {});
    options.recovery_threads = static_cast<int>(1 + seed % 3);
    Open();
    ChangeAtRandom(seed, 400);
    if (seed % 2 == 0) {
      ASSERT_EQ(store().Merge(), absl::OkStatus());
      ChangeAtRandom(seed + 1000, static_cast<int>(seed % 7));
    }
    Close();
    const DirectoryImage with = Image();
    ASSERT_EQ(CheckpointNames(with).size(), 1u);
    ASSERT_TRUE(OpensFrom(with));
    const std::string state = StateOf(Without(with));
    EXPECT_EQ(StateOf(with), state);
  }
}

TEST_F(CheckpointTest, WritersGoOnAfterIt) {
  for (int round = 0; round < 20; ++round) {
    Open();
    EXPECT_EQ(All(), contents_);
    PutNumbers(round * 7, round * 7 + 30);
    if (round % 5 == 4) {
      ASSERT_EQ(store().Merge(), absl::OkStatus());
    }
    EXPECT_EQ(All(), contents_);
    round % 3 == 2 ? Kill() : Close();
  }
}

TEST_F(CheckpointTest, OpenReadsNoSegment) {
  MakeStore();
  const DirectoryImage good = Image();
  EXPECT_TRUE(OpensFrom(good));
  EXPECT_FALSE(OpensFrom(Without(good)));
}

TEST_F(CheckpointTest, WhatIsDamagedInASegmentIsReportedByReads) {
  MakeStore();
  WriteDirectory(path(), WithoutRecords(Image()));
  Open();
  for (const auto& [key, value] : contents_) EXPECT_EQ(Get(key), "DATA_LOSS");
  EXPECT_EQ(Get("none"), "NOT_FOUND");
}

TEST_F(CheckpointTest, ADamagedOneIsPassedOverAndMadeAnew) {
  MakeStore();
  const DirectoryImage good = Image();
  const std::string state = StateOf(good);
  const std::string name = CheckpointName();
  const std::string& whole = good.at(name);
  const auto check = [&](const DirectoryImage& damaged, size_t at) {
    ASSERT_FALSE(OpensFrom(damaged)) << at;
    ASSERT_EQ(StateOf(damaged), state) << at;
    ASSERT_EQ(CheckpointName(), "KEYDIR-2");
  };
  for (size_t at = 0; at < whole.size(); at += 1 + at % 7) {
    DirectoryImage damaged = good;
    damaged[name][at] ^= static_cast<char>(1 << at % 8);
    check(damaged, at);
  }
  for (size_t size : {size_t{0}, size_t{63}, size_t{64}, size_t{500},
                      whole.size() - 1, whole.size() + 1}) {
    DirectoryImage damaged = good;
    damaged[name].resize(size);
    check(damaged, size);
  }
}

TEST_F(CheckpointTest, LargeRecordsAreCountedToo) {
  Open();
  for (int i = 0; i < 20; ++i) {
    Put(absl::StrCat("key", i), ValueOf(i, 100 + 100 * i));
  }
  Close();
  const DirectoryImage good = Image();
  const std::string state = StateOf(Without(good));
  EXPECT_TRUE(OpensFrom(good));
  EXPECT_EQ(StateOf(good), state);
  const std::string name = CheckpointNames(good).front();
  for (size_t at = 64; at < 128; ++at) {  // the first segment's row
    DirectoryImage damaged = good;
    damaged[name][at] ^= 8;
    EXPECT_EQ(StateOf(damaged), state) << at;
  }
}

TEST_F(CheckpointTest, OneOfAnEarlierStateIsPassedOver) {
  MakeStore();
  const DirectoryImage before = Image();
  Open();
  Put("key5", "another");
  Close();
  DirectoryImage image = Without(Image());
  image["KEYDIR-9"] = before.at("KEYDIR-1");
  image["KEYDIR-1"] = before.at("KEYDIR-1");
  WriteDirectory(path(), image);
  Open();
  EXPECT_EQ(Get("key5"), "another");
  EXPECT_TRUE(CheckpointNames(Image()).empty());
  Close();
  EXPECT_EQ(CheckpointName(), "KEYDIR-10");
}

TEST_F(CheckpointTest, OneOfAnotherStoreIsPassedOver) {
  MakeStore();
  const DirectoryImage other = Image();
  WriteDirectory(path(), {});
  MakeStore();
  DirectoryImage image = Image();
  image["KEYDIR-1"] = other.at("KEYDIR-1");
  EXPECT_FALSE(OpensFrom(image));
  WriteDirectory(path(), image);
  Open();
  EXPECT_EQ(All(), contents_);
}

TEST_F(CheckpointTest, AfterAKillThereIsNone) {
  MakeStore();
  Open();
  Put("key1", "after");
  Kill();
  Open();
  EXPECT_EQ(Get("key1"), "after");
  EXPECT_TRUE(CheckpointNames(Image()).empty());
}

TEST_F(CheckpointTest, ItGoesOnceASegmentIsSealed) {
  MakeStore();
  Open();
  EXPECT_EQ(CheckpointName(), "KEYDIR-1");
  PutNumbers(100, 200);
  Sync();
  EXPECT_TRUE(CheckpointNames(Image()).empty());
  Close();
  EXPECT_EQ(CheckpointName(), "KEYDIR-2");
}

TEST_F(CheckpointTest, AStoreThatNobodyChangedKeepsIt) {
  MakeStore();
  const std::string bytes = Image().at("KEYDIR-1");
  for (int round = 0; round < 3; ++round) {
    Open();
    EXPECT_EQ(All(), contents_);
    Close();
    EXPECT_EQ(CheckpointName(), "KEYDIR-1");
  }
  EXPECT_TRUE(Image().at("KEYDIR-1") == bytes);
}

TEST_F(CheckpointTest, AReadOnlyOpenReadsItAndChangesNothing) {
  MakeStore();
  options.read_only = true;
  DirectoryImage image = WithoutRecords(Image());
  image["KEYDIR-7"] = "damaged";
  WriteDirectory(path(), image);
  Open();
  EXPECT_EQ(store().GetStatistics().keys, 100u);
  Close();
  EXPECT_EQ(Difference(image, Image()), "");
}

TEST_F(CheckpointTest, ASmallStoreHasNone) {
  options.checkpoint_min_keys = 101;
  MakeStore();
  EXPECT_TRUE(CheckpointNames(Image()).empty());
  Open();
  PutNumbers(100, 101);
  Close();
  EXPECT_EQ(CheckpointName(), "KEYDIR-1");
}

TEST_F(CheckpointTest, ItsBytesAreCounted) {
  MakeStore();
  Open();
  EXPECT_EQ(store().GetStatistics().checkpoint_bytes,
            Image().at("KEYDIR-1").size());
  uint64_t all = 0;
  for (const auto& [name, bytes] : Image()) all += bytes.size();
  EXPECT_EQ(store().GetStatistics().disk_bytes, all);
}

TEST_F(CheckpointTest, ACloseThatCantWriteItSucceeds) {
  for (const auto operation :
       {FaultyFileSystem::kWrite, FaultyFileSystem::kSyncData,
        FaultyFileSystem::kCreateFile}) {
    std::filesystem::create_directory(path());
    WriteDirectory(path(), {});
    MakeStore();
    Open();
    const int before = faults_.calls(operation);
    Put("one", "more");
    Close();
    ASSERT_EQ(CheckpointName(), "KEYDIR-2");
    const int calls = faults_.calls(operation) - before;
    Open();
    Put("one", "another");
    faults_.Fail(operation, DiskBroken(), calls);  // the last one: its own
    Close();
    EXPECT_TRUE(CheckpointNames(Image()).empty()) << operation;
    Open();
    EXPECT_EQ(Get("one"), "another");
    Close();
  }
}

TEST_F(CheckpointTest, VerifyReportsADamagedOne) {
  MakeStore();
  const DirectoryImage good = Image();
  const auto damage_of = [&](const DirectoryImage& image) {
    WriteDirectory(path(), image);
    const absl::StatusOr<VerifyReport> report = Verify(path());
    EXPECT_TRUE(report.ok()) << report.status();
    std::string files;
    for (const Damage& damage : report->damage) {
      EXPECT_EQ(damage.records, 0u);
      absl::StrAppend(&files, damage.file, " ");
    }
    return files;
  };
  EXPECT_EQ(damage_of(good), "");
  for (size_t at = 0; at < good.at("KEYDIR-1").size(); at += 5) {
    DirectoryImage damaged = good;
    damaged["KEYDIR-1"][at] ^= 0x20;
    ASSERT_EQ(damage_of(damaged), "KEYDIR-1 ") << at;
  }
  DirectoryImage unfinished = good;
  std::fill_n(unfinished["KEYDIR-1"].begin(), 64, '\0');
  EXPECT_EQ(damage_of(unfinished), "");
}

TEST_F(CheckpointTest, ThreadsWriteAndReadIt) {
  options.background_threads = true;
  options.recovery_threads = 3;
  options.segment_size_bytes = 1 << 20;
  Open();
  for (int i = 0; i < 60000; ++i) Put(absl::StrCat("key", i), ValueOf(i, 20));
  Close();
  Open();
  EXPECT_EQ(store().GetStatistics().keys, 60000u);
  EXPECT_GT(store().GetStatistics().checkpoint_bytes, 60000u * 16);
  for (int i = 0; i < 60000; i += 7) {
    ASSERT_EQ(store().Get(absl::StrCat("key", i)).value(), ValueOf(i, 20));
  }
}

}  // namespace
}  // namespace stave
