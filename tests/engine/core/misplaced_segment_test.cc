#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/damage_fixture.h"
#include "tests/engine/core/scratch_place.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

using MisplacedSegmentTest = DamageFixture;

TEST_F(MisplacedSegmentTest, ExchangedSegmentsAreReported) {
  CloseWithoutHints();
  DirectoryImage image = Image();
  image[Segment(0)].swap(image[Segment(1)]);
  WriteDirectory(path(), image);
  ExpectDataLoss({PathOf(Segment(0))});
}

TEST_F(MisplacedSegmentTest, AnExchangedSegmentInUseIsReported) {
  Kill();
  DirectoryImage image = Image();
  image[LastSegment()] = image[Segment(0)];
  WriteDirectory(path(), image);
  ExpectDataLoss({PathOf(LastSegment())});
}

// The same names, ids and keys, and yet another store.
class OtherStoresSegmentTest : public MisplacedSegmentTest {
 protected:
  std::string FromAnotherStore(const std::string& name) {
    const TemporaryDirectory other(PlaceInMemory());
    {
      auto store = Store::Open(other.path(), options).value();
      for (const auto& [key, value] : contents_) {
        EXPECT_TRUE(store->Put(key, value).ok());
      }
      EXPECT_TRUE(store->Close().ok());
    }
    return ReadFile(absl::StrCat(other.path(), "/", name));
  }
};

TEST_F(OtherStoresSegmentTest, InASealedOnesPlaceIsReported) {
  CloseWithoutHints();
  const std::string name = Segment(1);
  WriteFile(PathOf(name), FromAnotherStore(name));
  ExpectDataLoss({PathOf(name)});
}

TEST_F(OtherStoresSegmentTest, InTheLastOnesPlaceIsReported) {
  CloseWithoutHints();
  const std::string name = LastSegment();
  WriteFile(PathOf(name), FromAnotherStore(name));
  ExpectDataLoss({PathOf(name)});
}

TEST_F(OtherStoresSegmentTest, InThePlaceOfOneInUseIsReported) {
  Kill();
  const std::string name = LastSegment();
  WriteFile(PathOf(name), FromAnotherStore(Segment(0)));
  ExpectDataLoss({PathOf(name)});
}

TEST_F(OtherStoresSegmentTest, OfAnIdThatTheManifestDoesNotKnowIsReported) {
  CloseWithoutHints();
  options.segment_size_bytes = kMinSegmentSizeBytes;
  const std::string name = "000000000000000a.seg";
  WriteFile(PathOf(name), FromAnotherStore(name));
  ExpectDataLossForWriters({PathOf(name)});
}

TEST_F(MisplacedSegmentTest, AnUnknownFileWithRecordsIsNotDeleted) {
  CloseWithoutHints();
  const std::string name = "00000000000000f1.seg";
  WriteFile(PathOf(name), Image().at(Segment(0)));
  ExpectDataLossForWriters({PathOf(name)});
}

// The manifest has lost the edit that names it, and the first record is bad.
TEST_F(MisplacedSegmentTest, AnUnknownFileWithARecordBehindABadOneIsKept) {
  CloseWithoutHints();
  const std::string name = "00000000000000f1.seg";
  WriteFile(PathOf(name), Image().at(Segment(0)));
  Damage(name, 32 + 12);
  ExpectDataLossForWriters({PathOf(name)});
}

TEST_F(MisplacedSegmentTest, AnUnknownFileThatIsNoSegmentIsNotDeleted) {
  CloseWithoutHints();
  const std::string name = "00000000000000f1.seg";
  WriteFile(PathOf(name), "notes, longer than the header of a segment");
  ExpectDataLossForWriters({PathOf(name)});
}

// Left by a process that was killed while it made them.
TEST_F(MisplacedSegmentTest, UnfinishedSegmentsAreRemoved) {
  CloseWithoutHints();
  const DirectoryImage before = Image();
  WriteFile(PathOf("00000000000000f0.seg"), "");
  WriteFile(PathOf("00000000000000f1.seg"), std::string(512, '\0'));
  Open();
  EXPECT_EQ(All(), contents_);
  CloseWithoutHints();
  EXPECT_EQ(SegmentNames(Image()), SegmentNames(before));
}

TEST_F(MisplacedSegmentTest, IdsAreNeverUsedAgain) {
  CloseWithoutHints();
  WriteFile(PathOf("00000000000000f1.seg"), "");
  Open();
  for (int i = 0; i < 20; ++i) PutNumber(i);
  EXPECT_GT(LastSegment(), "00000000000000f1.seg");
  EXPECT_EQ(All(), contents_);
}

}  // namespace
}  // namespace stave
