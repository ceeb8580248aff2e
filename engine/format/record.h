#ifndef STAVE_ENGINE_FORMAT_RECORD_H_
#define STAVE_ENGINE_FORMAT_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/types.h"

namespace stave {

// Bytes <-> structs of records; FORMAT.md, "Record", draws them.

enum class RecordKind : uint8_t {
  kPut = 1,
  kDelete = 2,
  kBatch = 3,     // frame: its body is the batch's records
  kSyncMark = 4,  // says what was on the device when it was written
};

inline constexpr size_t kRecordHeaderBytes = 24;
inline constexpr size_t kExpiryBytes = 8;
inline constexpr size_t kMaxRecordHeaderBytes =
    kRecordHeaderBytes + kExpiryBytes;
// Of a record that has a key, which has at least one byte.
inline constexpr uint64_t kLeastRecordBytes =
    AlignRecord(uint64_t{kRecordHeaderBytes} + 1);

struct RecordHeader {
  RecordKind kind = RecordKind::kPut;
  bool expires = false;
  uint16_t key_size = 0;
  uint32_t value_size = 0;
  // CRC-32C of key and value; of a batch frame, the number of its records.
  uint32_t body = 0;
  Sequence sequence = 0;
  int64_t expire_at_ms = 0;  // Unix time; 0 unless `expires`

  size_t header_size() const {
    return kRecordHeaderBytes + (expires ? kExpiryBytes : 0);
  }
  uint64_t body_size() const { return uint64_t{key_size} + value_size; }
  // From the header's first byte to the next record's.
  uint64_t record_size() const {
    return AlignRecord(header_size() + body_size());
  }
};

// Checksums of a segment start from its seed, those of a record from one
// that its offset was mixed into as well: bytes that belong to another place,
// segment or store fail them (I2).
uint32_t SegmentSeed(uint64_t salt, SegmentId id);
uint32_t RecordSeed(uint32_t segment_seed, uint64_t offset);

// Writes header.header_size() bytes.
void EncodeRecordHeader(const RecordHeader& header, uint32_t record_seed,
                        char* to);

// Reads the header at the front of `from`, which reaches to the end of the
// segment. False, and nothing is known, unless its checksum is right and the
// whole record lies within `from`. Trusts no byte before that.
bool DecodeRecordHeader(std::string_view from, uint32_t record_seed,
                        RecordHeader* header);
// The same where only the header is at hand (kMaxRecordHeaderBytes, or all
// there are), and the record may take `size` bytes.
bool DecodeRecordHeader(std::string_view from, uint64_t size,
                        uint32_t record_seed, RecordHeader* header);

// False for nearly all bytes that are no header: what a search among any bytes
// asks first. `from` has 8 bytes.
inline bool MayBeRecordHeader(const char* from) {
  const auto kind = static_cast<uint8_t>(from[4]);
  return kind >= static_cast<uint8_t>(RecordKind::kPut) &&
         kind <= static_cast<uint8_t>(RecordKind::kSyncMark) &&
         static_cast<uint8_t>(from[5]) <= 1;  // flags
}

// RecordHeader::body of a record with this key and value.
uint32_t BodyChecksum(std::string_view key, std::string_view value);

// Whether key and value are those that `header` was written for.
bool BodyMatches(const RecordHeader& header, std::string_view key,
                 std::string_view value);

// The body of a sync mark: when it was written, all of the log before
// `length` in segment `segment` was on the device, and time had reached
// `clock_floor_ms` (I12).
struct SyncMark {
  SegmentId segment = 0;
  uint64_t length = 0;
  int64_t clock_floor_ms = 0;
};

inline constexpr size_t kSyncMarkBytes = 24;
inline constexpr size_t kSyncMarkRecordBytes =
    kRecordHeaderBytes + kSyncMarkBytes;

void EncodeSyncMark(const SyncMark& mark, char* to);
bool DecodeSyncMark(std::string_view body, SyncMark* mark);

}  // namespace stave

#endif  // STAVE_ENGINE_FORMAT_RECORD_H_
