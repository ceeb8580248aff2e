#include "engine/format/record.h"

#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/base/durability_site.h"
#include "stave/limits.h"

namespace stave {
namespace {

// Offsets of the header's fields, as FORMAT.md draws them.
constexpr size_t kHeaderCrcAt = 0;
constexpr size_t kKindAt = 4;
constexpr size_t kFlagsAt = 5;
constexpr size_t kKeySizeAt = 6;
constexpr size_t kBodyAt = 8;
constexpr size_t kValueSizeAt = 12;
constexpr size_t kSequenceAt = 16;
constexpr size_t kExpiryAt = 24;
static_assert(kExpiryAt == kRecordHeaderBytes);

constexpr uint8_t kExpiresFlag = 1;
constexpr uint8_t kZstdFlag = 2;
constexpr uint8_t kLz4Flag = 4;

uint8_t FlagsOf(const RecordHeader& header) {
  uint8_t flags = header.expires ? kExpiresFlag : 0;
  if (header.compression == Compression::kZstd) flags |= kZstdFlag;
  if (header.compression == Compression::kLz4) flags |= kLz4Flag;
  return flags;
}

// False if no record has these.
bool DecodeFlags(uint8_t flags, RecordHeader* header) {
  header->expires = (flags & kExpiresFlag) != 0;
  switch (flags & ~kExpiresFlag) {
    case 0:
      header->compression = Compression::kNone;
      return true;
    case kZstdFlag:
      header->compression = Compression::kZstd;
      return true;
    case kLz4Flag:
      header->compression = Compression::kLz4;
      return true;
    default:
      return false;
  }
}

bool KnownKind(uint8_t kind) {
  return kind >= static_cast<uint8_t>(RecordKind::kPut) &&
         kind <= static_cast<uint8_t>(RecordKind::kSyncMark);
}

// The field holds the plain checksum xor the record's seed, so that it is
// bound to the record's place though it was computed before that was known.
bool BodyIsChecksum(RecordKind kind) { return kind != RecordKind::kBatch; }

bool ShapeIsAllowed(const RecordHeader& header) {
  const bool has_flags =
      header.expires || header.compression != Compression::kNone;
  if (has_flags && header.kind != RecordKind::kPut) return false;
  switch (header.kind) {
    case RecordKind::kPut:
      return header.key_size > 0 && header.value_size <= kMaxValueBytes;
    case RecordKind::kDelete:
      return header.key_size > 0 && header.value_size == 0;
    case RecordKind::kBatch:
      return header.key_size == 0 && header.value_size <= kMaxBatchBytes;
    case RecordKind::kSyncMark:
      return header.key_size == 0 && header.value_size == kSyncMarkBytes;
  }
  return false;
}

}  // namespace

uint32_t SegmentSeed(uint64_t salt, SegmentId id) {
  char bytes[16];
  EncodeFixed(DURABILITY_SITE(kSaltSeed, salt), bytes);
  EncodeFixed(DURABILITY_SITE(kIdSeed, id), bytes + 8);
  return Crc32c(std::string_view(bytes, sizeof(bytes)));
}

uint32_t RecordSeed(uint32_t segment_seed, uint64_t offset) {
  char bytes[8];
  EncodeFixed(DURABILITY_SITE(kOffsetSeed, offset), bytes);
  return ExtendCrc32c(segment_seed, std::string_view(bytes, sizeof(bytes)));
}

void EncodeRecordHeader(const RecordHeader& header, uint32_t record_seed,
                        char* to) {
  EncodeFixed(static_cast<uint8_t>(header.kind), to + kKindAt);
  EncodeFixed(FlagsOf(header), to + kFlagsAt);
  EncodeFixed(header.key_size, to + kKeySizeAt);
  const uint32_t body =
      BodyIsChecksum(header.kind) ? header.body ^ record_seed : header.body;
  EncodeFixed(body, to + kBodyAt);
  EncodeFixed(header.value_size, to + kValueSizeAt);
  EncodeFixed(header.sequence, to + kSequenceAt);
  if (header.expires) EncodeFixed(header.expire_at_ms, to + kExpiryAt);
  const std::string_view covered(to + kKindAt, header.header_size() - kKindAt);
  EncodeFixed(ExtendCrc32c(record_seed, covered), to + kHeaderCrcAt);
}

bool DecodeRecordHeader(std::string_view from, uint32_t record_seed,
                        RecordHeader* header) {
  return DecodeRecordHeader(from, from.size(), record_seed, header);
}

bool DecodeRecordHeader(std::string_view from, uint64_t size,
                        uint32_t record_seed, RecordHeader* header) {
  if (from.size() < kRecordHeaderBytes) return false;
  const auto kind = DecodeFixed<uint8_t>(from.data() + kKindAt);
  const auto flags = DecodeFixed<uint8_t>(from.data() + kFlagsAt);
  if (!KnownKind(kind) || !DecodeFlags(flags, header)) return false;
  header->kind = static_cast<RecordKind>(kind);
  const size_t header_size = header->header_size();
  if (from.size() < header_size) return false;
  const std::string_view covered = from.substr(kKindAt, header_size - kKindAt);
  const uint32_t crc = ExtendCrc32c(record_seed, covered);
  const auto stored = DecodeFixed<uint32_t>(from.data() + kHeaderCrcAt);
  if (DURABILITY_SITE(kRecordHeaderCheck, crc != stored)) return false;
  header->key_size = DecodeFixed<uint16_t>(from.data() + kKeySizeAt);
  header->value_size = DecodeFixed<uint32_t>(from.data() + kValueSizeAt);
  header->body = DecodeFixed<uint32_t>(from.data() + kBodyAt);
  if (BodyIsChecksum(header->kind)) header->body ^= record_seed;
  header->sequence = DecodeFixed<uint64_t>(from.data() + kSequenceAt);
  header->expire_at_ms =
      header->expires ? DecodeFixed<int64_t>(from.data() + kExpiryAt) : 0;
  return ShapeIsAllowed(*header) && header->record_size() <= size;
}

uint32_t BodyChecksum(std::string_view key, std::string_view value) {
  return ExtendCrc32c(Crc32c(key), value);
}

bool BodyMatches(const RecordHeader& header, std::string_view key,
                 std::string_view value) {
  // Mostly they lie in their record, one behind the other.
  const bool is_one = key.data() + key.size() == value.data();
  const uint32_t checksum =
      is_one ? Crc32c({key.data(), key.size() + value.size()})
             : BodyChecksum(key, value);
  return checksum == header.body;
}

void EncodeSyncMark(const SyncMark& mark, char* to) {
  EncodeFixed(mark.segment, to);
  EncodeFixed(mark.length, to + 8);
  EncodeFixed(mark.clock_floor_ms, to + 16);
}

bool DecodeSyncMark(std::string_view body, SyncMark* mark) {
  return ConsumeFixed(&body, &mark->segment) &&
         ConsumeFixed(&body, &mark->length) &&
         ConsumeFixed(&body, &mark->clock_floor_ms) && body.empty();
}

}  // namespace stave
