#ifndef STAVE_ENGINE_FORMAT_HINT_H_
#define STAVE_ENGINE_FORMAT_HINT_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/key_hash.h"
#include "engine/base/types.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"

namespace stave {

// Bytes <-> structs of hint files; FORMAT.md, "Hint file", draws them.
//
// A hint file tells what the keydir needs to know of a sealed segment. It is a
// header, an entry for each key's last record in the segment, in the order of
// the keys' hashes, the sizes of large records, and a checksum for each block
// of entries and sizes.

// A key's last record in a segment, as the keydir would have it.
class HintEntry {
 public:
  // Sizes are kept exactly, in units of 8 bytes, up to this many bytes.
  static constexpr uint64_t kMaxExactSize = 1008;

  HintEntry() = default;
  // `header` is that of a put or a delete at `offset`.
  HintEntry(const KeyHash& hash, uint64_t offset, const RecordHeader& header);
  // The least entry that any key of this hash could have.
  static HintEntry LeastOf(const KeyHash& hash) {
    HintEntry entry;
    entry.prefix_ = hash.prefix;
    entry.rest_ = uint64_t{hash.tag} << kTagShift;
    return entry;
  }

  KeyHash hash() const {
    return {prefix_, static_cast<uint16_t>(rest_ >> kTagShift)};
  }
  uint64_t prefix() const { return prefix_; }
  // Offset / 8, size and expiry: a KeydirEntry's bits, if the location of the
  // segment's first byte were 0.
  uint64_t keydir_bits() const {
    return rest_ & ((uint64_t{1} << kTagShift) - 1);
  }
  uint64_t offset() const { return keydir_bits() >> 8 << 3; }
  bool tombstone() const { return size_units() == kTombstoneSize; }
  bool expires() const { return (rest_ & 1) != 0; }
  // The record's size in bytes; 0: too large, or a tombstone's.
  uint64_t exact_size() const {
    return size_units() == kLargeSize || tombstone()
               ? 0
               : size_units() * kRecordAlignment;
  }

  bool IsOfSameKeyAs(const HintEntry& other) const {
    return prefix_ == other.prefix_ && (rest_ ^ other.rest_) >> kTagShift == 0;
  }
  // Whether it can be a record of a segment of `length` bytes.
  bool FitsIn(uint64_t length) const;

  // By hash, then by offset.
  friend auto operator<=>(const HintEntry&, const HintEntry&) = default;

 private:
  static constexpr int kTagShift = 48;
  static constexpr uint64_t kTombstoneSize = 1;
  static constexpr uint64_t kLargeSize = 127;

  uint64_t size_units() const { return rest_ >> 1 & 127; }

  // As they are on disk.
  uint64_t prefix_ = 0;
  uint64_t rest_ = 0;  // tag, offset / 8, size in units of 8, expiry
};
static_assert(sizeof(HintEntry) == 16);

// A put of more than HintEntry::kMaxExactSize bytes. As it is on disk.
struct HintedSize {
  uint32_t offset_units = 0;
  uint32_t size_units = 0;
};
static_assert(sizeof(HintedSize) == 8);

inline constexpr size_t kHintHeaderBytes = 80;
inline constexpr size_t kHintBlockBytes = 4096;

struct HintHeader {
  SegmentHeader segment;
  SegmentSummary summary;
  // Tells the secret that the keys were hashed with from others.
  uint32_t secret_check = 0;
  uint32_t entries = 0;
  uint32_t sizes = 0;

  // Of entries and sizes, which start behind the header.
  uint64_t body_bytes() const {
    return uint64_t{entries} * sizeof(HintEntry) +
           uint64_t{sizes} * sizeof(HintedSize);
  }
  uint64_t blocks() const {
    return (body_bytes() + kHintBlockBytes - 1) / kHintBlockBytes;
  }
  uint64_t file_bytes() const {
    return kHintHeaderBytes + body_bytes() + blocks() * sizeof(uint32_t);
  }
};

std::string EncodeHintHeader(const HintHeader& header);

// DataLoss with what was found. The header's counts are such that a segment of
// its length could have so many records.
absl::StatusOr<HintHeader> DecodeHintHeader(std::string_view from);

// The checksum of block number `index`, of these bytes.
uint32_t HintBlockChecksum(uint32_t segment_seed, uint64_t index,
                           std::string_view block);

}  // namespace stave

#endif  // STAVE_ENGINE_FORMAT_HINT_H_
