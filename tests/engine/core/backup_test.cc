#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "stave/verify.h"
#include "tests/engine/core/directory_image.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

// Backups, and what may happen to their sources, their targets and themselves.
class BackupTest : public StoreFixture {
 protected:
  using Files = FaultyFileSystem;

  BackupTest() : place_(PlaceInMemory()), target_(place_.path() + "/backup") {
    options.segment_size_bytes = 2048;
    options.background_merge = false;
    options.file_system = &files_;
    Open();
  }
  // Before the file system goes.
  ~BackupTest() override {
    if (is_open()) Close();
  }

  void PutNumbers(int begin, int end) {
    for (int i = begin; i < end; ++i) {
      Put(absl::StrCat("key", i), ValueOf(i, 100));
    }
  }
  absl::Status TryBackup() { return store().Backup(target_); }
  void Backup() {
    const absl::Status status = TryBackup();
    ASSERT_TRUE(status.ok()) << status;
  }
  void MergeAll() {
    const absl::Status status = store().Merge({.all = true});
    EXPECT_TRUE(status.ok()) << status;
  }

  absl::StatusOr<std::unique_ptr<Store>> OpenTarget(bool read_only = true) {
    Options of_target = options;
    of_target.read_only = read_only;
    return Store::Open(target_, of_target);
  }
  Contents ContentsOfTarget() {
    const auto store = OpenTarget();
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? Visit((*store)->NewIterator().value().get())
                      : Contents();
  }
  DirectoryImage TargetImage() const {
    DirectoryImage image = ReadDirectory(target_);
    image.erase("LOCK");
    return image;
  }
  // What a backup to this place says last of how far it is.
  BackupProgress ProgressOf(const std::string& target) {
    BackupProgress last;
    BackupOptions watched;
    watched.progress = [&last](const BackupProgress& now) {
      EXPECT_GE(now.bytes, last.bytes);
      EXPECT_TRUE(last.total_bytes == 0 || now.total_bytes == last.total_bytes);
      last = now;
    };
    EXPECT_EQ(store().Backup(target, watched), absl::OkStatus());
    return last;
  }
  void ExpectSound() {
    const absl::StatusOr<VerifyReport> report = Verify(target_);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->clean);
  }
  void ExpectRefused(const std::string& why) {
    const absl::Status status = TryBackup();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_NE(std::string(status.message()).find(why), std::string::npos)
        << status;
  }
  // Each hard link refused, as between two file systems.
  void ForbidLinks() {
    files_.FailAlways(Files::kLink, absl::UnimplementedError("too far away"));
  }

  TemporaryDirectory place_;
  const std::string target_;
  Files files_{PosixFileSystem()};
};

TEST_F(BackupTest, ABackupIsAStoreThatHoldsTheSame) {
  PutNumbers(0, 50);
  Put("gone", "soon", {.ttl = absl::Seconds(10)});
  Delete("key7");
  WriteBatch batch;
  batch.Put("both", "1");
  batch.Put("or none", "2");
  Write(batch);
  Backup();
  EXPECT_EQ(ContentsOfTarget(), All());
  ExpectSound();
  clock.Advance(absl::Seconds(11));
  EXPECT_EQ(ContentsOfTarget().count("gone"), 0u);

  const auto backup = OpenTarget(/*read_only=*/false);
  ASSERT_TRUE(backup.ok()) << backup.status();
  EXPECT_EQ((*backup)->Put("key8", "its own"), absl::OkStatus());
  EXPECT_EQ((*backup)->Merge({.all = true}), absl::OkStatus());
  EXPECT_EQ((*backup)->Get("key8").value(), "its own");
  EXPECT_EQ(Get("key8"), ValueOf(8, 100));
}

TEST_F(BackupTest, AnEmptyStoreHasABackup) {
  Backup();
  EXPECT_EQ(ContentsOfTarget(), Contents());
  PutNumbers(0, 1);
  Backup();
  EXPECT_EQ(ContentsOfTarget(), All());
}

TEST_F(BackupTest, WhatTheStoreDoesLaterLeavesItAlone) {
  PutNumbers(0, 100);
  Backup();
  const Contents then = All();
  PutNumbers(50, 150);
  for (int i = 0; i < 40; ++i) Delete(absl::StrCat("key", i));
  MergeAll();
  EXPECT_EQ(ContentsOfTarget(), then);
  Reopen();
  EXPECT_EQ(ContentsOfTarget(), then);
  ExpectSound();
}

TEST_F(BackupTest, TheSecondOneAddsWhatIsNew) {
  PutNumbers(0, 100);
  Backup();
  const int links = files_.calls(Files::kLink);
  const DirectoryImage before = TargetImage();
  PutNumbers(100, 120);
  Backup();
  EXPECT_EQ(ContentsOfTarget(), All());
  EXPECT_LT(files_.calls(Files::kLink) - links, links / 2);
  const DirectoryImage after = TargetImage();
  for (const std::string& name : SegmentNames(before)) {
    const auto still = after.find(name);
    EXPECT_TRUE(still == after.end() || still->second == before.at(name));
  }
  ExpectSound();
}

TEST_F(BackupTest, AnUnchangedStoreCostsNothing) {
  PutNumbers(0, 30);
  Sync();  // which seals what is full
  Backup();
  const DirectoryImage before = WithoutHints(TargetImage());
  const int written = files_.calls(Files::kCreateFile);
  Backup();
  EXPECT_EQ(files_.calls(Files::kCreateFile), written);
  Reopen();
  Backup();
  EXPECT_EQ(Difference(before, WithoutHints(TargetImage())), "");
}

TEST_F(BackupTest, WhatMergesHaveReplacedGoes) {
  PutNumbers(0, 100);
  Backup();
  PutNumbers(0, 90);
  MergeAll();
  Backup();
  Backup();
  EXPECT_EQ(ContentsOfTarget(), All());
  // And one for what is in the segment that is in use.
  EXPECT_LE(SegmentNames(TargetImage()).size(),
            SegmentNames(Image()).size() + 1);
  ExpectSound();
}

TEST_F(BackupTest, CompleteSegmentsAreShared) {
  PutNumbers(0, 100);
  Sync();
  Backup();
  size_t shared = 0;
  for (const std::string& name : SegmentNames(TargetImage())) {
    shared += std::filesystem::hard_link_count(target_ + "/" + name) == 2;
  }
  EXPECT_EQ(shared, SegmentNames(TargetImage()).size() - 1);
}

TEST_F(BackupTest, OnAnotherFileSystemTheyAreCopied) {
  ForbidLinks();
  PutNumbers(0, 100);
  Backup();
  PutNumbers(80, 120);
  Backup();
  EXPECT_EQ(ContentsOfTarget(), All());
  for (const std::string& name : SegmentNames(TargetImage())) {
    EXPECT_EQ(std::filesystem::hard_link_count(target_ + "/" + name), 1u);
  }
  ExpectSound();
}

TEST_F(BackupTest, HintsComeAlong) {
  PutNumbers(0, 100);
  Reopen();
  Backup();
  size_t hints = 0;
  for (const auto& [name, bytes] : TargetImage()) {
    hints += name.ends_with(".hint");
  }
  EXPECT_GT(hints, 3u);
}

TEST_F(BackupTest, WhatIsWrittenMeanwhileIsNotInIt) {
  PutNumbers(0, 100);
  const Contents then = All();
  files_.Before(Files::kLink, [this] {
    store().Put("key1", "later").IgnoreError();
    store()
        .Put(absl::StrCat("new", files_.calls(Files::kLink)), "x")
        .IgnoreError();
    store().Merge({.all = true}).IgnoreError();
  });
  Backup();
  EXPECT_EQ(ContentsOfTarget(), then);
  files_.Before(Files::kLink, nullptr);
  Backup();
  EXPECT_EQ(ContentsOfTarget(), All());
  ExpectSound();
}

TEST_F(BackupTest, ADamagedSegmentIsDataLossAndLeavesNothing) {
  PutNumbers(0, 100);
  const std::string segment = SegmentNames(Image())[2];
  FlipBit(PathOf(segment), 700);
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = TryBackup();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_NE(std::string(status.message()).find(PathOf(segment) + ", offset"),
              std::string::npos)
        << status;
    EXPECT_EQ(Difference({}, TargetImage()), "");
  }
  FlipBit(PathOf(segment), 700);
  Backup();
  EXPECT_EQ(ContentsOfTarget(), All());
}

TEST_F(BackupTest, ADamagedSegmentLeavesTheBackupAsItWas) {
  for (const bool links : {true, false}) {
    if (!links) ForbidLinks();
    PutNumbers(0, 100);
    Backup();
    const Contents then = All();
    PutNumbers(50, 150);
    const std::vector<std::string> segments = SegmentNames(Image());
    const std::string segment = segments[segments.size() - 3];
    FlipBit(PathOf(segment), 700);
    EXPECT_TRUE(absl::IsDataLoss(TryBackup()));
    EXPECT_EQ(ContentsOfTarget(), then);
    ExpectSound();
    FlipBit(PathOf(segment), 700);
    Backup();
    EXPECT_EQ(ContentsOfTarget(), All());
  }
}

// Nothing of it can be removed here, as after a kill.
TEST_F(BackupTest, AFirstOneThatWasNotFinishedDoesNotOpen) {
  PutNumbers(0, 100);
  files_.Fail(Files::kLink, DiskBroken(), /*nth=*/3);
  files_.Before(Files::kLink,
                [this] { files_.FailAlways(Files::kUnlink, DiskBroken()); });
  EXPECT_EQ(TryBackup(), DiskBroken());
  for (const bool read_only : {true, false}) {
    const absl::Status status = OpenTarget(read_only).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  }
  EXPECT_TRUE(absl::IsFailedPrecondition(Verify(target_).status()));
  EXPECT_GT(SegmentNames(TargetImage()).size(), 1u);
  files_.Heal(Files::kUnlink);
  files_.Before(Files::kLink, nullptr);
  Backup();
  EXPECT_EQ(ContentsOfTarget(), All());
  ExpectSound();
}

TEST_F(BackupTest, ASegmentCutShortIsDataLoss) {
  PutNumbers(0, 100);
  Sync();
  const std::string segment = SegmentNames(Image())[0];
  // Within a record, and between two: a header of 32 bytes, then 128 each.
  for (const uint64_t length : {1000, 32 + 5 * 128}) {
    std::filesystem::resize_file(PathOf(segment), length);
    const absl::Status status = TryBackup();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  }
}

TEST_F(BackupTest, ASegmentMissingFromTheBackupIsDataLoss) {
  PutNumbers(0, 100);
  Backup();
  PutNumbers(100, 101);
  std::filesystem::remove(target_ + "/" + SegmentNames(TargetImage())[0]);
  EXPECT_TRUE(absl::IsDataLoss(TryBackup()));
}

TEST_F(BackupTest, OtherThingsAreRefusedAndLeftAlone) {
  std::filesystem::create_directory(target_);
  WriteFile(target_ + "/letter.txt", "Dear");
  ExpectRefused("letter.txt");
  EXPECT_EQ(ReadDirectory(target_).size(), 1u);
  std::filesystem::remove(target_ + "/letter.txt");

  { EXPECT_TRUE(OpenTarget(/*read_only=*/false).ok()); }  // an empty store
  ExpectRefused("is no backup");
}

TEST_F(BackupTest, ABackupThatWasWrittenToIsNoneAnyMore) {
  PutNumbers(0, 20);
  Backup();
  // Reading it, or opening it for nothing, is no harm.
  { EXPECT_TRUE(OpenTarget().ok()); }
  { EXPECT_TRUE(OpenTarget(/*read_only=*/false).ok()); }
  PutNumbers(20, 40);
  Backup();
  EXPECT_EQ(ContentsOfTarget(), All());
  {
    const auto backup = OpenTarget(/*read_only=*/false);
    EXPECT_EQ((*backup)->Put("a", "b"), absl::OkStatus());
  }
  ExpectRefused("written to");
  EXPECT_EQ(ContentsOfTarget()["a"], "b");
}

TEST_F(BackupTest, ABackupOfAnotherStoreIsRefused) {
  PutNumbers(0, 20);
  Backup();
  Close();
  WriteDirectory(path(), {});
  Open();
  ExpectRefused("of another one");
  ExpectSound();
}

// Whose files have the same names, and other records.
TEST_F(BackupTest, AForkOfTheStoreIsRefused) {
  PutNumbers(0, 50);
  Close();
  const DirectoryImage before = ReadDirectory(path());
  Open();
  PutNumbers(50, 100);
  Backup();
  const Contents backed_up = All();
  Close();
  WriteDirectory(path(), before);
  Open();
  PutNumbers(200, 300);
  ExpectRefused("gone another way");
  EXPECT_EQ(ContentsOfTarget(), backed_up);
  ExpectSound();
}

TEST_F(BackupTest, AnOpenBackupIsUnavailable) {
  Backup();
  PutNumbers(0, 1);
  const auto backup = OpenTarget(/*read_only=*/false);
  EXPECT_TRUE(absl::IsUnavailable(TryBackup()));
}

TEST_F(BackupTest, BadNamesAreRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(store().Backup("")));
  EXPECT_FALSE(store().Backup(path()).ok());
  const absl::Status status = store().Backup(place_.path() + "/a/b");
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  Close();
  Open();
  EXPECT_EQ(All(), Contents());
}

TEST_F(BackupTest, AReaderMakesOneBesideTheWriter) {
  PutNumbers(0, 100);
  Options reading = options;
  reading.read_only = true;
  const auto reader = Store::Open(path(), reading).value();
  const Contents then = All();
  // What it has open is gone by name.
  PutNumbers(0, 100);
  MergeAll();
  const absl::Status status = reader->Backup(target_);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(ContentsOfTarget(), then);
  // The writer goes on with it.
  Backup();
  EXPECT_EQ(ContentsOfTarget(), All());
  ExpectSound();
}

TEST_F(BackupTest, ABackupOfItBringsItBack) {
  PutNumbers(0, 100);
  Delete("key3");
  Backup();
  const Contents then = All();
  const std::string restored = place_.path() + "/restored";
  EXPECT_EQ(OpenTarget().value()->Backup(restored), absl::OkStatus());
  {
    const auto store = Store::Open(restored, options).value();
    EXPECT_EQ(Visit(store->NewIterator().value().get()), then);
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(store->Put(absl::StrCat("key", i), "other"), absl::OkStatus());
    }
    EXPECT_EQ(store->Merge({.all = true}), absl::OkStatus());
  }
  EXPECT_EQ(ContentsOfTarget(), then);
  PutNumbers(100, 110);
  Backup();
  EXPECT_EQ(ContentsOfTarget(), All());
}

TEST_F(BackupTest, AStoreOpenedDamagedHasNone) {
  PutNumbers(0, 100);
  Close();
  WriteDirectory(path(), WithoutHints(Image()));
  FlipBit(PathOf(SegmentNames(Image())[2]), 700);
  options.open_damaged = true;
  Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(TryBackup()));
}

TEST_F(BackupTest, CloseEndsIt) {
  PutNumbers(0, 100);
  std::thread closer;
  files_.Before(Files::kLink, [&] {
    if (!closer.joinable())
      closer = std::thread([this] { store().Close().IgnoreError(); });
    while (!absl::IsFailedPrecondition(store().Get("key1").status())) {
      std::this_thread::yield();
    }
  });
  EXPECT_TRUE(absl::IsCancelled(TryBackup()));
  closer.join();
  EXPECT_EQ(Difference({}, TargetImage()), "");
  EXPECT_TRUE(absl::IsFailedPrecondition(TryBackup()));
  Open();
}

// Both of a pair have the same number, which only grows.
TEST_F(BackupTest, EachIsOneInstantBesideWritersAndMerges) {
  Close();
  options.background_threads = true;
  options.background_merge = true;
  Open();
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; !done; ++i) {
      WriteBatch batch;
      batch.Put("left", absl::StrCat(i));
      batch.Put("right", absl::StrCat(i));
      Write(batch);
      Put(absl::StrCat("filler", i % 40), ValueOf(i, 90));
    }
  });
  int last = 0;
  for (int i = 0; i < 30; ++i) {
    Backup();
    Contents contents = ContentsOfTarget();
    EXPECT_EQ(contents["left"], contents["right"]);
    EXPECT_GE(std::atoi(contents["left"].c_str()), last);
    last = std::atoi(contents["left"].c_str());
  }
  done = true;
  writer.join();
  ExpectSound();
}

TEST_F(BackupTest, ProgressComesToTheEnd) {
  PutNumbers(0, 100);
  const BackupProgress shared = ProgressOf(target_);
  EXPECT_EQ(shared.bytes, shared.total_bytes);
  EXPECT_GT(shared.total_bytes, 100 * 100);
  EXPECT_EQ(ProgressOf(target_).total_bytes, 0u);
  PutNumbers(100, 110);
  const BackupProgress more = ProgressOf(target_);
  EXPECT_EQ(more.bytes, more.total_bytes);
  EXPECT_LT(more.total_bytes, shared.total_bytes / 2);

  ForbidLinks();
  const BackupProgress copied = ProgressOf(place_.path() + "/copied");
  EXPECT_EQ(copied.bytes, copied.total_bytes);
  EXPECT_GT(copied.total_bytes, 3 * shared.total_bytes / 2);
}

// Whatever fails, the backup is what it was, or what it was to be.
TEST_F(BackupTest, ErrorsLeaveABackup) {
  PutNumbers(0, 60);
  Backup();
  Contents then = All();
  for (const auto operation :
       {Files::kCreateFile, Files::kWrite, Files::kSyncData, Files::kLink,
        Files::kUnlink, Files::kSyncDirectory}) {
    absl::Status status;
    int nth = 0;
    do {
      PutNumbers(30 + nth, 60 + nth);
      if (nth % 5 == 4) MergeAll();
      files_.Fail(operation, DiskFull(), ++nth);
      status = TryBackup();
      files_.Heal(operation);
      const Contents contents = ContentsOfTarget();
      EXPECT_TRUE(contents == All() || (!status.ok() && contents == then))
          << operation << " " << nth << " " << status;
      then = contents;
    } while (!status.ok() || nth < 5);
    EXPECT_LT(nth, 60);
    Backup();
    EXPECT_EQ(ContentsOfTarget(), All());
    then = All();
    ExpectSound();
  }
}

}  // namespace
}  // namespace stave
