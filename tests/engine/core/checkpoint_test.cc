#include "engine/format/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/format/hint.h"
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
class CheckpointTest : public StoreFixture,
                       public testing::WithParamInterface<KeydirKind> {
 protected:
  CheckpointTest() {
    options.keydir = GetParam();
    options.segment_size_bytes = 2048;
    options.checkpoint_min_keys = 0;
    options.checkpoint_interval_bytes = 64;
    options.file_system = &faults_;
  }

  // What both kinds have in common the first one shows.
  static unsigned Seeds(unsigned number) {
    return GetParam() == KeydirKind::kHash ? number : number / 3;
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
  static std::string CheckpointName(const DirectoryImage& image) {
    const std::vector<std::string> names = CheckpointNames(image);
    EXPECT_EQ(names.size(), 1u);
    return names.empty() ? "none" : names.front();
  }
  std::string CheckpointName() const { return CheckpointName(Image()); }
  // Changes keys until another checkpoint is written.
  void ChangeUntilThereIsAnother() {
    const uint64_t written = store().GetStatistics().checkpoints;
    for (int i = 0; store().GetStatistics().checkpoints == written; ++i) {
      ASSERT_LT(i, 1000);
      Put(absl::StrCat("key", i % 30), ValueOf(i, 150));
    }
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
  // Spoils what stands behind the headers of segments, or of these and of hint
  // files: an open that has to read one refuses.
  static DirectoryImage WithoutRecords(DirectoryImage image) {
    for (const std::string& name : SegmentNames(image)) {
      std::string& bytes = image[name];
      for (size_t at = 32; at < bytes.size(); ++at) bytes[at] = '#';
    }
    return image;
  }
  static DirectoryImage WithoutRecordsAndHints(DirectoryImage image) {
    for (auto& [name, bytes] : image) {
      if (!name.ends_with(".hint")) continue;
      for (size_t at = kHintHeaderBytes; at < bytes.size(); ++at) {
        bytes[at] = '#';
      }
    }
    return WithoutRecords(std::move(image));
  }
  // Opens from the checkpoint alone.
  bool OpensFrom(const DirectoryImage& image) {
    WriteDirectory(path(), WithoutRecordsAndHints(image));
    const absl::Status status = TryOpen();
    if (status.ok()) Close();
    EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
    return status.ok();
  }
  void ExpectTheSameWithout(const DirectoryImage& image) {
    const std::string state = StateOf(Without(image));
    EXPECT_EQ(StateOf(image), state);
  }

  FaultyFileSystem faults_{PosixFileSystem()};
  Contents contents_;
};

TEST_P(CheckpointTest, ACloseWritesOne) {
  options.checkpoint_interval_bytes = 64 << 10;
  MakeStore();
  EXPECT_EQ(CheckpointName(), "KEYDIR-1");
  Open();
  EXPECT_EQ(All(), contents_);
}

TEST_P(CheckpointTest, WritersHaveOneEachInterval) {
  Open();
  PutNumbers(0, 100);
  const uint64_t first = store().GetStatistics().checkpoints;
  EXPECT_GT(first, 1u);
  PutNumbers(0, 100);
  EXPECT_GT(store().GetStatistics().checkpoints, first);
  EXPECT_EQ(CheckpointNames(Image()).size(), 1u);
}

TEST_P(CheckpointTest, AnIntervalIsThreeTimesItsBytesAtLeast) {
  Open();
  for (int i = 0; i < 5000; ++i) {
    Put(absl::StrCat("key", i % 1000), ValueOf(i, 100));
  }
  const Statistics statistics = store().GetStatistics();
  EXPECT_GT(statistics.checkpoints, 4u);
  // There were fewer keys at first.
  EXPECT_LT((statistics.checkpoints - 12) * 3 * 16 * 1000,
            statistics.bytes_appended + statistics.merge_bytes_written);
}

TEST_P(CheckpointTest, AStoreIsTheSameWithAndWithout) {
  options.background_merge = false;  // many segments are wanted
  for (unsigned seed = 1; seed <= Seeds(60); ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::filesystem::create_directory(path());
    WriteDirectory(path(), {});
    options.recovery_threads = static_cast<int>(1 + seed % 3);
    options.checkpoint_interval_bytes = 64 << seed % 8;
    Open();
    ChangeAtRandom(seed, 400);
    for (unsigned merge = 0; merge < seed % 4; ++merge) {
      ASSERT_EQ(store().Merge({.all = seed % 5 == 0}), absl::OkStatus());
      ChangeAtRandom(seed + 1000 + merge, static_cast<int>(seed % 70));
    }
    const bool is_closed = seed % 2 == 0;
    is_closed ? Close() : Kill();
    const DirectoryImage image = Image();
    ASSERT_EQ(CheckpointNames(image).size(), 1u);
    ExpectTheSameWithout(image);
  }
}

// As a file that comes back when power fails.
TEST_P(CheckpointTest, AnEarlierOneIsOfUseToo) {
  options.background_merge = false;
  for (unsigned seed = 1; seed <= Seeds(20); ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::filesystem::create_directory(path());
    WriteDirectory(path(), {});
    Open();
    ChangeAtRandom(seed, 300);
    Close();
    const DirectoryImage before = Image();
    const std::string name = CheckpointName(before);
    Open();
    ChangeAtRandom(seed + 100, 200);
    if (seed % 2 == 0) {
      ASSERT_EQ(store().Merge({.all = true}), absl::OkStatus());
    }
    ChangeAtRandom(seed + 200, static_cast<int>(seed % 7) * 10);
    Kill();
    DirectoryImage image = Without(Image());
    image[name] = before.at(name);
    ExpectTheSameWithout(image);
    options.read_only = true;
    WriteDirectory(path(), image);
    Open();
    Close();
    options.read_only = false;
  }
}

TEST_P(CheckpointTest, WritersGoOnAfterIt) {
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

// Its tombstone is in a segment that stands behind what the merge has copied.
TEST_P(CheckpointTest, AKeyThatIsDeletedWhileAMergeRunsStaysDeleted) {
  options.background_merge = false;
  MakeStore();
  Open();
  // So every segment has some that are dead, and some to be copied.
  for (int i = 0; i < 100; i += 2) PutNumbers(i, i + 1);
  bool has_copied = false;
  bool is_covered = false;
  DirectoryImage image;
  // It has copied everything when it syncs the names of its outputs.
  faults_.Before(FaultyFileSystem::kSyncDirectory, [&] {
    if (std::exchange(has_copied, true)) return;
    for (int i = 31; i < 100; i += 2) {
      EXPECT_TRUE(Delete(absl::StrCat("key", i)));
    }
    ChangeUntilThereIsAnother();
    is_covered = true;
  });
  // Its inputs go once the outputs are installed. The next merge takes both
  // together, so this is a kill in between.
  faults_.Before(FaultyFileSystem::kUnlink, [&] {
    if (is_covered && image.empty()) image = Image();
  });
  const absl::Status merged = store().Merge({.all = true});
  faults_.Before(FaultyFileSystem::kSyncDirectory, nullptr);
  faults_.Before(FaultyFileSystem::kUnlink, nullptr);
  ASSERT_EQ(merged, absl::OkStatus());
  ASSERT_FALSE(image.empty());
  Kill();
  ExpectTheSameWithout(image);
  WriteDirectory(path(), image);
  Open();
  for (int i = 31; i < 100; i += 2) {
    EXPECT_EQ(Get(absl::StrCat("key", i)), "NOT_FOUND");
  }
}

// Keys that have expired leave without a record in the log, so an open that
// finds nothing behind the checkpoint would believe the live bytes in it.
TEST_P(CheckpointTest, OneIsGivenUpIfOnlyExpiredKeysLeftMeanwhile) {
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

TEST_P(CheckpointTest, OpenReadsNoSegment) {
  MakeStore();
  const DirectoryImage good = Image();
  EXPECT_TRUE(OpensFrom(good));
  EXPECT_FALSE(OpensFrom(Without(good)));
}

TEST_P(CheckpointTest, AfterAKillOpenReadsWhatCameSince) {
  MakeStore();
  const DirectoryImage covered = Image();
  options.checkpoint_interval_bytes = 64 << 10;  // no other one
  Open();
  Put("key1", "after");
  Delete("key2");
  Kill();
  DirectoryImage image = Image();
  const DirectoryImage spoiled = WithoutRecordsAndHints(covered);
  for (const auto& [name, bytes] : spoiled) {
    if (!name.starts_with("MANIFEST")) image[name] = bytes;
  }
  WriteDirectory(path(), image);
  Open();
  EXPECT_EQ(Get("key1"), "after");
  EXPECT_EQ(Get("key2"), "NOT_FOUND");
  EXPECT_EQ(Get("key3"), "DATA_LOSS");
  EXPECT_EQ(store().GetStatistics().keys, 99u);
}

TEST_P(CheckpointTest, DamageIsNoticedByAnOpenAsItIsWithout) {
  MakeStore();
  const DirectoryImage good = Image();
  const DirectoryImage spoiled = WithoutRecords(good);
  // As ever where there are hint files: reads meet it.
  WriteDirectory(path(), spoiled);
  Open();
  for (const auto& [key, value] : contents_) EXPECT_EQ(Get(key), "DATA_LOSS");
  EXPECT_EQ(Get("none"), "NOT_FOUND");
  Close();
  // A segment without one is read.
  for (const std::string& name : SegmentNames(good)) {
    DirectoryImage image = good;
    image[name] = spoiled.at(name);
    image.erase(name.substr(0, 16) + ".hint");
    WriteDirectory(path(), image);
    EXPECT_TRUE(absl::IsDataLoss(TryOpen())) << name;
  }
}

TEST_P(CheckpointTest, DamageInTheSegmentInUseIsNoticed) {
  MakeStore();
  options.checkpoint_interval_bytes = 64 << 10;  // no other one
  Open();
  Put("key1", "one more");
  Close();
  DirectoryImage image = Image();
  image[SegmentNames(image).back()][32] ^= 4;
  WriteDirectory(path(), image);
  EXPECT_TRUE(absl::IsDataLoss(TryOpen()));
}

TEST_P(CheckpointTest, ADamagedOneIsPassedOverAndMadeAnew) {
  MakeStore();
  const DirectoryImage good = Image();
  const std::string state = StateOf(good);
  const std::string name = CheckpointName();
  const std::string& whole = good.at(name);
  const auto check = [&](const DirectoryImage& damaged, size_t at) {
    ASSERT_FALSE(OpensFrom(damaged)) << at;
    ASSERT_EQ(StateOf(damaged), state) << at;
    ASSERT_NE(CheckpointName(), name);
  };
  const size_t step = 87 / Seeds(3);
  for (size_t at = 0; at < whole.size(); at += 1 + at % step) {
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

TEST_P(CheckpointTest, LargeRecordsAreCountedToo) {
  Open();
  for (int i = 0; i < 20; ++i) {
    Put(absl::StrCat("key", i), ValueOf(i, 100 + 100 * i));
  }
  Close();
  const DirectoryImage good = Image();
  const std::string state = StateOf(Without(good));
  EXPECT_TRUE(OpensFrom(good));
  EXPECT_EQ(StateOf(good), state);
  const std::string name = CheckpointName(good);
  for (size_t at = 64; at < 128; ++at) {  // the first segment's row
    DirectoryImage damaged = good;
    damaged[name][at] ^= 8;
    EXPECT_EQ(StateOf(damaged), state) << at;
  }
  Open();
  Put("key3", ValueOf(1, 1500));
  Put("key15", "small");
  Kill();
  ExpectTheSameWithout(Image());
}

TEST_P(CheckpointTest, OneOfAnotherStoreIsPassedOver) {
  MakeStore();
  const DirectoryImage other = Image();
  WriteDirectory(path(), {});
  MakeStore();
  DirectoryImage image = Without(Image());
  image[CheckpointName(other)] = other.at(CheckpointName(other));
  EXPECT_FALSE(OpensFrom(image));
  WriteDirectory(path(), image);
  Open();
  EXPECT_EQ(All(), contents_);
}

// Segments that are not what they were when it was written.
TEST_P(CheckpointTest, OneOfOtherSegmentsIsPassedOver) {
  MakeStore();
  const DirectoryImage before = Image();
  Open();
  PutNumbers(0, 100);
  Close();
  // The first segment's row with another length, and all checksums right.
  DirectoryImage image = Image();
  std::string& bytes = image[CheckpointName(image)];
  CheckpointHeader header = DecodeCheckpointHeader(bytes).value();
  bytes[64 + 16] ^= 8;
  header.tables_checksum = CheckpointTablesChecksum(
      bytes.substr(header.segments_offset(), header.segments * 64),
      bytes.substr(header.pages_offset()));
  bytes.replace(0, 64, EncodeCheckpointHeader(header));
  EXPECT_FALSE(OpensFrom(image));
  ExpectTheSameWithout(image);
}

// The log is synced first: then marks vouch for what the copy may show.
TEST_P(CheckpointTest, TheLogIsDurableThroughWhatItMayShow) {
  options.background_merge = false;  // the last segment is the log's
  MakeStore();
  Open();
  ChangeUntilThereIsAnother();
  Kill();
  DirectoryImage image = Image();
  image[SegmentNames(image).back()][40] ^= 1;
  WriteDirectory(path(), image);
  EXPECT_TRUE(absl::IsDataLoss(TryOpen()));
}

// As on a device that does not keep what it says that it has.
TEST_P(CheckpointTest, OneOfALogThatEndedLaterIsPassedOver) {
  options.background_merge = false;  // the last segment is the log's
  MakeStore();
  Open();
  ChangeUntilThereIsAnother();
  Kill();
  DirectoryImage image = Image();
  std::string& active = image[SegmentNames(image).back()];
  std::fill(active.begin() + 32, active.end(), '\0');
  ExpectTheSameWithout(image);
}

TEST_P(CheckpointTest, AStoreThatHardlyChangedKeepsIt) {
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

TEST_P(CheckpointTest, AReadOnlyOpenReadsItAndChangesNothing) {
  MakeStore();
  options.read_only = true;
  DirectoryImage image = WithoutRecordsAndHints(Image());
  image["KEYDIR-99"] = "damaged";
  WriteDirectory(path(), image);
  Open();
  EXPECT_EQ(store().GetStatistics().keys, 100u);
  Close();
  EXPECT_EQ(Difference(image, Image()), "");
}

TEST_P(CheckpointTest, ASmallStoreHasNone) {
  options.checkpoint_min_keys = 101;
  MakeStore();
  EXPECT_TRUE(CheckpointNames(Image()).empty());
  Open();
  PutNumbers(100, 101);
  Close();
  EXPECT_EQ(CheckpointName(), "KEYDIR-1");
}

TEST_P(CheckpointTest, ItsBytesAreCounted) {
  MakeStore();
  Open();
  EXPECT_EQ(store().GetStatistics().checkpoint_bytes,
            Image().at(CheckpointName()).size());
  uint64_t all = 0;
  for (const auto& [name, bytes] : Image()) all += bytes.size();
  EXPECT_EQ(store().GetStatistics().disk_bytes, all);
}

TEST_P(CheckpointTest, ACloseThatCantWriteItSucceeds) {
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

TEST_P(CheckpointTest, VerifyReportsADamagedOne) {
  MakeStore();
  const DirectoryImage good = Image();
  const std::string name = CheckpointName();
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
  for (size_t at = 0; at < good.at(name).size(); at += 17) {
    DirectoryImage damaged = good;
    damaged[name][at] ^= 0x20;
    ASSERT_EQ(damage_of(damaged), name + " ") << at;
  }
  DirectoryImage unfinished = good;
  std::fill_n(unfinished[name].begin(), 64, '\0');
  EXPECT_EQ(damage_of(unfinished), "");
}

TEST_P(CheckpointTest, ThreadsWriteAndReadIt) {
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
TEST_P(CheckpointTest, ThreadsWriteItWhileOthersWriteAndMerge) {
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

// As if there was none: until that open, or a later one, writes its own.
TEST_P(CheckpointTest, OneOfTheOtherKeydirIsLeftAlone) {
  MakeStore();
  const DirectoryImage good = Image();
  const std::string name = CheckpointName();
  const bool is_hash = GetParam() == KeydirKind::kHash;
  options.keydir = is_hash ? KeydirKind::kOrdered : KeydirKind::kHash;
  EXPECT_FALSE(OpensFrom(good));
  WriteDirectory(path(), good);
  Open();
  EXPECT_EQ(All(), contents_);
  EXPECT_EQ(CheckpointName(), name);
  Kill();
  EXPECT_TRUE(Image().at(name) == good.at(name));
  options.keydir = GetParam();
  EXPECT_TRUE(OpensFrom(Image()));
  WriteDirectory(path(), good);
  options.keydir = is_hash ? KeydirKind::kOrdered : KeydirKind::kHash;
  Open();
  Close();
  EXPECT_NE(CheckpointName(), name);
  EXPECT_TRUE(OpensFrom(Image()));
  options.keydir = GetParam();
  WriteDirectory(path(), good);
  Open();
  EXPECT_EQ(All(), contents_);
}

TEST_P(CheckpointTest, KeysOfAnySizeAndBytesAreThere) {
  options.segment_size_bytes = 1 << 20;
  Open();
  std::mt19937 random(7);
  Contents contents;
  for (int i = 0; i < 600; ++i) {
    std::string key(1 + random() % (i % 50 == 0 ? 65535 : 40), 'k');
    for (size_t at = key.size() / 2; at < key.size(); ++at) {
      key[at] = static_cast<char>(random() % (i % 2 == 0 ? 256 : 2));
    }
    contents[key] = absl::StrCat(i);
    Put(key, contents[key]);
  }
  Close();
  const DirectoryImage image = Image();
  EXPECT_TRUE(OpensFrom(image));
  ExpectTheSameWithout(image);
  WriteDirectory(path(), image);
  Open();
  EXPECT_EQ(All(), contents);
}

INSTANTIATE_TEST_SUITE_P(Keydirs, CheckpointTest,
                         testing::Values(KeydirKind::kHash,
                                         KeydirKind::kOrdered),
                         [](const auto& kind) {
                           return kind.param == KeydirKind::kHash ? "Hash"
                                                                  : "Ordered";
                         });

}  // namespace
}  // namespace stave
