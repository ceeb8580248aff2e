#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

class ReadOnlyTest : public StoreFixture {
 protected:
  ReadOnlyTest() {
    options.segment_size_bytes = 1024;
    Open();
    for (int i = 0; i < 30; ++i) PutNumber(i, i);
  }

  void PutNumber(int i, int version) {
    const std::string key = absl::StrCat("key", i);
    contents_[key] = ValueOf(version, 60);
    Put(key, contents_[key]);
  }

  // A second store in the same directory, beside the writer.
  std::unique_ptr<Store> OpenReadOnly() {
    Options read_only = options;
    read_only.read_only = true;
    absl::StatusOr<std::unique_ptr<Store>> opened =
        Store::Open(path(), read_only);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  Contents AllOf(Store& reader) {
    return Visit(reader.NewIterator().value().get());
  }

  Contents contents_;
};

TEST_F(ReadOnlyTest, ShowsWhatWasWrittenBeforeItWasOpened) {
  const auto reader = OpenReadOnly();
  EXPECT_EQ(AllOf(*reader), contents_);
  EXPECT_EQ(reader->Get("key7").value(), contents_["key7"]);
  EXPECT_EQ(reader->GetPinned("key7").value().view(), contents_["key7"]);
  EXPECT_TRUE(reader->Exists("key7").value());
  EXPECT_TRUE(absl::IsNotFound(reader->Get("absent").status()));
}

TEST_F(ReadOnlyTest, DoesNotSeeWhatIsWrittenLater) {
  const auto reader = OpenReadOnly();
  const Contents before = contents_;
  for (int i = 0; i < 60; ++i) PutNumber(i, 1000 + i);
  EXPECT_TRUE(Delete("key1"));
  EXPECT_EQ(AllOf(*reader), before);
  Close();
  EXPECT_EQ(AllOf(*reader), before);
  Open();
  EXPECT_EQ(AllOf(*reader), before);
}

TEST_F(ReadOnlyTest, RefusesEveryWrite) {
  const auto reader = OpenReadOnly();
  WriteBatch batch;
  batch.Put("k", "v");
  for (const absl::Status& status :
       {reader->Put("k", "v"), reader->Delete("key1").status(),
        reader->Delete("absent").status(), reader->Write(batch),
        reader->Write(WriteBatch()), reader->Sync()}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_NE(std::string(status.message()).find("read-only"),
              std::string::npos)
        << status;
  }
  EXPECT_TRUE(reader->Close().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(reader->Get("key1").status()));
}

TEST_F(ReadOnlyTest, ChangesNoByteOfAStore) {
  const auto try_all = [this] {
    const DirectoryImage before = Image();
    auto reader = OpenReadOnly();
    EXPECT_EQ(AllOf(*reader), contents_);
    EXPECT_TRUE(reader->Close().ok());
    reader = nullptr;
    EXPECT_EQ(Difference(before, Image()), "");
  };
  try_all();  // beside a writer
  Kill();
  try_all();  // after its end
  Open();
  Close();
  try_all();  // after a clean close
}

TEST_F(ReadOnlyTest, NeedsNoRightToWrite) {
  Close();
  namespace fs = std::filesystem;
  for (const auto& file : fs::directory_iterator(path())) {
    fs::permissions(file, fs::perms(0400));
  }
  fs::permissions(path(), fs::perms(0500));
  EXPECT_EQ(AllOf(*OpenReadOnly()), contents_);
  fs::permissions(path(), fs::perms(0700));
}

TEST_F(ReadOnlyTest, WorksWithoutALockFile) {
  Close();
  std::filesystem::remove(PathOf("LOCK"));
  EXPECT_EQ(AllOf(*OpenReadOnly()), contents_);
  EXPECT_FALSE(std::filesystem::exists(PathOf("LOCK")));
}

TEST_F(ReadOnlyTest, StatisticsAreThoseOfTheWriter) {
  Sync();
  const Statistics writer = store().GetStatistics();
  const Statistics reader = OpenReadOnly()->GetStatistics();
  EXPECT_EQ(reader.keys, writer.keys);
  EXPECT_EQ(reader.live_bytes, writer.live_bytes);
  EXPECT_EQ(reader.dead_bytes, writer.dead_bytes);
  EXPECT_EQ(reader.disk_bytes, writer.disk_bytes);
}

TEST_F(ReadOnlyTest, ExpiryGoesOn) {
  Put("expires", "v", {.ttl = absl::Seconds(10)});
  const auto reader = OpenReadOnly();
  EXPECT_TRUE(reader->Exists("expires").value());
  clock.Advance(absl::Seconds(10));
  EXPECT_FALSE(reader->Exists("expires").value());
}

TEST_F(ReadOnlyTest, OutlivesTheWritersRecovery) {
  Put("torn", "a record that will be cut off");
  Kill();
  const auto reader = OpenReadOnly();
  const Contents before = AllOf(*reader);
  Open();
  for (int i = 0; i < 30; ++i) PutNumber(i, 2000 + i);
  EXPECT_EQ(AllOf(*reader), before);
}

}  // namespace
}  // namespace stave
