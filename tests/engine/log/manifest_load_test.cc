#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/base/types.h"
#include "engine/format/manifest_edit.h"
#include "engine/log/manifest.h"
#include "gtest/gtest.h"
#include "tests/engine/format/damage.h"
#include "tests/engine/log/manifest_fixture.h"

namespace stave {
namespace {

// What Load makes of files, whole, torn and damaged.
class ManifestLoadTest : public ManifestFixture {};

TEST_F(ManifestLoadTest, DirectoryWithoutOneIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(LoadStatus()));
  SetBytes("MANIFEST-01", "not ours");
  SetBytes("README", "not ours");
  EXPECT_TRUE(absl::IsNotFound(LoadStatus()));
}

TEST_F(ManifestLoadTest, LastEditThatIsTornAtAnyByteIsIgnored) {
  Create();
  Append(Add(1));
  const uint64_t before = Load().length;
  Append(Add(2));
  const std::string whole = FirstManifest();
  for (uint64_t cut = before; cut < whole.size(); ++cut) {
    SetBytes("MANIFEST-1", whole.substr(0, cut));
    EXPECT_EQ(Segments(), Ids{1}) << cut;
    EXPECT_EQ(Load().whole_file, cut == before) << cut;
  }
}

TEST_F(ManifestLoadTest, LastEditThatEndsInReservedZerosIsIgnored) {
  Create();
  Append(Add(1));
  const uint64_t before = Load().length;
  Append(Seal(1, 7));
  const std::string whole = FirstManifest();
  for (uint64_t cut = before; cut < whole.size() - 16; ++cut) {
    std::string bytes = whole.substr(0, cut);
    bytes.resize(16 << 10, '\0');
    SetBytes("MANIFEST-1", bytes);
    EXPECT_FALSE(Load().state.segments[0].sealed.has_value()) << cut;
    EXPECT_EQ(Load().length, before);
  }
}

TEST_F(ManifestLoadTest, DamageToTheLastEditIsATornTail) {
  Create();
  Append(Add(1));
  const uint64_t before = Load().length;
  Append(Add(2));
  const std::string whole = FirstManifest();
  ForEachFlippedBit(whole.substr(before), [&](const std::string& damaged) {
    SetBytes("MANIFEST-1", whole.substr(0, before) + damaged);
    EXPECT_EQ(Segments(), Ids{1});
    EXPECT_FALSE(Load().whole_file);
  });
}

TEST_F(ManifestLoadTest, DamageBeforeTheLastEditIsDataLossAndSaysWhere) {
  Create();
  Append(Add(1));
  const uint64_t offset = Load().length;
  Append(Add(2));
  const uint64_t end = Load().length;
  Append(Add(3));
  const std::string whole = FirstManifest();
  const std::string damaged_edit = whole.substr(offset, end - offset);
  ForEachFlippedBit(damaged_edit, [&](const std::string& damaged) {
    SetBytes("MANIFEST-1",
             whole.substr(0, offset) + damaged + whole.substr(end));
    const absl::Status status = LoadStatus();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_TRUE(
        Says(status, absl::StrCat("/MANIFEST-1, offset ", offset, ": ")))
        << status;
  });
}

// Until segments are listed, nobody can say whether it was ever whole.
TEST_F(ManifestLoadTest, FirstManifestThatIsTornAtAnyByteIsNoStore) {
  Create();
  const std::string whole = FirstManifest();
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    SetBytes("MANIFEST-1", whole.substr(0, cut));
    EXPECT_TRUE(absl::IsNotFound(LoadStatus())) << cut;
  }
  Create();
  EXPECT_EQ(Load().state.base.store_id, 0xabcu);
}

TEST_F(ManifestLoadTest, FirstManifestOfZerosIsNoStore) {
  for (const size_t zeros : {1, 16, 4096}) {
    SetBytes("MANIFEST-1", std::string(zeros, '\0'));
    EXPECT_TRUE(absl::IsNotFound(LoadStatus())) << zeros;
  }
}

TEST_F(ManifestLoadTest, SomebodyElsesFileIsNotTakenForAnUnfinishedManifest) {
  SetBytes("MANIFEST-1", "The people of the ship");
  EXPECT_TRUE(absl::IsDataLoss(LoadStatus()));
}

TEST_F(ManifestLoadTest, UnfinishedNextManifestIsPassedOver) {
  Create();
  Append(Add(1));
  const std::string first = FirstManifest();
  ASSERT_EQ(Replace(), absl::OkStatus());
  const std::string second = BytesOf("MANIFEST-2");
  SetBytes("MANIFEST-1", first);
  for (size_t cut = 0; cut < second.size(); ++cut) {
    SetBytes("MANIFEST-2", second.substr(0, cut));
    EXPECT_EQ(Load().number, 1u) << cut;
    EXPECT_EQ(Segments(), Ids{1});
  }
  SetBytes("MANIFEST-2", second);
  EXPECT_EQ(Load().number, 2u);
}

TEST_F(ManifestLoadTest, DamageToTheManifestThatCountsIsNotPassedOver) {
  Create();
  const std::string first = FirstManifest();
  ASSERT_EQ(Replace(), absl::OkStatus());
  Append(Add(1));
  const uint64_t offset = Load().length;
  Append(Add(2));
  Append(Add(3));
  std::string second = BytesOf("MANIFEST-2");
  second[offset + 1] = static_cast<char>(second[offset + 1] ^ 1);
  SetBytes("MANIFEST-1", first);
  SetBytes("MANIFEST-2", second);
  EXPECT_TRUE(absl::IsDataLoss(LoadStatus()));
}

TEST_F(ManifestLoadTest, NoManifestThatCanBeReadIsDataLoss) {
  SetBytes("MANIFEST-3", "neither this");
  SetBytes("MANIFEST-2", "nor that");
  const absl::Status status = LoadStatus();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_TRUE(Says(status, "/MANIFEST-3")) << status;
}

TEST_F(ManifestLoadTest, ManifestOfAnotherNumberIsDataLoss) {
  Create();
  SetBytes("MANIFEST-2", BytesOf("MANIFEST-1"));
  ASSERT_EQ(directory_->Unlink("MANIFEST-1"), absl::OkStatus());
  EXPECT_TRUE(absl::IsDataLoss(LoadStatus()));
}

TEST_F(ManifestLoadTest, UnknownFormatVersionIsAClearError) {
  Create();
  std::string bytes = FirstManifest();
  EncodeFixed(uint32_t{2}, &bytes[8]);
  std::string covered;
  AppendFixed(uint64_t{1}, &covered);
  EncodeFixed(Crc32c(covered + bytes.substr(0, 12)), &bytes[12]);
  SetBytes("MANIFEST-1", bytes);
  const absl::Status status = LoadStatus();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_TRUE(Says(status, "/MANIFEST-1")) << status;
  EXPECT_TRUE(Says(status, "format version 2")) << status;
}

// To drop it as a torn tail would undo what a newer program did.
TEST_F(ManifestLoadTest, LastEditWithAnUnknownChangeIsNotDropped) {
  Create();
  Append(Add(1));
  std::string bytes = FirstManifest();
  const std::string payload = "\xf0something new";
  std::string covered;
  AppendFixed(uint64_t{1}, &covered);
  AppendFixed(uint64_t{bytes.size()}, &covered);
  AppendFixed(static_cast<uint32_t>(payload.size()), &covered);
  covered += payload;
  AppendFixed(Crc32c(covered), &bytes);
  bytes += covered.substr(16);
  bytes.resize(AlignRecord(bytes.size()), '\0');
  SetBytes("MANIFEST-1", bytes);
  EXPECT_TRUE(absl::IsInvalidArgument(LoadStatus())) << LoadStatus();
}

TEST_F(ManifestLoadTest, RandomBytesDoNoHarm) {
  Create();
  const std::string whole = FirstManifest();
  ForEachRandomString(2000, 400, [&](const std::string& bytes) {
    SetBytes("MANIFEST-1", bytes);
    EXPECT_FALSE(LoadStatus().ok());
    SetBytes("MANIFEST-1", whole + bytes);
    EXPECT_EQ(Load().length, whole.size());
  });
}

TEST_F(ManifestLoadTest, CleanCloseIsVoidOnceAnotherEditFollows) {
  Create();
  Append(Add(1));
  Append(Close(1));
  EXPECT_EQ(Load().state.clean_close->id, 1u);
  Append({ClockFloorChange{5}});
  EXPECT_FALSE(Load().state.clean_close.has_value());
  EXPECT_EQ(Load().state.segments[0].synced_length, 4096u);
}

TEST(ManifestStateTest, ASegmentDoesNotEndWithinItsHeader) {
  ManifestState state;
  BaseChange base;
  base.store_id = 1;
  ASSERT_EQ(state.Apply({base}), absl::OkStatus());
  ASSERT_EQ(state.Apply(Add(1)), absl::OkStatus());
  SegmentSummary summary;
  for (const uint64_t length : {0, 8, 31}) {
    summary.length = length;
    for (const ManifestEdit& edit :
         {ManifestEdit{SealSegmentChange{1, summary}},
          {CleanCloseChange{1, summary}}}) {
      ManifestState copy = state;
      EXPECT_TRUE(absl::IsDataLoss(copy.Apply(edit))) << length;
    }
  }
  summary.length = 32;
  EXPECT_EQ(state.Apply({SealSegmentChange{1, summary}}), absl::OkStatus());
}

TEST(ManifestStateTest, EditsThatCannotFollowAreDataLoss) {
  ManifestState state;
  EXPECT_TRUE(absl::IsDataLoss(state.Apply(Add(1))));  // No base.
  BaseChange base;
  base.store_id = 1;
  ASSERT_EQ(state.Apply({base}), absl::OkStatus());
  ASSERT_EQ(state.Apply(Add(1)), absl::OkStatus());
  ASSERT_EQ(state.Apply(Seal(1, 9)), absl::OkStatus());
  for (const ManifestEdit& edit : {ManifestEdit{base}, Add(1), Seal(1, 9),
                                   Seal(2, 9), Remove(2), Close(1), Close(2)}) {
    ManifestState copy = state;
    EXPECT_TRUE(absl::IsDataLoss(copy.Apply(edit))) << edit[0].index();
  }
}

}  // namespace
}  // namespace stave
