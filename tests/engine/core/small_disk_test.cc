#include "tests/engine/fs/small_disk.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/core/written_file_system.h"
#include "tests/engine/fs/child_process.h"

namespace stave {
namespace {

constexpr uint64_t kMebibyte = 1 << 20;
constexpr uint64_t kReserveBytes = 2 * kMebibyte;

struct HasDisk {
  SmallDisk disk{12 * kMebibyte};
};

// A store on a file system that is really full. Tests run with mapped appends
// (true) and with written ones.
class SmallDiskTest : private HasDisk,
                      public StoreFixture,
                      public testing::WithParamInterface<bool> {
 protected:
  SmallDiskTest() : StoreFixture(disk.path()) {
    options.segment_size_bytes = kMebibyte;
    options.reserve_bytes = kReserveBytes;
    options.background_merge = false;  // deletes alone free no space here
    if (!GetParam()) options.file_system = &written_;
  }
  void SetUp() override {
    if (!disk.mounted()) GTEST_SKIP() << "may not mount a file system";
    Open();
  }

  static std::string Key(int i) { return absl::StrCat("key", i); }
  bool IsPut(int i) {
    const absl::Status status = store().Put(Key(i), ValueOf(i, 1000));
    EXPECT_TRUE(status.ok() || absl::IsResourceExhausted(status)) << status;
    return status.ok();
  }
  // Puts new keys until the disk is full; returns how many there are then.
  int PutUntilFull(int begin = 0) {
    int i = begin;
    while (IsPut(i)) ++i;
    return i;
  }
  void ExpectKeys(int begin, int end) {
    const Contents all = All();
    EXPECT_EQ(all.size(), static_cast<size_t>(end - begin));
    for (int i = begin; i < end; ++i) {
      ASSERT_EQ(all.count(Key(i)), 1u) << i;
      ASSERT_TRUE(all.at(Key(i)) == ValueOf(i, 1000)) << i;
    }
  }
  void DeleteKeys(int begin, int end) {
    for (int i = begin; i < end; ++i) ASSERT_TRUE(Delete(Key(i))) << i;
  }
  uint64_t ReserveBytes() { return store().GetStatistics().reserve_bytes; }
  // Of another program.
  std::string Ballast() const { return PathOf("../ballast"); }
  void WriteBallast(uint64_t bytes) {
    std::ofstream(Ballast()) << std::string(bytes, 'x');
  }
  // Unless there is less.
  void LeaveFree(uint64_t bytes) {
    const uint64_t free = std::filesystem::space(PathOf("..")).available;
    if (free <= bytes) return;
    std::ofstream(Ballast(), std::ios::app) << std::string(free - bytes, 'x');
  }
  void RemoveBallast() { std::filesystem::remove(Ballast()); }

  WrittenFileSystem written_{PosixFileSystem()};
};

INSTANTIATE_TEST_SUITE_P(, SmallDiskTest, testing::Bool(),
                         [](const auto& test) {
                           return test.param ? "Mapped" : "Written";
                         });

TEST_P(SmallDiskTest, PutsThatFindNoSpaceChangeNothing) {
  const int count = PutUntilFull();
  EXPECT_GT(count, 7000);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(IsPut(count));
  ExpectKeys(0, count);
  EXPECT_GE(ReserveBytes(), kReserveBytes);
  Reopen();
  ExpectKeys(0, count);
}

TEST_P(SmallDiskTest, AllKeysCanBeDeletedOnAFullDisk) {
  const int count = PutUntilFull();
  DeleteKeys(0, count);
  EXPECT_EQ(All(), Contents());
  Reopen();
  EXPECT_EQ(All(), Contents());
}

TEST_P(SmallDiskTest, AKeyThatIsDeletedWithSyncStaysDeleted) {
  const int count = PutUntilFull();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Delete(Key(i), {.sync = true}));
  Reopen();
  ExpectKeys(50, count);
}

TEST_P(SmallDiskTest, BatchesOfDeletesGoOnAndOthersDoNot) {
  const int count = PutUntilFull();
  WriteBatch deletes;
  for (int i = 0; i < count; i += 2) deletes.Delete(Key(i));
  WriteBatch mixed = deletes;
  mixed.Put(Key(0), std::string(2 * kMebibyte, 'v'));
  EXPECT_TRUE(absl::IsResourceExhausted(store().Write(mixed)));
  ExpectKeys(0, count);
  Write(deletes);
  EXPECT_EQ(All().size(), static_cast<size_t>(count / 2));
}

TEST_P(SmallDiskTest, PutsDoNotTakeWhatDeletesNeed) {
  const int count = PutUntilFull();
  // From all segments: a merge takes no less than before.
  for (int i = 0; i < count; i += count / 200) {
    ASSERT_TRUE(Delete(Key(i))) << i;
    ASSERT_FALSE(IsPut(count)) << i;
  }
}

TEST_P(SmallDiskTest, PutsGoOnWhenSpaceReturns) {
  WriteBallast(4 * kMebibyte);
  const int count = PutUntilFull();
  int gone = 0;
  for (; ReserveBytes() > 0 && gone < count / 2; gone += 30) {
    DeleteKeys(gone, gone + 30);
  }
  EXPECT_EQ(ReserveBytes(), 0u);
  EXPECT_FALSE(IsPut(count));
  RemoveBallast();
  const int more = PutUntilFull(count);
  EXPECT_GT(more, count + 1000);
  EXPECT_GE(ReserveBytes(), kReserveBytes);
  ExpectKeys(gone, more);
  Reopen();
  ExpectKeys(gone, more);
}

// Else each close would take some of it, until nothing can be deleted any more.
TEST_P(SmallDiskTest, FilesThatOnlyHelpOpensTakeNothingFromDeletes) {
  options.checkpoint_min_keys = 1;
  options.checkpoint_interval_bytes = 1;
  Reopen();
  const auto help_bytes = [this] {
    const Statistics statistics = store().GetStatistics();
    return statistics.hint_bytes + statistics.checkpoint_bytes;
  };
  WriteBallast(4 * kMebibyte);
  const int count = PutUntilFull();
  int gone = 0;
  for (; ReserveBytes() > 0 && gone < count / 2; gone += 30) {
    DeleteKeys(gone, gone + 30);
  }
  LeaveFree(kMebibyte / 2);  // less than the reserve, more than such files
  const uint64_t before = help_bytes();
  for (int i = 0; i < 5; ++i, gone += 30) {
    ASSERT_EQ(ReserveBytes(), 0u);
    DeleteKeys(gone, gone + 30);
    Reopen();
    EXPECT_LE(help_bytes(), before);
  }
  RemoveBallast();
  EXPECT_TRUE(IsPut(count));
  Reopen();
  EXPECT_GT(help_bytes(), before);
  ExpectKeys(gone, count + 1);
}

TEST_P(SmallDiskTest, AStoreIsClosedAndOpenedOnAFullDisk) {
  const int count = PutUntilFull();
  DeleteKeys(0, 100);
  WriteBallast(12 * kMebibyte);  // what is left
  for (int i = 0; i < 3; ++i) {
    Reopen();
    ExpectKeys(100, count);
  }
}

TEST_P(SmallDiskTest, AStoreThatWasKilledIsOpenedOnAFullDisk) {
  Close();
  WriteBallast(4 * kMebibyte);
  {
    ChildProcess child([&](ChildProcess::Parent& parent) {
      Open();
      PutUntilFull();
      parent.TellAndWait();
    });
    ASSERT_TRUE(child.WaitUntilTold());
  }
  Open();
  const int count = static_cast<int>(All().size());
  EXPECT_GT(count, 3000);
  DeleteKeys(0, count);
  RemoveBallast();
  EXPECT_TRUE(IsPut(0));
  ExpectKeys(0, 1);
}

TEST_P(SmallDiskTest, AMergeFreesSpaceOnAFullDisk) {
  const int count = PutUntilFull();
  WriteBallast(12 * kMebibyte);  // what is left
  // In each segment a tenth of the records stays.
  for (int i = 0; i < count; ++i) {
    if (i % 10 == 0) continue;
    ASSERT_TRUE(Delete(Key(i))) << i;
  }
  const absl::Status merged = store().Merge();
  EXPECT_TRUE(merged.ok()) << merged;
  EXPECT_EQ(All().size(), static_cast<size_t>((count + 9) / 10));
  EXPECT_TRUE(IsPut(count));
}

// The reserve is for one input; what a merge would take together is more.
TEST_P(SmallDiskTest, AMergeTakesOneSegmentWhereThereIsNoRoomForMore) {
  Close();
  options.reserve_bytes = 64 << 10;
  options.segment_size_bytes = 512 << 10;
  Open();
  constexpr int kKeys = 5000;
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(IsPut(i)) << i;
  const auto overwrite_half = [this] {
    int i = 0;
    while (i < 2 * kKeys && IsPut(i % kKeys)) i += 2;
    return i;
  };
  overwrite_half();
  Close();
  // Outputs may be as long as four of the inputs.
  options.segment_size_bytes = 2 * kMebibyte;
  Open();
  LeaveFree(64 << 10);
  ASSERT_LT(overwrite_half(), kKeys);
  const absl::Status merged = store().Merge();
  EXPECT_TRUE(merged.ok()) << merged;
  ExpectKeys(0, kKeys);
  EXPECT_TRUE(IsPut(0));
}

// Such a disk takes a store that has nothing to spare.
TEST_P(SmallDiskTest, WithoutAReserveAFullDiskRefusesDeletesToo) {
  Close();
  options.reserve_bytes = 0;
  Open();
  const int count = PutUntilFull();
  EXPECT_EQ(ReserveBytes(), 0u);
  absl::Status status;
  for (int i = 0; i < count && status.ok(); ++i) {
    status = store().Delete(Key(i)).status();
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
}

}  // namespace
}  // namespace stave
