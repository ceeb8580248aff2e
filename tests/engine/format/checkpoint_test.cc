#include "engine/format/checkpoint.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

CheckpointHeader SomeHeader() {
  CheckpointHeader header;
  header.generation = 7;
  header.store_id = 0x0123456789abcdef;
  header.end_sequence = 11;
  header.keys = 1000;
  header.segments = 3;
  header.pages = 90;
  header.tables_checksum = 0x55667788;
  header.secret_check = 0x99aabbcc;
  return header;
}

void MakeChecksumRight(std::string* header) {
  EncodeFixed(ExtendCrc32c(Crc32c(header->substr(0, 8)), header->substr(12)),
              header->data() + 8);
}

TEST(CheckpointTest, AHeaderIsReadAsItWasWritten) {
  const std::string bytes = EncodeCheckpointHeader(SomeHeader());
  ASSERT_EQ(bytes.size(), kCheckpointHeaderBytes);
  const absl::StatusOr<CheckpointHeader> read = DecodeCheckpointHeader(bytes);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(*read == SomeHeader());
}

TEST(CheckpointTest, AHeaderTellsWhereEverythingIs) {
  const CheckpointHeader header = SomeHeader();
  EXPECT_EQ(header.segments_offset(), 64u);
  EXPECT_EQ(header.keys_offset(), 64u + 3 * 64);
  EXPECT_EQ(header.pages_offset(), 64u + 3 * 64 + 1000 * 16);
  EXPECT_EQ(header.file_bytes(), 64u + 3 * 64 + 1000 * 16 + 90 * 16);
}

TEST(CheckpointTest, OneOfKeysInOrderHasSoManyBytes) {
  CheckpointHeader header = SomeHeader();
  header.kind = CheckpointKind::kOrdered;
  header.keys = 0;
  header.ordered_bytes = 12345;
  EXPECT_EQ(header.pages_offset(), 64u + 3 * 64 + 12345);
  const auto read = DecodeCheckpointHeader(EncodeCheckpointHeader(header));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(*read == header);
  header.ordered_bytes = uint64_t{1} << 60;
  EXPECT_FALSE(DecodeCheckpointHeader(EncodeCheckpointHeader(header)).ok());
}

TEST(CheckpointTest, EveryWrongBitOfAHeaderIsFound) {
  const std::string good = EncodeCheckpointHeader(SomeHeader());
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_TRUE(absl::IsDataLoss(DecodeCheckpointHeader(bad).status())) << bit;
  }
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(DecodeCheckpointHeader(good.substr(0, size)).ok()) << size;
  }
}

TEST(CheckpointTest, AnUnknownVersionIsNoDamage) {
  std::string bytes = EncodeCheckpointHeader(SomeHeader());
  bytes[12] = 2;
  MakeChecksumRight(&bytes);
  EXPECT_TRUE(absl::IsInvalidArgument(DecodeCheckpointHeader(bytes).status()));
}

TEST(CheckpointTest, AnUnknownKindIsNoDamage) {
  std::string bytes = EncodeCheckpointHeader(SomeHeader());
  bytes[14] = 2;
  MakeChecksumRight(&bytes);
  EXPECT_TRUE(absl::IsInvalidArgument(DecodeCheckpointHeader(bytes).status()));
}

TEST(CheckpointTest, NumbersThatCantBeAreRefused) {
  CheckpointHeader header = SomeHeader();
  header.keys = uint64_t{1} << 60;
  EXPECT_FALSE(DecodeCheckpointHeader(EncodeCheckpointHeader(header)).ok());
  header.keys = header.pages - 1;
  EXPECT_FALSE(DecodeCheckpointHeader(EncodeCheckpointHeader(header)).ok());
}

TEST(CheckpointTest, RowsOfTablesAreReadAsTheyWereWritten) {
  CheckpointSegment segment{5, 6, {4096, 1, 90, 80, 0xabcdef01}, 2048};
  std::string bytes;
  AppendCheckpointSegment(segment, &bytes);
  ASSERT_EQ(bytes.size(), kCheckpointSegmentBytes);
  EXPECT_TRUE(DecodeCheckpointSegment(bytes) == segment);
  const CheckpointPage page{uint64_t{77} << 54, 0x12345678, 480, 10};
  bytes.clear();
  AppendCheckpointPage(page, &bytes);
  ASSERT_EQ(bytes.size(), kCheckpointPageBytes);
  EXPECT_TRUE(DecodeCheckpointPage(bytes) == page);
  const OrderedCheckpointPage ordered{1234, 0x12345678, 60};
  bytes.clear();
  AppendCheckpointPage(ordered, &bytes);
  ASSERT_EQ(bytes.size(), kCheckpointPageBytes);
  EXPECT_TRUE(DecodeOrderedCheckpointPage(bytes) == ordered);
}

TEST(CheckpointTest, ARowTellsThePagesBytesInEitherKind) {
  std::string bytes;
  AppendCheckpointPage(CheckpointPage{uint64_t{77} << 54, 5, 480, 10}, &bytes);
  const auto hashed =
      DecodeCheckpointPageExtent(CheckpointKind::kHashed, bytes);
  EXPECT_EQ(hashed.bytes, 480u * 16);
  EXPECT_EQ(hashed.checksum, 5u);
  bytes.clear();
  AppendCheckpointPage(OrderedCheckpointPage{1234, 6, 60}, &bytes);
  const auto ordered =
      DecodeCheckpointPageExtent(CheckpointKind::kOrdered, bytes);
  EXPECT_EQ(ordered.bytes, 1234u);
  EXPECT_EQ(ordered.checksum, 6u);
}

TEST(CheckpointTest, APageIsRightInItsPlaceOnly) {
  const CheckpointHeader header = SomeHeader();
  const uint32_t checksum = CheckpointPageChecksum(header, 640, "keys");
  EXPECT_NE(CheckpointPageChecksum(header, 656, "keys"), checksum);
  EXPECT_NE(CheckpointPageChecksum(header, 640, "kexs"), checksum);
  CheckpointHeader other = header;
  other.generation = 8;
  EXPECT_NE(CheckpointPageChecksum(other, 640, "keys"), checksum);
  other = header;
  ++other.store_id;
  EXPECT_NE(CheckpointPageChecksum(other, 640, "keys"), checksum);
}

TEST(CheckpointTest, SegmentsTakeWholeMebibytes) {
  EXPECT_EQ(CheckpointGranules(32), 1u);
  EXPECT_EQ(CheckpointGranules(1 << 20), 1u);
  EXPECT_EQ(CheckpointGranules((1 << 20) + 8), 2u);
  EXPECT_EQ(CheckpointGranules(uint64_t{5} << 30), 5u << 10);
}

}  // namespace
}  // namespace stave
