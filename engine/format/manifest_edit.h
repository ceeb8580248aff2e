#ifndef STAVE_ENGINE_FORMAT_MANIFEST_EDIT_H_
#define STAVE_ENGINE_FORMAT_MANIFEST_EDIT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/key_hash.h"
#include "engine/base/types.h"
#include "engine/format/segment_header.h"

namespace stave {

// Bytes <-> structs of manifests; FORMAT.md, "Manifest", draws them.
//
// A manifest is a header and a list of edits. An edit is a list of changes
// that take effect together, or, when it was torn, not at all.

// What stays for the life of a store, and the counters that a whole manifest
// starts from. The first change of a manifest, and only there.
struct BaseChange {
  uint64_t store_id = 0;  // random
  HashSecret hash_secret{};
  SegmentId next_segment_id = 1;
  Sequence sealed_through = 0;  // greatest sequence of all sealed log segments
  int64_t clock_floor_ms = 0;   // I12
};

// A new segment, durable before this edit. Log segments follow one another in
// the order of these changes.
struct AddSegmentChange {
  SegmentHeader header;
  // Known to be on the device when a whole manifest was written; else 0.
  uint64_t synced_length = 0;
};

// What a segment's records are, exactly, from its header to `length`.
struct SegmentSummary {
  uint64_t length = 0;
  Sequence least_sequence = 0;  // 0 when there are no records
  Sequence greatest_sequence = 0;
  uint64_t records = 0;
  // CRC-32C of all header checksums in their order, which cover all else.
  uint32_t chain_crc = 0;

  // Adds a record, whose header's checksum is given, before `length`, which
  // the caller sets.
  void Account(Sequence sequence, std::string_view header_checksum);

  friend bool operator==(const SegmentSummary&,
                         const SegmentSummary&) = default;
};

// The segment is complete and on the device.
struct SealSegmentChange {
  SegmentId id = 0;
  SegmentSummary summary;
};

// A merge's output, complete and on the device. It stands behind segment
// `after` in the order of the list: all records of its keys that are older
// stand before it, all that are newer behind it.
struct InstallSegmentChange {
  SegmentHeader header;
  SegmentSummary summary;
  SegmentId after = 0;
};

// The segment is no more; its file is to be unlinked.
struct RemoveSegmentChange {
  SegmentId id = 0;
};

// The file of a removed segment is durably gone, so nobody need look for it.
struct ForgetSegmentChange {
  SegmentId id = 0;
};

// The store was closed; the log ends in segment `id` as `summary` says, and
// goes on there. Void as soon as the file is longer or another edit follows.
struct CleanCloseChange {
  SegmentId id = 0;
  SegmentSummary summary;
};

// Time had reached this (I12).
struct ClockFloorChange {
  int64_t clock_floor_ms = 0;
};

// Everything of unsealed segment `id` before `length` is on the device.
struct SyncedChange {
  SegmentId id = 0;
  uint64_t length = 0;
};

// The store is a backup of another one, and nothing else was written to it.
struct BackupChange {
  // False until the first backup to this directory is whole.
  bool finished = false;
  uint64_t store_id = 0;  // of the store that it is a backup of
};

// A recovery went on behind record `since`, be it that it had to cut what was
// behind, or that nobody knows whether there had been more. From here on
// sequences count anew: what a feed has read of an earlier incarnation behind
// `since` is not what the log has there now.
struct IncarnationChange {
  uint64_t id = 0;  // random, not 0
  Sequence since = 0;
};

// Merges have taken puts and deletes of the log up to this sequence, perhaps
// not all of them, and none behind it.
struct MergedThroughChange {
  Sequence sequence = 0;
};

// A dictionary, durable before this edit, by which values are compressed from
// here on. It stays as long as the store.
struct DictionaryChange {
  uint32_t id = 0;        // 1 to 65,535
  uint32_t checksum = 0;  // of its file

  friend bool operator==(const DictionaryChange&,
                         const DictionaryChange&) = default;
};

using ManifestChange =
    std::variant<BaseChange, AddSegmentChange, SealSegmentChange,
                 RemoveSegmentChange, CleanCloseChange, ClockFloorChange,
                 ForgetSegmentChange, InstallSegmentChange, SyncedChange,
                 BackupChange, IncarnationChange, MergedThroughChange,
                 DictionaryChange>;
using ManifestEdit = std::vector<ManifestChange>;

inline constexpr size_t kManifestHeaderBytes = 16;
inline constexpr size_t kEditHeaderBytes = 8;

// The header of MANIFEST-<number>.
std::string EncodeManifestHeader(uint64_t number);
// InvalidArgument for a format version that this program does not know,
// DataLoss for anything else that is wrong.
absl::Status DecodeManifestHeader(std::string_view from, uint64_t number);

// An edit as it stands at `offset` of MANIFEST-<number>, padded to 8 bytes.
std::string EncodeManifestEdit(const ManifestEdit& edit, uint64_t number,
                               uint64_t offset);

// Reads the edit at the front of `from`, whose first byte is at `offset`, and
// its size with padding. DataLoss if there is no valid one; InvalidArgument if
// it is valid, but holds what this program does not know.
absl::StatusOr<ManifestEdit> DecodeManifestEdit(std::string_view from,
                                                uint64_t number,
                                                uint64_t offset, size_t* size);

}  // namespace stave

#endif  // STAVE_ENGINE_FORMAT_MANIFEST_EDIT_H_
