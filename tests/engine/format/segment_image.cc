#include "tests/engine/format/segment_image.h"

namespace stave {

SegmentImage::SegmentImage(const SegmentHeader& header, Sequence first_sequence)
    : header_(header),
      next_sequence_(first_sequence),
      bytes_(EncodeSegmentHeader(header)) {}

uint64_t SegmentImage::Put(std::string_view key, std::string_view value) {
  return Append(RecordHeader(), key, value);
}

uint64_t SegmentImage::PutExpiring(std::string_view key, std::string_view value,
                                   int64_t expire_at_ms) {
  RecordHeader header;
  header.expires = true;
  header.expire_at_ms = expire_at_ms;
  return Append(header, key, value);
}

uint64_t SegmentImage::Delete(std::string_view key) {
  RecordHeader header;
  header.kind = RecordKind::kDelete;
  return Append(header, key, {});
}

uint64_t SegmentImage::Mark(uint64_t length) {
  return Mark(SyncMark{header_.id, length, /*clock_floor_ms=*/0});
}

uint64_t SegmentImage::Mark(const SyncMark& mark) {
  char body[kSyncMarkBytes];
  EncodeSyncMark(mark, body);
  RecordHeader header;
  header.kind = RecordKind::kSyncMark;
  return Append(header, {}, std::string_view(body, sizeof(body)));
}

uint64_t SegmentImage::Batch(const std::function<void()>& add_records,
                             std::optional<uint32_t> claimed_records) {
  const uint64_t offset = bytes_.size();
  RecordHeader frame;
  frame.kind = RecordKind::kBatch;
  frame.sequence = next_sequence_++;
  bytes_.append(kRecordHeaderBytes, '\0');
  const uint32_t records_before = records_;
  add_records();
  frame.body = claimed_records.value_or(records_ - records_before);
  frame.value_size =
      static_cast<uint32_t>(bytes_.size() - offset - kRecordHeaderBytes);
  EncodeRecordHeader(frame, RecordSeed(seed(), offset), &bytes_[offset]);
  return offset;
}

uint64_t SegmentImage::Append(RecordHeader header, std::string_view key,
                              std::string_view value) {
  const uint64_t offset = bytes_.size();
  header.key_size = static_cast<uint16_t>(key.size());
  header.value_size = static_cast<uint32_t>(value.size());
  header.body = BodyChecksum(key, value);
  header.sequence = next_sequence_++;
  bytes_.append(header.header_size(), '\0');
  EncodeRecordHeader(header, RecordSeed(seed(), offset), &bytes_[offset]);
  bytes_.append(key).append(value);
  bytes_.resize(AlignRecord(bytes_.size()), '\0');
  ++records_;
  return offset;
}

}  // namespace stave
