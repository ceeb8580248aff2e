#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

// A store of a few small segments whose files get damaged. FORMAT.md: a segment
// has a header of 32 bytes, then records.
class DamageTest : public StoreFixture {
 protected:
  DamageTest() {
    options.segment_size_bytes = 512;
    Open();
    for (int i = 0; i < 20; ++i) PutNumber(i);
  }

  void PutNumber(int i) {
    const std::string key = absl::StrCat("key", i);
    contents_[key] = ValueOf(i, 80);
    Put(key, contents_[key]);
  }

  void Damage(const std::string& name, size_t offset) {
    std::string bytes = ReadFile(PathOf(name));
    ASSERT_LT(offset, bytes.size());
    bytes[offset] ^= 0x10;
    WriteFile(PathOf(name), bytes);
  }

  // Open must refuse, name all of `mentioned`, and change nothing.
  void ExpectDataLoss(const std::vector<std::string>& mentioned) {
    options.read_only = true;
    ExpectDataLossForWriters(mentioned);
    options.read_only = false;
    ExpectDataLossForWriters(mentioned);
  }
  void ExpectDataLossForWriters(const std::vector<std::string>& mentioned) {
    const DirectoryImage before = Image();
    const absl::Status status = TryOpen();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    for (const std::string& text : mentioned) {
      EXPECT_NE(std::string(status.message()).find(text), std::string::npos)
          << text << " is not in: " << status;
    }
    EXPECT_EQ(Difference(before, Image()), "");
  }

  std::string Segment(size_t index) const {
    return SegmentNames(Image()).at(index);
  }
  std::string LastSegment() const { return SegmentNames(Image()).back(); }
  std::string Manifest() const { return ManifestName(Image()); }

  Contents contents_;
};

TEST_F(DamageTest, ABitInASealedSegmentIsReportedByFileAndOffset) {
  Close();
  const std::string name = Segment(1);
  Damage(name, 32 + 40);
  ExpectDataLoss({PathOf(name), "offset 32"});
}

TEST_F(DamageTest, ABitBelowACleanCloseIsReportedByFileAndOffset) {
  Close();
  const std::string name = LastSegment();
  Damage(name, 32 + 40);
  ExpectDataLoss({PathOf(name), "offset 32"});
}

TEST_F(DamageTest, ABitInARecordsHeaderIsReported) {
  Close();
  const std::string name = Segment(0);
  Damage(name, 32 + 12);
  ExpectDataLoss({PathOf(name), "offset 32"});
}

TEST_F(DamageTest, ABitInASegmentsHeaderIsReported) {
  Close();
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
  Close();
  Damage(Manifest(), 100);
  ExpectDataLoss({PathOf(Manifest())});
}

TEST_F(DamageTest, ABitInALaterEditIsReportedByFileAndOffset) {
  Close();
  const size_t size = Image().at(Manifest()).size();
  Damage(Manifest(), size / 2);
  ExpectDataLoss({PathOf(Manifest()), "offset "});
}

TEST_F(DamageTest, AManifestThatIsGoneIsReported) {
  Close();
  DirectoryImage image = Image();
  image.erase(Manifest());
  WriteDirectory(path(), image);
  ExpectDataLoss({path()});
}

// Without its last edits the manifest does not know all segments.
TEST_F(DamageTest, AManifestThatWasCutShortIsReported) {
  Close();
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
  Close();
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
  Close();
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

TEST_F(DamageTest, AnEmptySegmentIsReported) {
  Close();
  const std::string name = LastSegment();
  WriteFile(PathOf(name), "");
  ExpectDataLoss({PathOf(name)});
}

TEST_F(DamageTest, ExchangedSegmentsAreReported) {
  Close();
  DirectoryImage image = Image();
  image[Segment(0)].swap(image[Segment(1)]);
  WriteDirectory(path(), image);
  ExpectDataLoss({PathOf(Segment(0))});
}

TEST_F(DamageTest, AnExchangedSegmentInUseIsReported) {
  Kill();
  DirectoryImage image = Image();
  image[LastSegment()] = image[Segment(0)];
  WriteDirectory(path(), image);
  ExpectDataLoss({PathOf(LastSegment())});
}

// The same names, ids and keys, and yet another store.
class OtherStoresSegmentTest : public DamageTest {
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
  Close();
  const std::string name = Segment(1);
  WriteFile(PathOf(name), FromAnotherStore(name));
  ExpectDataLoss({PathOf(name)});
}

TEST_F(OtherStoresSegmentTest, InTheLastOnesPlaceIsReported) {
  Close();
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
  Close();
  options.segment_size_bytes = kMinSegmentSizeBytes;
  const std::string name = "000000000000000a.seg";
  WriteFile(PathOf(name), FromAnotherStore(name));
  ExpectDataLossForWriters({PathOf(name)});
}

TEST_F(DamageTest, AnUnknownFileWithRecordsIsNotDeleted) {
  Close();
  const std::string name = "00000000000000f1.seg";
  WriteFile(PathOf(name), Image().at(Segment(0)));
  ExpectDataLossForWriters({PathOf(name)});
}

TEST_F(DamageTest, AnUnknownFileThatIsNoSegmentIsNotDeleted) {
  Close();
  const std::string name = "00000000000000f1.seg";
  WriteFile(PathOf(name), "notes, longer than the header of a segment");
  ExpectDataLossForWriters({PathOf(name)});
}

// Left by a process that was killed while it made them.
TEST_F(DamageTest, UnfinishedSegmentsAreRemoved) {
  Close();
  const DirectoryImage before = Image();
  WriteFile(PathOf("00000000000000f0.seg"), "");
  WriteFile(PathOf("00000000000000f1.seg"), std::string(512, '\0'));
  Open();
  EXPECT_EQ(All(), contents_);
  Close();
  EXPECT_EQ(SegmentNames(Image()), SegmentNames(before));
}

TEST_F(DamageTest, IdsAreNeverUsedAgain) {
  Close();
  WriteFile(PathOf("00000000000000f1.seg"), "");
  Open();
  for (int i = 0; i < 20; ++i) PutNumber(i);
  EXPECT_GT(LastSegment(), "00000000000000f1.seg");
  EXPECT_EQ(All(), contents_);
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
  Reopen();
  Damage(Segment(0), 32 + 12);
  const auto iterator = NewIterator();
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(absl::IsDataLoss(iterator->status())) << iterator->status();
  EXPECT_NE(iterator->status().message().find(Segment(0)), std::string::npos);
}

}  // namespace
}  // namespace stave
