#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

// Stores that Open refuses, opened with Options::open_damaged.
class OpenDamagedTest : public StoreFixture {
 protected:
  OpenDamagedTest() {
    options.segment_size_bytes = 1024;
    Open();
    for (int i = 0; i < 10; ++i) Put(absl::StrCat("old", i), ValueOf(i, 80));
    Put("damaged", "value that gets damaged");
    for (int i = 0; i < 10; ++i) Put(absl::StrCat("new", i), ValueOf(i, 80));
  }

  // Closes, damages the byte at `at` of what starts with `bytes`, and opens;
  // without hint files, since with them Open doesn't read all there is.
  void OpenWithDamage(std::string_view bytes, ptrdiff_t at) {
    Close();
    WriteDirectory(path(), WithoutHints(Image()));
    for (const auto& [name, contents] : Image()) {
      const size_t found = contents.find(bytes);
      if (found == contents.npos) continue;
      std::string damaged = contents;
      damaged.at(found + static_cast<size_t>(at)) ^= 0x20;
      WriteFile(PathOf(name), damaged);
    }
    EXPECT_TRUE(absl::IsDataLoss(TryOpen()));
    options.open_damaged = true;
    const DirectoryImage before = Image();
    Open();
    EXPECT_EQ(Difference(before, Image()), "");
  }

  static constexpr ptrdiff_t kValue = 10;
  static constexpr ptrdiff_t kHeader = -20;  // before the key
};

TEST_F(OpenDamagedTest, ASoundStoreIsReadAsEver) {
  Close();
  options.open_damaged = true;
  Open();
  EXPECT_EQ(Get("old1"), ValueOf(1, 80));
  EXPECT_EQ(Get("none"), "NOT_FOUND");
  EXPECT_EQ(All().size(), 21u);
  EXPECT_TRUE(absl::IsFailedPrecondition(store().Put("a", "b")));
}

TEST_F(OpenDamagedTest, ARecordWithASoundHeaderHidesKeysOfItsSizeAlone) {
  OpenWithDamage("damaged", kValue);
  EXPECT_EQ(Get("damaged"), "DATA_LOSS");
  EXPECT_EQ(Get("seven77"), "DATA_LOSS");  // may be what was damaged
  EXPECT_EQ(Get("old1"), ValueOf(1, 80));
  EXPECT_EQ(Get("new1"), ValueOf(1, 80));
  EXPECT_EQ(Get("none"), "NOT_FOUND");
}

TEST_F(OpenDamagedTest, ARecordWithoutAHeaderHidesAllOlderOnes) {
  OpenWithDamage("damaged", kHeader);
  EXPECT_EQ(Get("damaged"), "DATA_LOSS");
  EXPECT_EQ(Get("old1"), "DATA_LOSS");
  EXPECT_EQ(Get("none"), "DATA_LOSS");
  EXPECT_EQ(Get("new1"), ValueOf(1, 80));
}

TEST_F(OpenDamagedTest, AnOlderVersionIsNeverShown) {
  Put("old3", std::string(80, 'n'));
  OpenWithDamage("old3nnn", kValue);
  EXPECT_EQ(Get("old3"), "DATA_LOSS");
  EXPECT_EQ(Get("new3"), "DATA_LOSS");  // of the same size, and before
  EXPECT_EQ(Get("damaged"), "value that gets damaged");
}

TEST_F(OpenDamagedTest, ALaterVersionIsShown) {
  Put("damaged", "sound again");
  Put("old3", "three");
  OpenWithDamage("damagedvalue", kHeader);
  EXPECT_EQ(Get("damaged"), "sound again");
  EXPECT_EQ(Get("old3"), "three");
  EXPECT_EQ(Get("old4"), "DATA_LOSS");
}

TEST_F(OpenDamagedTest, AnIteratorVisitsWhatCanBeReadAndEndsWithDataLoss) {
  OpenWithDamage("damaged", kHeader);
  const std::unique_ptr<Iterator> iterator = NewIterator();
  int visited = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    EXPECT_TRUE(iterator->key().starts_with("new"));
    ++visited;
  }
  EXPECT_EQ(visited, 10);
  EXPECT_TRUE(absl::IsDataLoss(iterator->status())) << iterator->status();
}

TEST_F(OpenDamagedTest, ABatchThatIsNotWholeIsNotShown) {
  WriteBatch batch;
  batch.Put("b1", "of a batch");
  batch.Put("b2", "damaged in a batch");
  Write(batch);
  Put("new1", "later");
  OpenWithDamage("damaged in", 3);
  EXPECT_EQ(Get("b1"), "DATA_LOSS");
  EXPECT_EQ(Get("b2"), "DATA_LOSS");
  EXPECT_EQ(Get("new2"), "DATA_LOSS");  // the batch could have changed it
  EXPECT_EQ(Get("new1"), "later");
}

TEST_F(OpenDamagedTest, AMissingSegmentHidesAllThatIsOlder) {
  Close();
  DirectoryImage image = Image();
  image.erase(SegmentNames(image).at(1));
  WriteDirectory(path(), image);
  options.open_damaged = true;
  Open();
  EXPECT_EQ(Get("old0"), "DATA_LOSS");
  EXPECT_EQ(Get("new9"), ValueOf(9, 80));
}

TEST_F(OpenDamagedTest, WithoutAManifestItLeadsToRepair) {
  Close();
  DirectoryImage image = Image();
  image.erase(ManifestName(image));
  WriteDirectory(path(), image);
  options.open_damaged = true;
  const absl::Status status = TryOpen();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(std::string(status.message()).find("--repair"), std::string::npos)
      << status;
}

// Every bit of every segment, one at a time.
TEST_F(OpenDamagedTest, NoBitMakesAnOldValueTheLastOne) {
  for (int i = 0; i < 3; ++i) Put(absl::StrCat("old", i), ValueOf(90 + i, 40));
  Contents expected = All();
  Close();
  const DirectoryImage whole = Image();
  options.open_damaged = true;
  for (const std::string& name : SegmentNames(whole)) {
    const size_t step = name == SegmentNames(whole).back() ? 1 : 7;
    for (size_t at = 0; at < whole.at(name).size(); at += step) {
      DirectoryImage image = whole;
      image[name][at] ^= static_cast<char>(1 << at % 8);
      WriteFile(PathOf(name), image[name]);
      Open();
      for (const auto& [key, value] : expected) {
        const std::string got = Get(key);
        ASSERT_TRUE(got == value || got == "DATA_LOSS")
            << key << ", " << name << " byte " << at;
      }
    }
    WriteFile(PathOf(name), whole.at(name));
  }
}

}  // namespace
}  // namespace stave
