#ifndef STAVE_ENGINE_BASE_TYPES_H_
#define STAVE_ENGINE_BASE_TYPES_H_

#include <cstddef>
#include <cstdint>

namespace stave {

// Number of a segment, unique in the life of a store and never used again.
using SegmentId = uint64_t;

// Number of a record in log order. The first record of a store has sequence 1;
// each following record of the log has the next one (I1).
using Sequence = uint64_t;

// Records start on multiples of this many bytes.
inline constexpr size_t kRecordAlignment = 8;

// Bits of a Location: 2^40 units of 8 bytes, 8 TiB.
inline constexpr int kLocationBits = 40;

// Where a record lies: a number of 8-byte units in the store's one space of
// locations, in which each segment has a range of its own while it is open.
// Locations live in memory only; on disk a record is a segment and an offset.
struct Location {
  uint64_t unit = 0;

  friend bool operator==(Location a, Location b) { return a.unit == b.unit; }
};

// `size` rounded up to the alignment of records.
constexpr uint64_t AlignRecord(uint64_t size) {
  return (size + kRecordAlignment - 1) & ~uint64_t{kRecordAlignment - 1};
}

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_TYPES_H_
