#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "stave/verify.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/fs/faulty_file_system.h"

namespace stave {
namespace {

// A store of small segments, and what Repair makes of it.
class RepairTest : public StoreFixture {
 protected:
  RepairTest() {
    options.segment_size_bytes = 1024;
    Open();
    for (int i = 0; i < 20; ++i) PutAndNote(absl::StrCat("key", i), i);
  }

  void PutAndNote(const std::string& key, int number) {
    contents_[key] = ValueOf(number, 80);
    Put(key, contents_[key]);
  }

  std::string To() const { return path() + "_repaired"; }

  // Damages the record that holds these bytes; the store is closed then.
  void Damage(std::string_view bytes) {
    for (const auto& [name, contents] : Image()) {
      const size_t found = contents.find(bytes);
      if (found == contents.npos) continue;
      std::string damaged = contents;
      damaged[found] ^= 0x20;
      WriteFile(PathOf(name), damaged);
      return;
    }
    FAIL() << "there is no " << bytes;
  }

  // Repairs, which must work and leave the source alone, and returns what the
  // new store holds. It is clean and goes on.
  Contents Repaired(StaleKeys stale_keys = StaleKeys::kKeep) {
    const DirectoryImage before = Image();
    std::filesystem::remove_all(To());
    RepairOptions repair;
    repair.stale_keys = stale_keys;
    const absl::StatusOr<RepairReport> repaired = Repair(path(), To(), repair);
    EXPECT_TRUE(repaired.ok()) << repaired.status();
    EXPECT_EQ(Difference(before, Image()), "");
    if (!repaired.ok()) return {};
    report_ = *repaired;
    EXPECT_TRUE(Verify(To()).value().clean);
    const auto opened = Store::Open(To(), options);
    EXPECT_TRUE(opened.ok()) << opened.status();
    Contents all = Visit((*opened)->NewIterator().value().get());
    EXPECT_EQ(report_.recovered, all.size());
    EXPECT_TRUE((*opened)->Put("new", "value").ok());
    EXPECT_TRUE((*opened)->Close().ok());
    return all;
  }

  Contents contents_;
  RepairReport report_;
};

TEST_F(RepairTest, ASoundStoreIsCopied) {
  PutAndNote("key3", 33);
  Delete("key4");
  contents_.erase("key4");
  Close();
  EXPECT_EQ(Repaired(), contents_);
  EXPECT_EQ(report_.lost, 0u);
  EXPECT_TRUE(report_.damage.empty());
  EXPECT_EQ(report_.possibly_stale, 0u);
}

TEST_F(RepairTest, OfADamagedStoreOnlyTheDamagedIsLost) {
  Close();
  Damage(contents_["key5"]);
  Damage(contents_["key17"]);
  contents_.erase("key5");
  contents_.erase("key17");
  EXPECT_EQ(Repaired(), contents_);
  EXPECT_EQ(report_.lost, 2u);
  EXPECT_EQ(report_.damage.size(), 2u);
}

TEST_F(RepairTest, NoManifestIsNeeded) {
  Delete("key4");
  contents_.erase("key4");
  Close();
  DirectoryImage image = Image();
  image.erase(ManifestName(image));
  WriteDirectory(path(), image);
  EXPECT_EQ(Repaired(), contents_);
}

TEST_F(RepairTest, AStoreThatWasKilledIsCopiedUpToItsTornTail) {
  Sync();
  Put("torn", std::string(50, 't'));
  Kill();
  Damage(std::string(50, 't'));
  EXPECT_EQ(Repaired(), contents_);
  EXPECT_TRUE(report_.damage.empty());
  EXPECT_GT(report_.torn_tail_bytes, 50u);
}

TEST_F(RepairTest, ADamagedOlderVersionCostsNothing) {
  const std::string older = contents_["key5"];
  PutAndNote("key5", 55);
  Close();
  Damage(older);
  EXPECT_EQ(Repaired(), contents_);
  ASSERT_EQ(report_.damage.size(), 1u);
  EXPECT_TRUE(report_.damage[0].superseded);
  EXPECT_EQ(report_.damage[0].key, "key5");
}

TEST_F(RepairTest, TheOlderVersionOfADamagedRecordIsKeptAndNamed) {
  const std::string older = contents_["key5"];
  PutAndNote("key5", 55);
  Close();
  Damage(contents_["key5"]);
  contents_["key5"] = older;
  EXPECT_EQ(Repaired(), contents_);
  ASSERT_EQ(report_.damage.size(), 1u);
  EXPECT_EQ(report_.damage[0].key, "key5");
  EXPECT_TRUE(report_.damage[0].has_older_version);
  EXPECT_GT(report_.possibly_stale, 0u);
  EXPECT_EQ(report_.dropped_stale, 0u);

  contents_.erase("key5");
  EXPECT_EQ(Repaired(StaleKeys::kDropNamed), contents_);
  EXPECT_EQ(report_.dropped_stale, 1u);
}

TEST_F(RepairTest, WhatMayBeStaleIsLeftOutIfAskedFor) {
  PutAndNote("damaged", 55);
  PutAndNote("later", 56);
  PutAndNote("key1", 57);
  Close();
  Damage(contents_["damaged"]);
  // Keys of another size can't have been there.
  contents_.erase("damaged");
  EXPECT_EQ(Repaired(StaleKeys::kDropPossible), contents_);
  EXPECT_EQ(report_.dropped_stale, 0u);
  Damage("later");
  const Contents left = Repaired(StaleKeys::kDropPossible);
  EXPECT_EQ(left.count("key1"), 1u);
  EXPECT_EQ(left.count("key2"), 1u);
}

TEST_F(RepairTest, DeletedKeysStayDeleted) {
  Delete("key7");
  contents_.erase("key7");
  PutAndNote("key8", 88);
  Close();
  Damage(contents_["key8"]);
  contents_["key8"] = ValueOf(8, 80);
  EXPECT_EQ(Repaired(), contents_);
}

TEST_F(RepairTest, BatchesAreCopiedWholeOrNotAtAll) {
  WriteBatch sound, damaged;
  sound.Put("a1", "sound");
  sound.Put("a2", "sound");
  damaged.Put("b1", "of a damaged batch, 1");
  damaged.Put("b2", "of a damaged batch, 2");
  damaged.Delete("key1");
  Write(sound);
  Write(damaged);
  PutAndNote("after", 1);
  contents_["a1"] = contents_["a2"] = "sound";
  Close();
  const DirectoryImage whole = Image();
  for (const char* part : {"batch, 1", "batch, 2"}) {
    WriteDirectory(path(), whole);
    Damage(part);
    EXPECT_EQ(Repaired(), contents_) << part;
    EXPECT_EQ(report_.lost, 3u);
  }
}

// Zeros from the frame on: nobody can tell how far the batch went.
TEST_F(RepairTest, ABatchWhoseFrameIsGoneIsNotCopiedInParts) {
  WriteBatch batch;
  for (int i = 0; i < 5; ++i) batch.Put(absl::StrCat("b", i), "of a batch");
  Write(batch);
  Sync();
  PutAndNote("after", 1);
  Close();
  const std::string name = SegmentNames(Image()).back();
  std::string bytes = ReadFile(PathOf(name));
  const size_t first = bytes.find("b0of") - 24;
  std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(first - 24), 60, '\0');
  WriteFile(PathOf(name), bytes);
  // Nothing in this store shows that it has batches at all.
  EXPECT_EQ(Repaired().count("b4"), 1u);

  options.segment_size_bytes = 2048;
  std::filesystem::remove_all(path());
  Open();
  WriteBatch other;
  other.Put("o1", "x");
  Write(other);
  Write(batch);
  Sync();
  Put("after", "y");
  Close();
  const std::string last = SegmentNames(Image()).back();
  bytes = ReadFile(PathOf(last));
  const size_t again = bytes.find("b0of") - 24;
  std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(again - 24), 60, '\0');
  WriteFile(PathOf(last), bytes);
  EXPECT_EQ(Repaired(), (Contents{{"o1", "x"}, {"after", "y"}}));
}

// The segment's hint file shows that no batch began in what is lost.
TEST_F(RepairTest, SingleRecordsBehindALostPageAreKept) {
  options.segment_size_bytes = 16384;
  Reopen();
  for (int i = 20; i < 400; ++i) PutAndNote(absl::StrCat("key", i), i);
  WriteBatch batch;
  batch.Put("b1", "of a batch");
  batch.Put("b2", "of a batch");
  Write(batch);
  contents_["b1"] = contents_["b2"] = "of a batch";
  Close();
  const DirectoryImage image = Image();
  std::string bytes;
  std::string name;
  for (const auto& [file, contents] : image) {
    if (contents.find("key100" + contents_["key100"]) == contents.npos)
      continue;
    name = file;
    bytes = contents;
  }
  ASSERT_EQ(image.count(name.substr(0, 16) + ".hint"), 1u);
  const size_t first = bytes.find("key100" + contents_["key100"]);
  std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(first), 400, '\0');
  WriteFile(PathOf(name), bytes);
  // Of a record's 112 bytes 24 stand before the key.
  for (int i = 100; i < 104; ++i) contents_.erase(absl::StrCat("key", i));
  EXPECT_EQ(Repaired(), contents_);
  EXPECT_EQ(report_.lost, 4u);
}

TEST_F(RepairTest, AHintFileDoesNotMakeAPartOfABatchCount) {
  options.segment_size_bytes = 16384;
  options.background_merge = false;  // frames stay
  Reopen();
  WriteBatch other;
  other.Put("o1", "x");
  Write(other);
  WriteBatch batch;
  for (int i = 0; i < 5; ++i) batch.Put(absl::StrCat("b", i), "of a batch");
  Write(batch);
  for (int i = 20; i < 400; ++i) PutAndNote(absl::StrCat("key", i), i);
  Close();
  std::string name;
  for (const auto& [file, contents] : Image()) {
    if (contents.find("b0of a batch") != contents.npos) name = file;
  }
  ASSERT_EQ(Image().count(name.substr(0, 16) + ".hint"), 1u);
  std::string bytes = ReadFile(PathOf(name));
  // The frame, and the first of its records.
  const size_t first = bytes.find("b0of") - 24;
  std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(first - 24), 60, '\0');
  WriteFile(PathOf(name), bytes);
  const Contents repaired = Repaired();
  EXPECT_EQ(repaired.count("o1"), 1u);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(repaired.count(absl::StrCat("b", i)), 0u) << i;
  }
}

// Files that the survey has read are gone when they are to be copied.
TEST_F(RepairTest, AMergeMeanwhileMakesItBeginAnew) {
  for (int i = 0; i < 20; ++i) PutAndNote("key3", i);
  RepairOptions repair;
  repair.threads = 1;
  int merges = 0;
  repair.progress = [&](const VerifyProgress& now) {
    if (merges > 0 || now.bytes < now.total_bytes) return;
    ++merges;
    EXPECT_TRUE(store().Merge({.all = true}).ok());
  };
  const auto report = Repair(path(), To(), repair);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(merges, 1);
  EXPECT_EQ(report->recovered, contents_.size());
  EXPECT_TRUE(report->damage.empty());
}

TEST_F(RepairTest, MergesWithoutEndMakeItGiveUp) {
  RepairOptions repair;
  repair.threads = 1;
  repair.progress = [&](const VerifyProgress& now) {
    if (now.bytes < now.total_bytes) return;
    for (int i = 0; i < 20; ++i) PutAndNote("key3", i);
    EXPECT_TRUE(store().Merge({.all = true}).ok());
  };
  EXPECT_TRUE(absl::IsUnavailable(Repair(path(), To(), repair).status()));
  EXPECT_FALSE(std::filesystem::exists(To()));
}

TEST_F(RepairTest, ExpiriesStay) {
  WriteOptions write;
  write.ttl = absl::Hours(1);
  Put("brief", "life", write);
  Close();
  EXPECT_EQ(Repaired().count("brief"), 1u);
  clock.Advance(absl::Hours(2));
  options.read_only = true;
  const auto repaired = Store::Open(To(), options);
  ASSERT_TRUE(repaired.ok());
  EXPECT_TRUE(absl::IsNotFound((*repaired)->Get("brief").status()));
}

TEST_F(RepairTest, TheTargetMustBeEmpty) {
  Close();
  std::filesystem::create_directory(To());
  WriteFile(To() + "/notes", "mine");
  EXPECT_TRUE(absl::IsFailedPrecondition(Repair(path(), To()).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(Repair(path(), path()).status()));
  EXPECT_EQ(ReadFile(To() + "/notes"), "mine");
  std::filesystem::remove(To() + "/notes");
  EXPECT_TRUE(Repair(path(), To()).ok());
}

TEST_F(RepairTest, WithoutASourceNothingIsMade) {
  Close();
  EXPECT_TRUE(absl::IsNotFound(Repair(path() + "none", To()).status()));
  EXPECT_FALSE(std::filesystem::exists(To()));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      Repair(path(), To() + "/none/deeper").status()));
}

TEST_F(RepairTest, ARepairThatFailsLeavesNoStore) {
  Close();
  for (const auto operation :
       {FaultyFileSystem::kCreateFile, FaultyFileSystem::kAllocate,
        FaultyFileSystem::kWrite, FaultyFileSystem::kSyncData,
        FaultyFileSystem::kSyncDirectory, FaultyFileSystem::kTruncate}) {
    for (int nth = 1; nth < 20; ++nth) {
      FaultyFileSystem files(PosixFileSystem());
      files.FailAlways(operation, DiskFull(), nth);
      RepairOptions repair;
      repair.file_system = &files;
      const auto failed = Repair(path(), To(), repair);
      Options open;
      open.read_only = true;
      const bool opens = Store::Open(To(), open).ok();
      EXPECT_EQ(opens, failed.ok()) << operation << " " << nth;
      std::filesystem::remove_all(To());
      if (failed.ok()) break;
    }
  }
}

}  // namespace
}  // namespace stave
