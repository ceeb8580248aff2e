#ifndef STAVE_ENGINE_FORMAT_CHECKPOINT_H_
#define STAVE_ENGINE_FORMAT_CHECKPOINT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/types.h"
#include "engine/format/manifest_edit.h"

namespace stave {

// Bytes <-> structs of keydir checkpoints; FORMAT.md, "Keydir checkpoint",
// draws them.
//
// A checkpoint is the keydir at some time, as far as sealed segments go: a
// header, a table of these segments, the keys with their entries, page by page,
// and a table of these pages with a checksum each.

// Of which kind of keydir: pages of hashes, or of keys in their order
// (ordered_checkpoint_page.h).
enum class CheckpointKind : uint16_t { kHashed = 0, kOrdered = 1 };

struct CheckpointHeader {
  CheckpointKind kind = CheckpointKind::kHashed;
  uint64_t generation = 0;
  uint64_t store_id = 0;
  Sequence end_sequence = 0;   // the log must reach it
  uint64_t keys = 0;           // kHashed alone: others' pages tell
  uint64_t ordered_bytes = 0;  // kOrdered alone: of all pages
  uint32_t segments = 0;
  uint32_t pages = 0;
  uint32_t tables_checksum = 0;
  // Tells the secret that the keys were hashed with from others.
  uint32_t secret_check = 0;

  uint64_t segments_offset() const;
  uint64_t keys_offset() const;
  uint64_t pages_offset() const;
  uint64_t file_bytes() const;

  friend bool operator==(const CheckpointHeader&,
                         const CheckpointHeader&) = default;
};

// A segment, and what the keydir knows of it besides its keys.
struct CheckpointSegment {
  SegmentId id = 0;
  uint64_t salt = 0;
  SegmentSummary summary;
  uint64_t live_bytes = 0;

  friend bool operator==(const CheckpointSegment&,
                         const CheckpointSegment&) = default;
};

// Keys whose stretched hashes begin with the same `bits` bits as `begin`.
struct CheckpointPage {
  uint64_t begin = 0;
  uint32_t checksum = 0;
  uint16_t keys = 0;
  uint8_t bits = 0;

  friend bool operator==(const CheckpointPage&,
                         const CheckpointPage&) = default;
};

// Neighbours in the order of keys.
struct OrderedCheckpointPage {
  uint64_t bytes = 0;
  uint32_t checksum = 0;
  uint32_t keys = 0;

  friend bool operator==(const OrderedCheckpointPage&,
                         const OrderedCheckpointPage&) = default;
};

inline constexpr size_t kCheckpointHeaderBytes = 64;
inline constexpr size_t kCheckpointSegmentBytes = 64;
inline constexpr size_t kCheckpointPageBytes = 16;
inline constexpr size_t kCheckpointKeyBytes = 16;

// Locations in checkpoints count in a space of their own: each segment begins
// at the next multiple of 1 MiB behind the one before it, the first at 1 MiB.
inline constexpr int kCheckpointGranuleUnitBits = 17;
inline constexpr uint64_t CheckpointGranules(uint64_t length) {
  constexpr int kShift = kCheckpointGranuleUnitBits + 3;
  return (length >> kShift) + ((length & ((1 << kShift) - 1)) != 0 ? 1 : 0);
}

std::string EncodeCheckpointHeader(const CheckpointHeader& header);
// DataLoss with what was found. The numbers of things are such that
// file_bytes() does not overflow.
absl::StatusOr<CheckpointHeader> DecodeCheckpointHeader(std::string_view from);

void AppendCheckpointSegment(const CheckpointSegment& segment, std::string* to);
void AppendCheckpointPage(const CheckpointPage& page, std::string* to);
void AppendCheckpointPage(const OrderedCheckpointPage& page, std::string* to);
// What stands at the front of `from`, which is long enough.
CheckpointSegment DecodeCheckpointSegment(std::string_view from);
CheckpointPage DecodeCheckpointPage(std::string_view from);
OrderedCheckpointPage DecodeOrderedCheckpointPage(std::string_view from);

// What the row of a page says of its bytes, in either kind.
struct CheckpointPageExtent {
  uint64_t bytes = 0;
  uint32_t checksum = 0;
};
CheckpointPageExtent DecodeCheckpointPageExtent(CheckpointKind kind,
                                                std::string_view from);

// Of both tables, as the header has it.
uint32_t CheckpointTablesChecksum(std::string_view segments,
                                  std::string_view pages);
// Of a page's bytes, which are at `offset` in the file.
uint32_t CheckpointPageChecksum(const CheckpointHeader& header, uint64_t offset,
                                std::string_view keys);

}  // namespace stave

#endif  // STAVE_ENGINE_FORMAT_CHECKPOINT_H_
