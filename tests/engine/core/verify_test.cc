#include "stave/verify.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
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

// A store of a few small segments: each put takes 24 + 4 + 100 bytes, so a
// segment of 32 + 7 * 128 bytes holds seven of them (FORMAT.md). Sync marks
// and batch frames have a size that no put has.
constexpr uint64_t kHeader = 32;
constexpr uint64_t kPut = 128;

class VerifyTest : public StoreFixture {
 protected:
  VerifyTest() {
    options.segment_size_bytes = kHeader + 7 * kPut;
    Open();
    for (int i = 0; i < 30; ++i) PutNumber(i);
  }

  static std::string KeyOf(int i) { return absl::StrCat("k", 100 + i); }
  void PutNumber(int i) { Put(KeyOf(i), ValueOf(i, 100)); }
  std::string Segment(size_t index) const {
    return SegmentNames(Image()).at(index);
  }
  std::string LastSegment() const { return SegmentNames(Image()).back(); }

  void Flip(const std::string& name, uint64_t offset) {
    std::string bytes = ReadFile(PathOf(name));
    ASSERT_LT(offset, bytes.size());
    bytes[offset] ^= 0x10;
    WriteFile(PathOf(name), bytes);
  }
  void Zero(const std::string& name, uint64_t begin, uint64_t end) {
    std::string bytes = ReadFile(PathOf(name));
    ASSERT_LE(end, bytes.size());
    std::fill(bytes.begin() + static_cast<ptrdiff_t>(begin),
              bytes.begin() + static_cast<ptrdiff_t>(end), '\0');
    WriteFile(PathOf(name), bytes);
  }

  // Verifies, which must work, change nothing, and be of one mind with Open,
  // which reads all there is when there are no hint files.
  VerifyReport Look() {
    const DirectoryImage before = Image();
    VerifyOptions verify;
    verify.threads = 1;
    const absl::StatusOr<VerifyReport> report = Verify(path(), verify);
    EXPECT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(Difference(before, Image()), "");
    if (!report.ok()) return {};
    EXPECT_EQ(report->clean, report->damage.empty());
    if (!is_open()) {
      Options read_only = options;
      read_only.read_only = true;
      for (const auto& [name, bytes] : before) {
        if (name.ends_with(".hint")) std::filesystem::remove(PathOf(name));
      }
      const absl::Status opened = Store::Open(path(), read_only).status();
      for (const auto& [name, bytes] : before) {
        if (name.ends_with(".hint")) WriteFile(PathOf(name), bytes);
      }
      const bool only_hints = std::all_of(
          report->damage.begin(), report->damage.end(),
          [](const Damage& damage) { return damage.file.ends_with(".hint"); });
      EXPECT_EQ(opened.ok(), only_hints) << opened;
    }
    return *report;
  }

  static std::string Show(const VerifyReport& report) {
    std::string text;
    for (const Damage& damage : report.damage) {
      absl::StrAppend(&text, damage.file, " ", damage.offset, "+",
                      damage.length, " ", damage.what, ", ", damage.records,
                      " records\n");
    }
    return text;
  }

  // The only damage is this one.
  void ExpectDamage(const std::string& file, uint64_t offset, uint64_t length,
                    uint64_t records, std::string_view what) {
    const VerifyReport report = Look();
    ASSERT_EQ(report.damage.size(), 1u) << Show(report);
    const Damage& damage = report.damage[0];
    EXPECT_EQ(damage.file, file);
    EXPECT_EQ(damage.offset, offset) << Show(report);
    EXPECT_EQ(damage.length, length) << Show(report);
    EXPECT_EQ(damage.records, records) << Show(report);
    EXPECT_NE(damage.what.find(what), std::string::npos) << Show(report);
    EXPECT_EQ(report.lost, records);
  }
};

TEST_F(VerifyTest, AStoreThatWasClosedIsClean) {
  Close();
  const VerifyReport report = Look();
  EXPECT_TRUE(report.clean) << Show(report);
  EXPECT_EQ(report.records, 30u);
  EXPECT_EQ(report.torn_tail_bytes, 0u);
}

TEST_F(VerifyTest, AStoreThatWasKilledIsClean) {
  Sync();
  PutNumber(31);
  Kill();
  const VerifyReport report = Look();
  EXPECT_TRUE(report.clean) << Show(report);
  EXPECT_EQ(report.records, 31u);
}

TEST_F(VerifyTest, AnOpenStoreIsClean) {
  EXPECT_TRUE(Look().clean);
  Sync();
  EXPECT_TRUE(Look().clean);
}

TEST_F(VerifyTest, AnEmptyStoreIsClean) {
  Close();
  WriteDirectory(path(), {});
  EXPECT_TRUE(absl::IsNotFound(Verify(path()).status()));
  Open();
  Close();
  EXPECT_EQ(Look().records, 0u);
}

TEST_F(VerifyTest, WithoutAStoreItIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(Verify(path() + "none").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Verify("").status()));
}

TEST_F(VerifyTest, ADamagedBodyIsOneRecord) {
  Close();
  Flip(Segment(1), kHeader + 2 * kPut + 50);
  ExpectDamage(Segment(1), kHeader + 2 * kPut, kPut, 1, "body");
  EXPECT_EQ(Look().damage[0].key, KeyOf(9));
  EXPECT_EQ(Look().records, 29u);
}

TEST_F(VerifyTest, ADamagedHeaderIsOneRecord) {
  Close();
  for (uint64_t offset = 0; offset < 24; ++offset) {
    const DirectoryImage sound = Image();
    Flip(Segment(1), kHeader + 2 * kPut + offset);
    ExpectDamage(Segment(1), kHeader + 2 * kPut, kPut, 1, "header");
    WriteDirectory(path(), sound);
  }
}

TEST_F(VerifyTest, ZeroedRecordsAreCounted) {
  Close();
  Zero(Segment(1), kHeader + kPut + 8, kHeader + 4 * kPut - 8);
  ExpectDamage(Segment(1), kHeader + kPut, 3 * kPut, 3, "header");
}

TEST_F(VerifyTest, EachOfManyDamagesIsFound) {
  Close();
  Flip(Segment(0), kHeader + 3);
  Flip(Segment(0), kHeader + 3 * kPut + 40);
  Flip(Segment(2), kHeader + 6 * kPut + 40);
  Flip(LastSegment(), kHeader + 20);
  const VerifyReport report = Look();
  EXPECT_EQ(report.damage.size(), 4u) << Show(report);
  EXPECT_EQ(report.lost, 4u);
  EXPECT_EQ(report.records, 26u);
}

TEST_F(VerifyTest, ADamagedSegmentHeaderCostsNoRecord) {
  Close();
  Flip(Segment(1), 25);
  ExpectDamage(Segment(1), 0, kHeader, 0, "header");
  EXPECT_EQ(Look().records, 30u);
}

TEST_F(VerifyTest, TheEndOfASealedSegmentIsKnown) {
  Close();
  Zero(Segment(1), kHeader + 5 * kPut, kHeader + 7 * kPut);
  ExpectDamage(Segment(1), kHeader + 5 * kPut, 2 * kPut, 2, "header");
}

TEST_F(VerifyTest, ASegmentThatWasCutIsDamaged) {
  Close();
  std::string bytes = ReadFile(PathOf(Segment(1)));
  WriteFile(PathOf(Segment(1)), bytes.substr(0, kHeader + 3 * kPut + 10));
  ExpectDamage(Segment(1), kHeader + 3 * kPut, 4 * kPut, 4, "the file ends");
}

TEST_F(VerifyTest, AMissingSegmentCostsAllItsRecords) {
  Close();
  DirectoryImage image = Image();
  const std::string name = Segment(1);
  image.erase(name);
  WriteDirectory(path(), image);
  ExpectDamage(name, 0, kHeader + 7 * kPut, 7, "missing");
}

TEST_F(VerifyTest, AnotherSegmentInItsPlaceIsDamage) {
  Close();
  DirectoryImage image = Image();
  image[Segment(0)].swap(image[Segment(1)]);
  WriteDirectory(path(), image);
  EXPECT_EQ(Look().lost, 14u) << Show(Look());
}

TEST_F(VerifyTest, WhatNoMarkVouchesForIsATornTail) {
  Sync();
  PutNumber(31);
  const std::string name = LastSegment();
  const uint64_t end = ReadFile(PathOf(name)).find_last_not_of('\0') + 1;
  Kill();
  Flip(LastSegment(), end - 60);
  const VerifyReport report = Look();
  EXPECT_TRUE(report.clean) << Show(report);
  EXPECT_EQ(report.records, 30u);
  EXPECT_GT(report.torn_tail_bytes, 60u);
}

TEST_F(VerifyTest, WhatAMarkVouchesForIsDamage) {
  PutNumber(31);
  Sync();
  Kill();
  Flip(LastSegment(), kHeader + kPut + 60);
  const VerifyReport report = Look();
  EXPECT_FALSE(report.clean);
  EXPECT_EQ(report.lost, 1u) << Show(report);
}

TEST_F(VerifyTest, DamageInABatchCostsAllOfIt) {
  WriteBatch batch;
  for (int i = 0; i < 4; ++i) batch.Put(KeyOf(50 + i), "of a batch");
  Write(batch);
  PutNumber(60);
  Close();
  const std::string name = LastSegment();
  const std::string bytes = ReadFile(PathOf(name));
  Flip(name, bytes.find(KeyOf(52)) + 5);
  const VerifyReport report = Look();
  ASSERT_EQ(report.damage.size(), 1u) << Show(report);
  EXPECT_EQ(report.lost, 4u) << Show(report);
  EXPECT_EQ(report.records, 31u);
}

TEST_F(VerifyTest, TheFrameOfABatchThatIsWholeCostsNothing) {
  WriteBatch batch;
  for (int i = 0; i < 4; ++i) batch.Put(KeyOf(50 + i), "of a batch");
  Write(batch);
  Close();
  const std::string name = LastSegment();
  const uint64_t frame = ReadFile(PathOf(name)).find(KeyOf(50)) - 48;
  Flip(name, frame + 9);
  ExpectDamage(name, frame, 24, 0, "header");
  EXPECT_EQ(Look().records, 34u);
  // With one of its records damaged too, nobody knows what belonged to it.
  Flip(name, ReadFile(PathOf(name)).find(KeyOf(51)) + 5);
  EXPECT_EQ(Look().records, 30u) << Show(Look());
}

TEST_F(VerifyTest, AManifestThatIsGoneCostsNoRecord) {
  Close();
  DirectoryImage image = Image();
  image.erase(ManifestName(image));
  WriteDirectory(path(), image);
  ExpectDamage("MANIFEST-1", 0, 0, 0, "missing");
  EXPECT_EQ(Look().records, 30u);
}

TEST_F(VerifyTest, ADamagedEditCostsNoRecord) {
  Close();
  const std::string name = ManifestName(Image());
  Flip(name, ReadFile(PathOf(name)).size() / 2);
  const VerifyReport report = Look();
  ASSERT_FALSE(report.damage.empty());
  EXPECT_EQ(report.damage[0].file, name);
  EXPECT_GT(report.damage[0].length, 0u);
  EXPECT_EQ(report.lost, 0u) << Show(report);
  EXPECT_EQ(report.records, 30u);
}

TEST_F(VerifyTest, AManifestThatWasCutCostsNoRecord) {
  Close();
  DirectoryImage image = Image();
  std::string& manifest = image[ManifestName(image)];
  const std::string whole = manifest;
  for (size_t size = 0; size < whole.size() * 3 / 4; size += 8) {
    manifest = whole.substr(0, size);
    WriteDirectory(path(), image);
    const VerifyReport report = Look();
    EXPECT_FALSE(report.clean) << size;
    EXPECT_EQ(report.records, 30u) << size << "\n" << Show(report);
    if (HasFailure()) return;
  }
}

TEST_F(VerifyTest, DamageIsFoundWithoutTheManifest) {
  Close();
  DirectoryImage image = Image();
  image.erase(ManifestName(image));
  const std::string name = Segment(2);
  WriteDirectory(path(), image);
  Zero(name, kHeader + 3 * kPut, kHeader + 7 * kPut);
  const VerifyReport report = Look();
  EXPECT_EQ(report.lost, 4u) << Show(report);
  image.erase(name);
  WriteDirectory(path(), image);
  EXPECT_EQ(Look().lost, 7u) << Show(Look());
}

TEST_F(VerifyTest, LeftoversOfMakingASegmentAreNoDamage) {
  Close();
  WriteFile(PathOf("00000000000000f0.seg"), "");
  WriteFile(PathOf("00000000000000f1.seg"), std::string(512, '\0'));
  EXPECT_TRUE(Look().clean) << Show(Look());
}

TEST_F(VerifyTest, ASegmentThatNobodyKnowsIsDamage) {
  Close();
  WriteFile(PathOf("00000000000000f1.seg"), Image().at(Segment(0)));
  ExpectDamage("00000000000000f1.seg", 0, kHeader + 7 * kPut, 0, "name");
  EXPECT_EQ(Look().records, 30u);
}

// Look compares the two.
TEST_F(VerifyTest, NoBitIsJudgedInAnotherWayThanByOpen) {
  WriteBatch batch;
  for (int i = 0; i < 4; ++i) batch.Put(KeyOf(50 + i), "of a batch");
  Write(batch);
  Sync();
  Write(batch);
  PutNumber(60);
  Kill();
  const DirectoryImage killed = Image();
  Open();
  Close();
  Open();
  Write(batch);
  Close();
  const DirectoryImage closed = Image();
  for (const DirectoryImage& whole : {killed, closed}) {
    WriteDirectory(path(), whole);
    for (const auto& [name, bytes] : whole) {
      if (name == "RESERVE") continue;  // space alone, which nobody reads
      for (size_t at = 0; at < bytes.size(); at += name == "LOCK" ? 100 : 61) {
        std::string damaged = bytes;
        damaged[at] ^= static_cast<char>(1 << at % 8);
        WriteFile(PathOf(name), damaged);
        const VerifyReport report = Look();
        ASSERT_FALSE(HasFailure()) << name << ", byte " << at << "\n"
                                   << Show(report);
      }
      WriteFile(PathOf(name), bytes);
    }
  }
}

TEST_F(VerifyTest, ProgressComesToTheEnd) {
  Close();
  VerifyProgress last;
  VerifyOptions verify;
  verify.progress = [&last](const VerifyProgress& progress) {
    EXPECT_GE(progress.bytes, last.bytes);
    last = progress;
  };
  EXPECT_TRUE(Verify(path(), verify).ok());
  EXPECT_GT(last.total_bytes, 30 * kPut);
  EXPECT_EQ(last.bytes, last.total_bytes);
}

}  // namespace
}  // namespace stave
