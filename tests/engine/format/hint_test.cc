#include "engine/format/hint.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engine/base/key_hash.h"
#include "engine/base/types.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/index/keydir.h"
#include "gtest/gtest.h"
#include "tests/engine/format/damage.h"

namespace stave {
namespace {

RecordHeader PutOf(uint16_t key_size, uint32_t value_size, bool expires) {
  RecordHeader header;
  header.key_size = key_size;
  header.value_size = value_size;
  header.expires = expires;
  return header;
}

RecordHeader DeleteOf(uint16_t key_size) {
  RecordHeader header;
  header.kind = RecordKind::kDelete;
  header.key_size = key_size;
  return header;
}

constexpr KeyHash kHash{0x0123456789abcdef, 0xfedc};

TEST(HintEntryTest, SaysWhatTheKeydirWouldSay) {
  const Location first{uint64_t{5} << 17};
  for (const uint64_t offset : {uint64_t{32}, uint64_t{4} << 30}) {
    const Location location{first.unit + offset / 8};
    for (const bool expires : {false, true}) {
      for (uint32_t size = 0; size < 1100; ++size) {
        const RecordHeader header = PutOf(1, size, expires);
        const HintEntry entry(kHash, offset, header);
        EXPECT_EQ(
            KeydirEntry::FromBits(entry.keydir_bits() + (first.unit << 8)),
            KeydirEntry::Live(location, header.record_size(), expires));
        EXPECT_EQ(entry.exact_size(),
                  header.record_size() <= 1008 ? header.record_size() : 0);
        EXPECT_FALSE(entry.tombstone());
        EXPECT_EQ(entry.expires(), expires);
        EXPECT_EQ(entry.offset(), offset);
        EXPECT_EQ(entry.hash(), kHash);
      }
    }
    const HintEntry entry(kHash, offset, DeleteOf(9));
    EXPECT_EQ(KeydirEntry::FromBits(entry.keydir_bits() + (first.unit << 8)),
              KeydirEntry::Tombstone(location));
    EXPECT_TRUE(entry.tombstone());
  }
}

TEST(HintEntryTest, IsOrderedByPrefixThenTagThenOffset) {
  const RecordHeader large = PutOf(1, 5000, true);
  const RecordHeader small = PutOf(1, 1, false);
  EXPECT_LT(HintEntry({1, 9}, 800, large), HintEntry({2, 0}, 80, small));
  EXPECT_LT(HintEntry({1, 0x7fff}, 800, large),
            HintEntry({1, 0x8000}, 80, small));
  EXPECT_LT(HintEntry({1, 1}, 80, large), HintEntry({1, 1}, 88, small));
  EXPECT_LT(HintEntry::LeastOf({1, 1}), HintEntry({1, 1}, 32, small));
  EXPECT_LT(HintEntry({1, 0}, uint64_t{4} << 30, large),
            HintEntry::LeastOf({1, 1}));
}

TEST(HintEntryTest, FitsInASegmentThatItsRecordFitsIn) {
  const HintEntry put(kHash, 96, PutOf(1, 7, false));  // 32 bytes
  EXPECT_TRUE(put.FitsIn(128));
  EXPECT_FALSE(put.FitsIn(127));
  EXPECT_FALSE(put.FitsIn(0));
  EXPECT_TRUE(HintEntry(kHash, 96, DeleteOf(1)).FitsIn(128));
  EXPECT_FALSE(HintEntry(kHash, 96, DeleteOf(1)).FitsIn(127));
  EXPECT_TRUE(HintEntry(kHash, 32, PutOf(1, 5000, false)).FitsIn(1048));
  EXPECT_FALSE(HintEntry(kHash, 32, PutOf(1, 5000, false)).FitsIn(1047));
  EXPECT_FALSE(HintEntry(kHash, 24, PutOf(1, 7, false)).FitsIn(1000));
  EXPECT_FALSE(HintEntry::LeastOf(kHash).FitsIn(1000));
}

class HintHeaderTest : public testing::Test {
 protected:
  HintHeaderTest() {
    header_.segment = {SegmentKind::kLog, 7, 0x5a17};
    header_.summary = {1 << 20, 5, 104, 100, 0xabcdef01};
    header_.secret_check = 0x76543210;
    header_.entries = 90;
    header_.sizes = 3;
  }

  static void ExpectDataLoss(const std::string& bytes) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeHintHeader(bytes).status()));
  }

  HintHeader header_;
};

TEST_F(HintHeaderTest, IsReadAsItWasWritten) {
  const std::string bytes = EncodeHintHeader(header_);
  EXPECT_EQ(bytes.size(), kHintHeaderBytes);
  const auto read = DecodeHintHeader(bytes + "more");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->segment.id, 7u);
  EXPECT_EQ(read->segment.salt, 0x5a17u);
  EXPECT_EQ(read->summary, header_.summary);
  EXPECT_EQ(read->secret_check, 0x76543210u);
  EXPECT_EQ(read->entries, 90u);
  EXPECT_EQ(read->sizes, 3u);
}

TEST_F(HintHeaderTest, TellsTheFilesLength) {
  EXPECT_EQ(header_.body_bytes(), 90u * 16 + 3 * 8);
  EXPECT_EQ(header_.file_bytes(), 80 + 90u * 16 + 3 * 8 + 4);
  header_.entries = 257;
  header_.sizes = 0;
  EXPECT_EQ(header_.file_bytes(), 80 + 257u * 16 + 2 * 4);
  header_.entries = 0;
  EXPECT_EQ(header_.file_bytes(), 80u);
}

TEST_F(HintHeaderTest, AnyWrongBitIsNoticed) {
  ForEachFlippedBit(EncodeHintHeader(header_), ExpectDataLoss);
}

TEST_F(HintHeaderTest, ATruncationIsNoticed) {
  ForEachTruncation(EncodeHintHeader(header_), ExpectDataLoss);
}

TEST_F(HintHeaderTest, RandomBytesAreNoHeader) {
  ForEachRandomString(1000, 200, ExpectDataLoss);
}

TEST_F(HintHeaderTest, CountsThatASegmentCantHaveAreNoticed) {
  header_.entries = 101;  // of 100 records
  ExpectDataLoss(EncodeHintHeader(header_));
  header_.entries = 100;
  header_.summary.length = 100 * 32 - 1;
  ExpectDataLoss(EncodeHintHeader(header_));
  header_.entries = 0;
  header_.summary.length = 3 * 1016 - 1;
  ExpectDataLoss(EncodeHintHeader(header_));
}

TEST(HintBlockTest, ChecksumDependsOnSegmentAndPlace) {
  const std::string block(4096, 'x');
  const uint32_t checksum = HintBlockChecksum(1, 1, block);
  EXPECT_NE(checksum, HintBlockChecksum(2, 1, block));
  EXPECT_NE(checksum, HintBlockChecksum(1, 2, block));
  EXPECT_NE(checksum, HintBlockChecksum(1, 1, std::string(4096, 'y')));
}

}  // namespace
}  // namespace stave
