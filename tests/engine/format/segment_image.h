#ifndef STAVE_TESTS_ENGINE_FORMAT_SEGMENT_IMAGE_H_
#define STAVE_TESTS_ENGINE_FORMAT_SEGMENT_IMAGE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/types.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"

namespace stave {

// A segment's bytes, made in memory, a record at a time: what a writer would
// make, and where a test wants it, what no writer makes.
//
//   SegmentImage image;
//   image.Put("a", "1");
//   image.Batch([&] {
//     image.Put("b", "2");
//     image.Delete("a");
//   });
//
// What adds a record gives it the next sequence and returns its offset.
class SegmentImage {
 public:
  explicit SegmentImage(const SegmentHeader& header = {SegmentKind::kLog, 7,
                                                       0x5a17},
                        Sequence first_sequence = 1);

  uint64_t Put(std::string_view key, std::string_view value);
  uint64_t PutExpiring(std::string_view key, std::string_view value,
                       int64_t expire_at_ms);
  uint64_t Delete(std::string_view key);
  // A sync mark of this segment, or of another one.
  uint64_t Mark(uint64_t length);
  uint64_t Mark(const SyncMark& mark);
  // Frames what `add_records` adds. The frame says that these are so many,
  // unless it is told to say something else.
  uint64_t Batch(const std::function<void()>& add_records,
                 std::optional<uint32_t> claimed_records = std::nullopt);
  // Any record; its sequence is set here.
  uint64_t Append(RecordHeader header, std::string_view key,
                  std::string_view value);

  void SkipSequence() { ++next_sequence_; }
  void SetNextSequence(Sequence sequence) { next_sequence_ = sequence; }
  void AddZeros(size_t count) { bytes_.append(count, '\0'); }

  const SegmentHeader& header() const { return header_; }
  uint32_t seed() const { return SegmentSeed(header_.salt, header_.id); }
  std::string& bytes() { return bytes_; }
  const std::string& bytes() const { return bytes_; }
  uint64_t size() const { return bytes_.size(); }

 private:
  const SegmentHeader header_;
  Sequence next_sequence_;
  uint32_t records_ = 0;  // frames do not count
  std::string bytes_;
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_FORMAT_SEGMENT_IMAGE_H_
