#include "tests/simulation/simulated_disk.h"

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/file_system_contract.h"

namespace stave {
namespace {

class DiskUnderTest : public FileSystemUnderTest {
 public:
  FileSystem& file_system() override { return disk_; }
  std::string directory_path() override { return SimulatedDisk::kPath; }

 private:
  SimulatedDisk disk_;
};

std::unique_ptr<FileSystemUnderTest> MakeDisk() {
  return std::make_unique<DiskUnderTest>();
}

INSTANTIATE_TEST_SUITE_P(Simulated, FileSystemContract,
                         testing::Values(&MakeDisk));

class SimulatedDiskTest : public testing::Test {
 protected:
  using Image = SimulatedDisk::Image;

  std::unique_ptr<File> Create(const std::string& name,
                               const std::string& contents = "") {
    auto file = directory_->CreateFile(name);
    EXPECT_TRUE(file.ok()) << file.status();
    EXPECT_EQ((*file)->Write(0, contents), absl::OkStatus());
    return *std::move(file);
  }
  void SyncNames() { EXPECT_EQ(directory_->Sync(), absl::OkStatus()); }

  // What is left when nothing that was not synced is there, and when all is.
  Image Least() const { return disk_.AfterPowerLoss(Writeback::OfNothing()); }
  Image Most() const { return disk_.AfterPowerLoss({}); }

  SimulatedDisk disk_{Image{{"a", "old"}}};
  std::unique_ptr<Directory> directory_ =
      disk_.OpenDirectory(SimulatedDisk::kPath).value();
};

TEST_F(SimulatedDiskTest, ARenameIsThereAsAWholeOrNotAtAll) {
  EXPECT_EQ(Create("b", "new")->SyncData(), absl::OkStatus());
  SyncNames();
  EXPECT_EQ(directory_->Rename("b", "a"), absl::OkStatus());
  EXPECT_EQ(Least(), (Image{{"a", "old"}, {"b", "new"}}));
  EXPECT_EQ(Most(), (Image{{"a", "new"}}));
  EXPECT_EQ(disk_.Copy()->AfterPowerLoss({}), Most());
  SyncNames();
  EXPECT_EQ(Least(), (Image{{"a", "new"}}));
}

TEST_F(SimulatedDiskTest, BytesAreOnTheDeviceOnceTheFileIsSynced) {
  const auto file = directory_->OpenFile("a", true).value();
  EXPECT_EQ(file->Write(0, "new!"), absl::OkStatus());
  EXPECT_EQ(Least(), (Image{{"a", "old"}}));
  EXPECT_EQ(Most(), (Image{{"a", "new!"}}));
  EXPECT_EQ(file->SyncData(), absl::OkStatus());
  EXPECT_EQ(Least(), (Image{{"a", "new!"}}));
}

TEST_F(SimulatedDiskTest, StoresToMappingsAreToo) {
  const auto file = directory_->OpenFile("a", true).value();
  const auto mapping = file->Map(3, true).value();
  const std::string_view part = "ew";
  mapping->Store(1, absl::MakeConstSpan(&part, 1));
  EXPECT_EQ(Least(), (Image{{"a", "old"}}));
  EXPECT_EQ(file->SyncData(), absl::OkStatus());
  EXPECT_EQ(Least(), (Image{{"a", "oew"}}));
}

TEST_F(SimulatedDiskTest, LengthsAre) {
  const auto file = directory_->OpenFile("a", true).value();
  EXPECT_EQ(file->Allocate(0, 4), absl::OkStatus());
  EXPECT_EQ(file->Truncate(1), absl::OkStatus());
  EXPECT_EQ(file->Truncate(2), absl::OkStatus());
  EXPECT_EQ(Least(), (Image{{"a", "old"}}));
  EXPECT_EQ(file->SyncData(), absl::OkStatus());
  EXPECT_EQ(Least(), (Image{{"a", std::string("o\0", 2)}}));
}

TEST_F(SimulatedDiskTest, NamesAreOnTheDeviceOnceTheirDirectoryIsSynced) {
  const auto file = Create("b", "bytes");
  EXPECT_EQ(file->SyncData(), absl::OkStatus());
  EXPECT_EQ(directory_->Unlink("a"), absl::OkStatus());
  EXPECT_EQ(Least(), (Image{{"a", "old"}}));
  EXPECT_EQ(Most(), (Image{{"b", "bytes"}}));
  SyncNames();
  EXPECT_EQ(Least(), (Image{{"b", "bytes"}}));
}

TEST_F(SimulatedDiskTest, ANameMayBeThereWithoutBytes) {
  Create("b", "bytes");
  SyncNames();
  EXPECT_EQ(Least(), (Image{{"a", "old"}, {"b", ""}}));
}

TEST_F(SimulatedDiskTest, AKillLosesNothing) {
  Create("b", "bytes");
  disk_.Kill();
  EXPECT_EQ(disk_.AfterKill(), (Image{{"a", "old"}, {"b", "bytes"}}));
  EXPECT_EQ(disk_.open_handles(), 0);
}

TEST_F(SimulatedDiskTest, TheDeadDoNothing) {
  const auto file = Create("b", "bytes");
  const auto lock = directory_->Lock("LOCK", "").value();
  disk_.Kill();
  EXPECT_FALSE(file->Write(0, "more").ok());
  EXPECT_FALSE(directory_->Unlink("b").ok());
  EXPECT_EQ(disk_.AfterKill().at("b"), "bytes");
  const auto next = disk_.OpenDirectory(SimulatedDisk::kPath).value();
  EXPECT_TRUE(next->Lock("LOCK", "").ok());
}

TEST_F(SimulatedDiskTest, LostPagesComeBackOnceTheyAreWrittenAgain) {
  const auto file = directory_->OpenFile("a", true).value();
  EXPECT_EQ(file->Write(0, "new"), absl::OkStatus());
  disk_.LoseDirtyPages();
  EXPECT_EQ(file->SyncData(), absl::OkStatus());
  EXPECT_EQ(Least(), (Image{{"a", "old"}}));
  EXPECT_EQ(disk_.AfterKill(), (Image{{"a", "new"}}));
  EXPECT_EQ(file->Write(2, "w"), absl::OkStatus());
  EXPECT_EQ(file->SyncData(), absl::OkStatus());
  EXPECT_EQ(Least(), (Image{{"a", "new"}}));
}

TEST_F(SimulatedDiskTest, TheLastWriteCanBeCut) {
  const auto file = directory_->OpenFile("a", true).value();
  EXPECT_EQ(file->Write(0, "other"), absl::OkStatus());
  const ChangeTime last = disk_.last_change().time;
  const auto cut_at = [&](size_t bytes) {
    return disk_.AfterPowerLoss({.cut_time = last, .cut_bytes = bytes});
  };
  EXPECT_EQ(cut_at(1), (Image{{"a", "old"}}));
  EXPECT_EQ(cut_at(2), (Image{{"a", "otd"}}));
  EXPECT_EQ(cut_at(4), (Image{{"a", "othe"}}));
}

TEST_F(SimulatedDiskTest, AFaultIsMetOnceOrFromThenOn) {
  const auto file = directory_->OpenFile("a", true).value();
  disk_.Break(Fault::kIoError, 1, /*sticky=*/false);
  EXPECT_EQ(file->Truncate(1), absl::OkStatus());
  EXPECT_TRUE(absl::IsInternal(file->Truncate(2)));
  EXPECT_EQ(file->Truncate(3), absl::OkStatus());
  disk_.Break(Fault::kIoError, 0, /*sticky=*/true);
  EXPECT_TRUE(absl::IsInternal(file->Truncate(4)));
  EXPECT_TRUE(absl::IsInternal(file->SyncData()));
  disk_.Heal();
  EXPECT_EQ(file->Truncate(4), absl::OkStatus());
}

TEST_F(SimulatedDiskTest, ASyncThatFailsMayKeepLoseOrRevertPages) {
  const auto file = directory_->OpenFile("a", true).value();
  const auto sync_with = [&](Fault fault) {
    EXPECT_EQ(file->Write(0, "new"), absl::OkStatus());
    disk_.Break(fault, 0, /*sticky=*/false);
    EXPECT_TRUE(absl::IsInternal(file->SyncData()));
    EXPECT_EQ(file->SyncData(), absl::OkStatus());
  };
  sync_with(Fault::kSyncRevertsPages);
  EXPECT_EQ(disk_.AfterKill(), (Image{{"a", "old"}}));
  sync_with(Fault::kSyncLosesPages);
  EXPECT_EQ(disk_.AfterKill(), (Image{{"a", "new"}}));
  EXPECT_EQ(Least(), (Image{{"a", "old"}}));
  sync_with(Fault::kSyncKeepsPages);
  EXPECT_EQ(Least(), (Image{{"a", "new"}}));
}

TEST_F(SimulatedDiskTest, ASyncThatFailsMayBeReportedLate) {
  const auto file = directory_->OpenFile("a", true).value();
  EXPECT_EQ(file->Write(0, "new"), absl::OkStatus());
  disk_.Break(Fault::kSyncReportedLate, 0, /*sticky=*/false);
  EXPECT_EQ(file->SyncData(), absl::OkStatus());
  EXPECT_EQ(Least(), (Image{{"a", "old"}}));
  EXPECT_TRUE(absl::IsInternal(file->SyncData()));
}

}  // namespace
}  // namespace stave
