#include "engine/format/checkpoint.h"

#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/merge.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "stave/verify.h"
#include "tests/engine/core/checkpoint_fixture.h"
#include "tests/engine/core/directory_image.h"
#include "tests/engine/fs/faulty_file_system.h"

namespace stave {
namespace {

FOR_EACH_KEYDIR(CheckpointTest);

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

// A checkpoint lacks what merges have moved since it was begun. Who read the
// manifest before their edit, and the checkpoint once it is whole, would take
// the inputs for covered.
TEST_P(CheckpointTest, AReaderIsNotMisledByOneThatIsMadeMeanwhile) {
  options.background_merge = false;
  int meanwhile = 0;
  for (const auto operation :
       {FaultyFileSystem::kRead, FaultyFileSystem::kList}) {
    for (int nth = 1, calls = nth; calls >= nth; ++nth) {
      SCOPED_TRACE(absl::StrCat("operation ", operation, ", call ", nth));
      std::filesystem::create_directory(path());
      WriteDirectory(path(), {});
      Open();
      PutNumbers(0, 40);
      for (int i = 0; i < 40; i += 5) PutNumbers(i, i + 1);  // some to merge
      // Else the reader would begin again, since segments are missing.
      const auto pins_the_inputs = NewIterator();
      absl::Notification begun;
      absl::Notification may_go_on;
      faults_.Before(FaultyFileSystem::kCreateFile, [&] {
        if (begun.HasBeenNotified() || !IsCheckpoint(faults_.last_created())) {
          return;
        }
        begun.Notify();
        may_go_on.WaitForNotification();
      });
      std::thread writer([&] {
        for (int i = 0; !begun.HasBeenNotified(); ++i) {
          Put("filler", ValueOf(i, 100));
        }
      });
      begun.WaitForNotification();

      FaultyFileSystem files(PosixFileSystem());
      calls = 0;
      files.Before(operation, [&] {
        if (++calls != nth) return;
        ++meanwhile;
        ASSERT_EQ(store().Merge({.all = true}), absl::OkStatus());
        may_go_on.Notify();
        writer.join();
      });
      Options read_only = options;
      read_only.read_only = true;
      read_only.file_system = &files;
      const auto reader = Store::Open(path(), read_only);
      files.Before(operation, nullptr);
      if (!may_go_on.HasBeenNotified()) {
        may_go_on.Notify();
        writer.join();
      }
      ASSERT_TRUE(reader.ok()) << reader.status();
      Contents seen = Visit((*reader)->NewIterator().value().get());
      seen.erase("filler");
      EXPECT_EQ(seen.size(), contents_.size());
      EXPECT_TRUE(seen == contents_);
      faults_.Before(FaultyFileSystem::kCreateFile, nullptr);
      Close();
    }
  }
  EXPECT_GT(meanwhile, 10);
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

}  // namespace
}  // namespace stave
