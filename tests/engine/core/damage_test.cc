#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/damage_fixture.h"

namespace stave {
namespace {

using DamageTest = DamageFixture;

TEST_F(DamageTest, ABitInASealedSegmentIsReportedByFileAndOffset) {
  CloseWithoutHints();
  const std::string name = Segment(1);
  Damage(name, 32 + 40);
  ExpectDataLoss({PathOf(name), "offset 32"});
}

TEST_F(DamageTest, ABitBelowACleanCloseIsReportedByFileAndOffset) {
  CloseWithoutHints();
  const std::string name = LastSegment();
  Damage(name, 32 + 40);
  ExpectDataLoss({PathOf(name), "offset 32"});
}

TEST_F(DamageTest, ABitInARecordsHeaderIsReported) {
  CloseWithoutHints();
  const std::string name = Segment(0);
  Damage(name, 32 + 12);
  ExpectDataLoss({PathOf(name), "offset 32"});
}

TEST_F(DamageTest, ABitInASegmentsHeaderIsReported) {
  CloseWithoutHints();
  for (const size_t offset : {0, 9, 13, 17, 25}) {
    const DirectoryImage good = Image();
    Damage(Segment(0), offset);
    ExpectDataLoss({PathOf(Segment(0))});
    WriteDirectory(path(), good);
  }
  Open();
  EXPECT_EQ(All(), contents_);
}

TEST_F(DamageTest, ABitInTheHeaderOfASegmentInUseIsReported) {
  Kill();
  Damage(LastSegment(), 25);
  ExpectDataLoss({PathOf(LastSegment())});
}

TEST_F(DamageTest, ABitInTheManifestsFirstEditIsReportedByFile) {
  CloseWithoutHints();
  Damage(Manifest(), 100);
  ExpectDataLoss({PathOf(Manifest())});
}

TEST_F(DamageTest, ABitInALaterEditIsReportedByFileAndOffset) {
  CloseWithoutHints();
  const size_t size = Image().at(Manifest()).size();
  Damage(Manifest(), size / 2);
  ExpectDataLoss({PathOf(Manifest()), "offset "});
}

TEST_F(DamageTest, AManifestThatIsGoneIsReported) {
  CloseWithoutHints();
  DirectoryImage image = Image();
  image.erase(Manifest());
  WriteDirectory(path(), image);
  ExpectDataLoss({path()});
}

// Without its last edits the manifest does not know all segments.
TEST_F(DamageTest, AManifestThatWasCutShortIsReported) {
  CloseWithoutHints();
  DirectoryImage image = Image();
  std::string& manifest = image[Manifest()];
  const std::string whole = manifest;
  for (size_t size = 0; size < whole.size() * 3 / 4; size += 8) {
    manifest = whole.substr(0, size);
    WriteDirectory(path(), image);
    ExpectDataLoss({path()});
    if (HasFailure()) FAIL() << "cut to " << size << " bytes";
  }
}

TEST_F(DamageTest, AMissingSegmentIsReported) {
  CloseWithoutHints();
  const DirectoryImage whole = Image();
  for (const std::string& name : SegmentNames(whole)) {
    DirectoryImage image = whole;
    image.erase(name);
    WriteDirectory(path(), image);
    ExpectDataLoss({PathOf(name), "missing"});
  }
}

TEST_F(DamageTest, AMissingSegmentInUseIsReported) {
  Kill();
  DirectoryImage image = Image();
  const std::string name = LastSegment();
  image.erase(name);
  WriteDirectory(path(), image);
  ExpectDataLoss({PathOf(name), "missing"});
}

TEST_F(DamageTest, ASegmentThatWasCutShortIsReported) {
  CloseWithoutHints();
  const DirectoryImage whole = Image();
  for (const std::string& name : {Segment(0), LastSegment()}) {
    for (const size_t less : {1, 8, 100}) {
      DirectoryImage image = whole;
      image[name].resize(image[name].size() - less);
      WriteDirectory(path(), image);
      ExpectDataLoss({PathOf(name)});
    }
  }
}

TEST_F(DamageTest, ZerosAtTheEndOfASealedSegmentAreReported) {
  Close();
  DirectoryImage image = WithoutHints(Image());
  std::string& bytes = image.at(Segment(0));
  std::fill(bytes.begin() + 32, bytes.end(), '\0');
  WriteDirectory(path(), image);
  ExpectDataLoss({PathOf(Segment(0)), "offset 32"});
}

TEST_F(DamageTest, AnEmptySegmentIsReported) {
  CloseWithoutHints();
  const std::string name = LastSegment();
  WriteFile(PathOf(name), "");
  ExpectDataLoss({PathOf(name)});
}

// While a store is open.

TEST_F(DamageTest, AReadOfDamagedBytesIsDataLossAndNothingElseSuffers) {
  Reopen();
  const std::string name = Segment(0);
  Damage(name, 32 + 24 + 4 + 5);  // within key0's value
  ASSERT_EQ(contents_.count("key0"), 1u);
  const absl::Status status = store().Get("key0").status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(std::string(status.message()).find(PathOf(name) + ", offset 32"),
            std::string::npos)
      << status;
  EXPECT_TRUE(absl::IsDataLoss(store().GetPinned("key0").status()));
  EXPECT_EQ(Get("key1"), contents_["key1"]);
  PutNumber(0);
  EXPECT_EQ(Get("key0"), contents_["key0"]);
}

TEST_F(DamageTest, AnIteratorStopsAtDamagedBytes) {
  for (const size_t offset : {32 + 12, 32 + 24 + 4 + 5}) {  // header, value
    Reopen();
    Damage(Segment(0), offset);
    const auto iterator = NewIterator();
    iterator->SeekToFirst();
    EXPECT_FALSE(iterator->Valid());
    EXPECT_TRUE(absl::IsDataLoss(iterator->status())) << iterator->status();
    EXPECT_NE(iterator->status().message().find(Segment(0)), std::string::npos);
    Damage(Segment(0), offset);  // and so undone
  }
}

}  // namespace
}  // namespace stave
