#include "tests/fuzz/repair.h"

#include <cstddef>
#include <string_view>

#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/base/types.h"
#include "engine/format/checkpoint.h"
#include "engine/format/dictionary.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"

// Offsets of fields are those of FORMAT.md.

namespace stave {
namespace {

// CRC-32C of `number`, which other checksums go on from.
uint32_t ExtendByNumber(uint32_t crc, uint64_t number) {
  char bytes[8];
  EncodeFixed(number, bytes);
  return ExtendCrc32c(crc, std::string_view(bytes, sizeof(bytes)));
}

}  // namespace

uint64_t RepairRecord(uint64_t offset, uint32_t segment_seed,
                      std::string* bytes) {
  if (offset + kRecordHeaderBytes > bytes->size()) return 0;
  char* const record = bytes->data() + offset;
  const std::string_view rest = std::string_view(*bytes).substr(offset);
  const auto kind = static_cast<uint8_t>(record[4]);
  const bool expires = (record[5] & 1) != 0;
  const uint64_t key_at = kRecordHeaderBytes + (expires ? kExpiryBytes : 0);
  const uint64_t body_bytes = uint64_t{DecodeFixed<uint16_t>(record + 6)} +
                              DecodeFixed<uint32_t>(record + 12);
  if (key_at > rest.size()) return 0;
  const uint32_t seed = RecordSeed(segment_seed, offset);
  const bool is_frame = kind == static_cast<uint8_t>(RecordKind::kBatch);
  const bool fits = body_bytes <= rest.size() - key_at;
  if (!is_frame && fits) {
    EncodeFixed(Crc32c(rest.substr(key_at, body_bytes)) ^ seed, record + 8);
  }
  EncodeFixed(ExtendCrc32c(seed, rest.substr(4, key_at - 4)), record);
  if (is_frame) return offset + key_at;
  return fits ? AlignRecord(offset + key_at + body_bytes) : 0;
}

void RepairSegment(bool sequences, std::string* bytes) {
  if (bytes->size() < kSegmentHeaderBytes) return;
  SegmentHeader header;
  header.id = DecodeFixed<uint64_t>(bytes->data() + 16);
  header.salt = DecodeFixed<uint64_t>(bytes->data() + 24);
  bytes->replace(0, kSegmentHeaderBytes, EncodeSegmentHeader(header));
  const uint32_t seed = SegmentSeed(header.salt, header.id);
  uint64_t sequence = 0;
  for (uint64_t at = kSegmentHeaderBytes;
       at != 0 && at + kRecordHeaderBytes <= bytes->size();) {
    char* const record = bytes->data() + at;
    if (record[4] == 0) return;  // no record's kind
    if (sequence == 0 || !sequences) {
      sequence = DecodeFixed<uint64_t>(record + 16);
    }
    EncodeFixed(sequence++, record + 16);
    at = RepairRecord(at, seed, bytes);
  }
}

void RepairManifest(uint64_t number, std::string* bytes) {
  if (bytes->size() < kManifestHeaderBytes) return;
  bytes->replace(0, kManifestHeaderBytes, EncodeManifestHeader(number));
  for (uint64_t at = kManifestHeaderBytes;
       at + kEditHeaderBytes < bytes->size();) {
    const uint64_t size = DecodeFixed<uint32_t>(bytes->data() + at + 4);
    const uint64_t end = at + kEditHeaderBytes + size;
    if (size == 0 || end > bytes->size()) return;
    const uint32_t place = ExtendByNumber(ExtendByNumber(0, number), at);
    EncodeFixed(ExtendCrc32c(place, std::string_view(*bytes).substr(
                                        at + 4, end - at - 4)),
                bytes->data() + at);
    at = AlignRecord(end);
  }
}

void RepairCheckpoint(std::string* bytes) {
  if (bytes->size() < kCheckpointHeaderBytes) return;
  CheckpointHeader header;
  header.generation = DecodeFixed<uint64_t>(bytes->data() + 16);
  header.store_id = DecodeFixed<uint64_t>(bytes->data() + 24);
  header.end_sequence = DecodeFixed<uint64_t>(bytes->data() + 32);
  const auto keys = DecodeFixed<uint64_t>(bytes->data() + 40);
  if (keys > bytes->size()) return;
  if (DecodeFixed<uint16_t>(bytes->data() + 14) == 1) {
    header.kind = CheckpointKind::kOrdered;
    header.ordered_bytes = keys;
  } else {
    header.keys = keys;
  }
  header.segments = DecodeFixed<uint32_t>(bytes->data() + 48);
  header.pages = DecodeFixed<uint32_t>(bytes->data() + 52);
  header.secret_check = DecodeFixed<uint32_t>(bytes->data() + 60);
  if (header.file_bytes() != bytes->size()) return;
  const std::string_view all = *bytes;
  uint64_t at = header.keys_offset();
  for (uint64_t row = header.pages_offset(); row < all.size();
       row += kCheckpointPageBytes) {
    const uint64_t size =
        DecodeCheckpointPageExtent(header.kind, all.substr(row)).bytes;
    if (size > header.pages_offset() - at) return;
    // Both kinds of rows have it in the same place.
    EncodeFixed(CheckpointPageChecksum(header, at, all.substr(at, size)),
                bytes->data() + row + 8);
    at += size;
  }
  header.tables_checksum = CheckpointTablesChecksum(
      all.substr(header.segments_offset(),
                 header.keys_offset() - header.segments_offset()),
      all.substr(header.pages_offset()));
  bytes->replace(0, kCheckpointHeaderBytes, EncodeCheckpointHeader(header));
}

void RepairDictionary(std::string* bytes) {
  if (bytes->size() < kDictionaryHeaderBytes) return;
  const std::string_view all = *bytes;
  EncodeFixed(ExtendCrc32c(Crc32c(all.substr(0, 8)), all.substr(12)),
              bytes->data() + 8);
}

}  // namespace stave
