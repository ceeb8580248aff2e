#include "engine/format/manifest_edit.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "gtest/gtest.h"
#include "tests/engine/format/damage.h"

namespace stave {
namespace {

constexpr uint64_t kNumber = 3;
constexpr uint64_t kOffset = 256;

// Where FORMAT.md puts the version.
constexpr size_t kVersionAt = 8;

BaseChange Base() {
  BaseChange base;
  base.store_id = 0x1234;
  base.hash_secret.fill('s');
  base.next_segment_id = 17;
  base.sealed_through = 1000;
  base.clock_floor_ms = -1;
  return base;
}

constexpr SegmentSummary kSummary = {4096, 10, 20, 11, 0xabcdef01};

ManifestEdit OneOfEachChange() {
  return {
      Base(),
      AddSegmentChange{{SegmentKind::kLog, 16, 0xfeed}, 512},
      SealSegmentChange{15, kSummary},
      RemoveSegmentChange{14},
      CleanCloseChange{16, kSummary},
      ClockFloorChange{1'700'000'000'000},
      ForgetSegmentChange{13},
      InstallSegmentChange{{SegmentKind::kMerged, 17, 0xbeef}, kSummary, 15},
      SyncedChange{16, 2048},
      BackupChange{true, 0xcafe},
      IncarnationChange{0xfade, 999},
      MergedThroughChange{888}};
}

class ManifestEditTest : public testing::Test {
 protected:
  static std::string Encode(const ManifestEdit& edit) {
    return EncodeManifestEdit(edit, kNumber, kOffset);
  }
  static absl::StatusOr<ManifestEdit> Decode(std::string_view bytes,
                                             uint64_t number = kNumber,
                                             uint64_t offset = kOffset) {
    size_t size = 0;
    auto edit = DecodeManifestEdit(bytes, number, offset, &size);
    EXPECT_LE(size, bytes.size());
    return edit;
  }
  static void ExpectDamaged(std::string_view bytes) {
    EXPECT_TRUE(absl::IsDataLoss(Decode(bytes).status()));
  }

  // An edit of any payload, with the checksum that FORMAT.md defines.
  static std::string Seal(std::string_view payload) {
    std::string covered;
    AppendFixed(kNumber, &covered);
    AppendFixed(kOffset, &covered);
    AppendFixed(static_cast<uint32_t>(payload.size()), &covered);
    covered += payload;
    std::string bytes;
    AppendFixed(Crc32c(covered), &bytes);
    bytes += covered.substr(16);
    bytes.resize(AlignRecord(bytes.size()), '\0');
    return bytes;
  }
  static std::string PayloadOf(const ManifestEdit& edit) {
    const std::string bytes = Encode(edit);
    return bytes.substr(kEditHeaderBytes, DecodeFixed<uint32_t>(&bytes[4]));
  }
};

TEST_F(ManifestEditTest, EveryChangeComesBackAsItWas) {
  const absl::StatusOr<ManifestEdit> edit = Decode(Encode(OneOfEachChange()));
  ASSERT_TRUE(edit.ok()) << edit.status();
  ASSERT_EQ(edit->size(), 12u);
  const auto& base = std::get<BaseChange>((*edit)[0]);
  EXPECT_EQ(base.store_id, 0x1234u);
  EXPECT_EQ(base.hash_secret, Base().hash_secret);
  EXPECT_EQ(base.next_segment_id, 17u);
  EXPECT_EQ(base.sealed_through, 1000u);
  EXPECT_EQ(base.clock_floor_ms, -1);
  const auto& add = std::get<AddSegmentChange>((*edit)[1]);
  EXPECT_EQ(add.header.id, 16u);
  EXPECT_EQ(add.header.salt, 0xfeedu);
  EXPECT_EQ(add.synced_length, 512u);
  EXPECT_EQ(std::get<SealSegmentChange>((*edit)[2]).id, 15u);
  EXPECT_EQ(std::get<SealSegmentChange>((*edit)[2]).summary, kSummary);
  EXPECT_EQ(std::get<RemoveSegmentChange>((*edit)[3]).id, 14u);
  EXPECT_EQ(std::get<CleanCloseChange>((*edit)[4]).id, 16u);
  EXPECT_EQ(std::get<CleanCloseChange>((*edit)[4]).summary, kSummary);
  EXPECT_EQ(std::get<ClockFloorChange>((*edit)[5]).clock_floor_ms,
            1'700'000'000'000);
  EXPECT_EQ(std::get<ForgetSegmentChange>((*edit)[6]).id, 13u);
  const auto install = std::get<InstallSegmentChange>((*edit)[7]);
  EXPECT_EQ(install.header.kind, SegmentKind::kMerged);
  EXPECT_EQ(install.header.id, 17u);
  EXPECT_EQ(install.header.salt, 0xbeefu);
  EXPECT_EQ(install.summary, kSummary);
  EXPECT_EQ(install.after, 15u);
  EXPECT_EQ(std::get<SyncedChange>((*edit)[8]).id, 16u);
  EXPECT_EQ(std::get<SyncedChange>((*edit)[8]).length, 2048u);
  EXPECT_TRUE(std::get<BackupChange>((*edit)[9]).finished);
  EXPECT_EQ(std::get<BackupChange>((*edit)[9]).store_id, 0xcafeu);
  EXPECT_EQ(std::get<IncarnationChange>((*edit)[10]).id, 0xfadeu);
  EXPECT_EQ(std::get<IncarnationChange>((*edit)[10]).since, 999u);
  EXPECT_EQ(std::get<MergedThroughChange>((*edit)[11]).sequence, 888u);
}

TEST_F(ManifestEditTest, EachChangeAloneIsReadToItsEnd) {
  for (const ManifestChange& change : OneOfEachChange()) {
    const std::string bytes = Encode({change});
    EXPECT_EQ(bytes.size() % kRecordAlignment, 0u);
    size_t size = 0;
    const auto edit =
        DecodeManifestEdit(bytes + "what follows", kNumber, kOffset, &size);
    ASSERT_TRUE(edit.ok()) << edit.status();
    EXPECT_EQ(size, bytes.size());
    EXPECT_EQ(Encode(*edit), bytes);
  }
}

TEST_F(ManifestEditTest, EveryFlippedBitIsDataLoss) {
  ForEachFlippedBit(Encode(OneOfEachChange()), ExpectDamaged);
  // With padding.
  ForEachFlippedBit(Encode({RemoveSegmentChange{14}}), ExpectDamaged);
}

TEST_F(ManifestEditTest, EveryTruncationIsDataLoss) {
  ForEachTruncation(Encode(OneOfEachChange()), ExpectDamaged);
  ForEachTruncation(Encode({RemoveSegmentChange{14}}), ExpectDamaged);
}

TEST_F(ManifestEditTest, EditOfAnotherPlaceIsDataLoss) {
  const std::string bytes = Encode(OneOfEachChange());
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t flipped = uint64_t{1} << bit;
    EXPECT_FALSE(Decode(bytes, kNumber ^ flipped, kOffset).ok()) << bit;
    EXPECT_FALSE(Decode(bytes, kNumber, kOffset ^ flipped).ok()) << bit;
  }
}

TEST_F(ManifestEditTest, ZerosAreNoEdit) {
  ExpectDamaged(std::string(1000, '\0'));
  ExpectDamaged(Seal(""));
}

TEST_F(ManifestEditTest, SizeBeyondTheFileIsDataLoss) {
  std::string bytes = Encode(OneOfEachChange());
  for (const uint32_t size : {0xffffffffu, 0xfffffff8u, 0x80000000u, 1000u}) {
    EncodeFixed(size, &bytes[4]);
    ExpectDamaged(bytes);
  }
}

// A program that drops what it does not know would undo what a newer one did.
TEST_F(ManifestEditTest, UnknownChangeIsToldFromDamage) {
  for (const int tag : {0, 11, 12, 100, 255}) {
    std::string payload = PayloadOf({RemoveSegmentChange{14}});
    payload += static_cast<char>(tag);
    payload += "something new";
    EXPECT_TRUE(absl::IsInvalidArgument(Decode(Seal(payload)).status())) << tag;
  }
}

TEST_F(ManifestEditTest, UnknownKindOfSegmentIsToldFromDamage) {
  std::string payload = PayloadOf({AddSegmentChange{}});
  payload[1] = 9;
  EXPECT_TRUE(absl::IsInvalidArgument(Decode(Seal(payload)).status()));
}

TEST_F(ManifestEditTest, ChangeThatIsCutShortIsRejected) {
  for (const ManifestChange& change : OneOfEachChange()) {
    ForEachTruncation(PayloadOf({change}), [](const std::string& payload) {
      EXPECT_FALSE(Decode(Seal(payload)).ok());
    });
  }
}

TEST_F(ManifestEditTest, RandomBytesAreRejected) {
  ForEachRandomString(100'000, 300, [](const std::string& bytes) {
    EXPECT_FALSE(Decode(bytes).ok());
    EXPECT_FALSE(DecodeManifestHeader(bytes, kNumber).ok());
  });
}

TEST_F(ManifestEditTest, RandomPayloadsWithARightChecksumDoNoHarm) {
  ForEachRandomString(100'000, 300, [](std::string payload) {
    if (payload.empty()) return;
    payload[0] = static_cast<char>(payload[0] & 15);
    const auto edit = Decode(Seal(payload));
    if (!edit.ok()) return;
    EXPECT_EQ(PayloadOf(*edit), payload);
  });
}

TEST(ManifestHeaderTest, ComesBack) {
  const std::string bytes = EncodeManifestHeader(kNumber);
  EXPECT_EQ(bytes.size(), kManifestHeaderBytes);
  EXPECT_EQ(DecodeManifestHeader(bytes, kNumber), absl::OkStatus());
}

TEST(ManifestHeaderTest, EveryFlippedBitIsDataLoss) {
  ForEachFlippedBit(EncodeManifestHeader(kNumber), [](const auto& damaged) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeManifestHeader(damaged, kNumber)));
  });
}

TEST(ManifestHeaderTest, EveryTruncationIsDataLoss) {
  ForEachTruncation(EncodeManifestHeader(kNumber), [](const auto& cut) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeManifestHeader(cut, kNumber)));
  });
}

TEST(ManifestHeaderTest, HeaderOfAnotherNumberIsDataLoss) {
  for (const uint64_t number : {uint64_t{0}, kNumber - 1, kNumber + 1,
                                std::numeric_limits<uint64_t>::max()}) {
    EXPECT_TRUE(absl::IsDataLoss(
        DecodeManifestHeader(EncodeManifestHeader(number), kNumber)));
  }
}

TEST(ManifestHeaderTest, UnknownVersionSaysWhichOne) {
  std::string bytes = EncodeManifestHeader(kNumber);
  EncodeFixed(uint32_t{258}, &bytes[kVersionAt]);
  std::string covered;
  AppendFixed(kNumber, &covered);
  covered += bytes.substr(0, 12);
  EncodeFixed(Crc32c(covered), &bytes[12]);
  const absl::Status status = DecodeManifestHeader(bytes, kNumber);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(std::string(status.message()).find("version 258"),
            std::string::npos)
      << status;
}

}  // namespace
}  // namespace stave
