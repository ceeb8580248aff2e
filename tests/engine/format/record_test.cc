#include "engine/format/record.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/base/memory_range.h"
#include "gtest/gtest.h"
#include "stave/limits.h"
#include "tests/engine/format/damage.h"

namespace stave {
namespace {

constexpr uint64_t kSalt = 0x0123456789abcdef;
constexpr SegmentId kId = 42;
constexpr uint64_t kOffset = 4096;

// Where FORMAT.md puts these fields.
constexpr size_t kKindAt = 4;
constexpr size_t kFlagsAt = 5;
constexpr size_t kKeySizeAt = 6;
constexpr size_t kValueSizeAt = 12;

class RecordTest : public testing::Test {
 protected:
  static uint32_t Seed() {
    return RecordSeed(SegmentSeed(kSalt, kId), kOffset);
  }

  static RecordHeader Header(RecordKind kind, std::string_view key,
                             std::string_view value) {
    RecordHeader header;
    header.kind = kind;
    header.key_size = static_cast<uint16_t>(key.size());
    header.value_size = static_cast<uint32_t>(value.size());
    header.body = BodyChecksum(key, value);
    header.sequence = 0x1122334455667788;
    return header;
  }
  static RecordHeader Expiring(RecordHeader header, int64_t expire_at_ms) {
    header.expires = true;
    header.expire_at_ms = expire_at_ms;
    return header;
  }
  static RecordHeader Compressed(RecordHeader header, Compression compression) {
    header.compression = compression;
    return header;
  }
  static RecordHeader BatchFrame(uint32_t records, uint32_t bytes) {
    RecordHeader header;
    header.kind = RecordKind::kBatch;
    header.value_size = bytes;
    header.body = records;
    header.sequence = 3;
    return header;
  }

  // A record whose key and value are whatever.
  static std::string Encode(const RecordHeader& header) {
    std::string bytes(header.record_size(), 'x');
    EncodeRecordHeader(header, Seed(), bytes.data());
    return bytes;
  }

  static bool Decodes(std::string_view bytes, uint32_t seed = Seed()) {
    RecordHeader header;
    return DecodeRecordHeader(bytes, seed, &header);
  }

  // Makes the checksum of a changed header right, as FORMAT.md defines it.
  static void Reseal(std::string* bytes) {
    const bool expires = ((*bytes)[kFlagsAt] & 1) != 0;
    std::string place(24, '\0');
    EncodeFixed(kSalt, &place[0]);
    EncodeFixed(kId, &place[8]);
    EncodeFixed(kOffset, &place[16]);
    const auto header = std::string_view(*bytes).substr(0, expires ? 32 : 24);
    EncodeFixed(ExtendCrc32c(Crc32c(place), header.substr(4)), bytes->data());
  }

  static void ExpectRoundTrip(const RecordHeader& header) {
    RecordHeader decoded;
    ASSERT_TRUE(DecodeRecordHeader(Encode(header), Seed(), &decoded));
    EXPECT_EQ(decoded.kind, header.kind);
    EXPECT_EQ(decoded.expires, header.expires);
    EXPECT_EQ(decoded.compression, header.compression);
    EXPECT_EQ(decoded.key_size, header.key_size);
    EXPECT_EQ(decoded.value_size, header.value_size);
    EXPECT_EQ(decoded.body, header.body);
    EXPECT_EQ(decoded.sequence, header.sequence);
    EXPECT_EQ(decoded.expire_at_ms, header.expire_at_ms);
  }

  static std::vector<RecordHeader> OneOfEachKind() {
    const RecordHeader put = Header(RecordKind::kPut, "key", "value");
    return {put,
            Expiring(put, 1'700'000'000'000),
            Compressed(put, Compression::kZstd),
            Expiring(Compressed(put, Compression::kLz4), 1'700'000'000'000),
            Header(RecordKind::kDelete, "key", ""),
            BatchFrame(2, 64),
            Header(RecordKind::kSyncMark, "", std::string(24, 'm'))};
  }
};

TEST_F(RecordTest, EveryKindComesBackAsItWas) {
  for (const RecordHeader& header : OneOfEachKind()) ExpectRoundTrip(header);
}

TEST_F(RecordTest, ExpiriesBeforeTheUnixEpochAndFarAheadComeBack) {
  const RecordHeader put = Header(RecordKind::kPut, "key", "value");
  for (const int64_t ms : {std::numeric_limits<int64_t>::min(), int64_t{-1},
                           int64_t{0}, std::numeric_limits<int64_t>::max()}) {
    ExpectRoundTrip(Expiring(put, ms));
  }
}

TEST_F(RecordTest, RecordsFillWholeUnitsOfEightBytes) {
  EXPECT_EQ(Header(RecordKind::kPut, "k", "").record_size(), 32u);
  EXPECT_EQ(Header(RecordKind::kPut, "k", "1234567").record_size(), 32u);
  EXPECT_EQ(Header(RecordKind::kPut, "k", "12345678").record_size(), 40u);
  EXPECT_EQ(Expiring(Header(RecordKind::kPut, "k", ""), 1).record_size(), 40u);
  EXPECT_EQ(BatchFrame(0, 0).record_size(), 24u);
}

TEST_F(RecordTest, EveryFlippedBitOfAHeaderIsRejected) {
  for (const RecordHeader& header : OneOfEachKind()) {
    const std::string bytes = Encode(header);
    const std::string body = bytes.substr(header.header_size());
    ForEachFlippedBit(bytes.substr(0, header.header_size()),
                      [&](const std::string& damaged) {
                        EXPECT_FALSE(Decodes(damaged + body));
                      });
  }
}

TEST_F(RecordTest, EveryTruncationIsRejected) {
  for (const RecordHeader& header : OneOfEachKind()) {
    ForEachTruncation(Encode(header), [](const std::string& cut) {
      EXPECT_FALSE(Decodes(cut));
    });
  }
}

TEST_F(RecordTest, RecordAtAnyOtherOffsetIsRejected) {
  const std::string bytes = Encode(Header(RecordKind::kPut, "key", "value"));
  const uint32_t segment_seed = SegmentSeed(kSalt, kId);
  for (uint64_t offset = 0; offset < uint64_t{1} << 20; offset += 8) {
    EXPECT_EQ(Decodes(bytes, RecordSeed(segment_seed, offset)),
              offset == kOffset);
  }
  for (int bit = 3; bit < 64; ++bit) {
    const uint64_t offset = kOffset ^ uint64_t { 1 } << bit;
    EXPECT_FALSE(Decodes(bytes, RecordSeed(segment_seed, offset))) << offset;
  }
}

TEST_F(RecordTest, RecordOfAnotherSegmentOrStoreIsRejected) {
  const std::string bytes = Encode(Header(RecordKind::kPut, "key", "value"));
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t flipped = uint64_t{1} << bit;
    const uint32_t of_other_id = SegmentSeed(kSalt, kId ^ flipped);
    const uint32_t of_other_salt = SegmentSeed(kSalt ^ flipped, kId);
    EXPECT_FALSE(Decodes(bytes, RecordSeed(of_other_id, kOffset))) << bit;
    EXPECT_FALSE(Decodes(bytes, RecordSeed(of_other_salt, kOffset))) << bit;
  }
}

TEST_F(RecordTest, UnknownKindsAreRejected) {
  std::string bytes = Encode(Header(RecordKind::kPut, "key", "value"));
  for (int kind = 0; kind < 256; ++kind) {
    bytes[kKindAt] = static_cast<char>(kind);
    Reseal(&bytes);
    EXPECT_EQ(Decodes(bytes), kind == 1) << kind;
  }
}

TEST_F(RecordTest, UnknownFlagsAreRejected) {
  std::string bytes = Encode(Header(RecordKind::kPut, "key", "value"));
  bytes.append(kExpiryBytes, 'x');  // so that flag 1 has what it stands for
  for (int flags = 0; flags < 256; ++flags) {
    bytes[kFlagsAt] = static_cast<char>(flags);
    Reseal(&bytes);
    EXPECT_EQ(Decodes(bytes), flags <= 5) << flags;
  }
}

TEST_F(RecordTest, ShapesThatNoWriterMakesAreRejected) {
  const RecordHeader remove = Header(RecordKind::kDelete, "key", "");
  const std::string mark(kSyncMarkBytes, 'm');
  EXPECT_FALSE(Decodes(Encode(Header(RecordKind::kPut, "", "value"))));
  EXPECT_FALSE(Decodes(Encode(Header(RecordKind::kDelete, "", ""))));
  EXPECT_FALSE(Decodes(Encode(Header(RecordKind::kDelete, "key", "value"))));
  EXPECT_FALSE(Decodes(Encode(Expiring(remove, 1))));
  EXPECT_FALSE(Decodes(Encode(Header(RecordKind::kBatch, "key", ""))));
  EXPECT_FALSE(Decodes(Encode(Expiring(BatchFrame(1, 32), 1))));
  EXPECT_FALSE(Decodes(Encode(Header(RecordKind::kSyncMark, "key", mark))));
  EXPECT_FALSE(Decodes(Encode(Header(RecordKind::kSyncMark, "", "short"))));
}

// A segment so large that only the limits speak against a record.
TEST_F(RecordTest, SizesAtTheirLimitsAreReadAndBeyondThemRejected) {
  const auto memory = MemoryRange::Reserve(uint64_t{5} << 30);
  ASSERT_TRUE(memory.ok()) << memory.status();
  const std::string_view segment(memory->data(), memory->size());
  RecordHeader put =
      Header(RecordKind::kPut, std::string(kMaxKeyBytes, 'k'), "");
  RecordHeader frame = BatchFrame(1, 0);
  for (const int64_t beyond : {-1, 0, 1}) {
    put.value_size = static_cast<uint32_t>(kMaxValueBytes + beyond);
    EncodeRecordHeader(put, Seed(), memory->data());
    EXPECT_EQ(Decodes(segment), beyond <= 0);
    frame.value_size = static_cast<uint32_t>(kMaxBatchBytes + beyond);
    EncodeRecordHeader(frame, Seed(), memory->data());
    EXPECT_EQ(Decodes(segment), beyond <= 0);
  }
}

TEST_F(RecordTest, LengthsThatReachBeyondTheSegmentAreRejected) {
  std::string bytes = Encode(Header(RecordKind::kPut, "key", "value"));
  for (const uint32_t size : {6u, 1u << 20, 1u << 30, 0x7fffffffu, 0xffffffffu,
                              0xfffffffeu, 0xffffffe5u}) {
    EncodeFixed(size, &bytes[kValueSizeAt]);
    Reseal(&bytes);
    EXPECT_FALSE(Decodes(bytes)) << size;
  }
  EncodeFixed(uint32_t{0}, &bytes[kValueSizeAt]);
  EncodeFixed(uint16_t{0xffff}, &bytes[kKeySizeAt]);
  Reseal(&bytes);
  EXPECT_FALSE(Decodes(bytes));
}

TEST_F(RecordTest, RandomBytesAreRejected) {
  ForEachRandomString(100'000, 64, [](const std::string& bytes) {
    EXPECT_FALSE(Decodes(bytes));
  });
}

TEST_F(RecordTest, RandomHeadersWithARightChecksumStayWithinTheirBytes) {
  int accepted = 0;
  ForEachRandomString(100'000, 600, [&](std::string bytes) {
    if (bytes.size() < kMaxRecordHeaderBytes) return;
    bytes[kKindAt] = static_cast<char>(bytes[kKindAt] & 7);
    bytes[kFlagsAt] = static_cast<char>(bytes[kFlagsAt] & 7);
    bytes[kKeySizeAt + 1] = 0;
    EncodeFixed(uint32_t{static_cast<uint8_t>(bytes[kValueSizeAt])},
                &bytes[kValueSizeAt]);
    Reseal(&bytes);
    RecordHeader header;
    if (!DecodeRecordHeader(bytes, Seed(), &header)) return;
    ++accepted;
    EXPECT_LE(header.record_size(), bytes.size());
    EXPECT_EQ(Encode(header).substr(0, header.header_size()),
              bytes.substr(0, header.header_size()));
  });
  EXPECT_GT(accepted, 1000);
}

TEST_F(RecordTest, BodyIsToldFromAnyOther) {
  const RecordHeader header = Header(RecordKind::kPut, "key", "value");
  EXPECT_TRUE(BodyMatches(header, "key", "value"));
  ForEachFlippedBit("keyvalue", [&](const std::string& damaged) {
    EXPECT_FALSE(BodyMatches(header, damaged.substr(0, 3), damaged.substr(3)));
  });
}

TEST_F(RecordTest, SyncMarkComesBackAsItWas) {
  char body[kSyncMarkBytes];
  EncodeSyncMark({9, 1 << 20, -5}, body);
  SyncMark mark;
  ASSERT_TRUE(DecodeSyncMark(std::string_view(body, sizeof(body)), &mark));
  EXPECT_EQ(mark.segment, 9u);
  EXPECT_EQ(mark.length, 1u << 20);
  EXPECT_EQ(mark.clock_floor_ms, -5);
}

TEST_F(RecordTest, SyncMarkOfAnotherSizeIsRejected) {
  SyncMark mark;
  EXPECT_FALSE(DecodeSyncMark(std::string(kSyncMarkBytes - 1, 'm'), &mark));
  EXPECT_FALSE(DecodeSyncMark(std::string(kSyncMarkBytes + 1, 'm'), &mark));
  EXPECT_FALSE(DecodeSyncMark("", &mark));
}

}  // namespace
}  // namespace stave
