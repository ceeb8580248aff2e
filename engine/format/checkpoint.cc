#include "engine/format/checkpoint.h"

#include "absl/strings/str_cat.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/format/segment_header.h"

namespace stave {
namespace {

constexpr std::string_view kMagic = "STAVEKEY";
constexpr size_t kCrcAt = 8;
constexpr size_t kVersionAt = 12;
constexpr size_t kKindAt = 14;
constexpr size_t kGenerationAt = 16;
constexpr size_t kStoreIdAt = 24;
constexpr size_t kEndSequenceAt = 32;
constexpr size_t kKeysAt = 40;
constexpr size_t kSegmentsAt = 48;
constexpr size_t kPagesAt = 52;
constexpr size_t kTablesAt = 56;
constexpr size_t kSecretCheckAt = 60;
static_assert(kSecretCheckAt + 4 == kCheckpointHeaderBytes);

// More than a store of all the segments that there can be has room for.
constexpr uint64_t kMaxKeys = uint64_t{1} << 40;
constexpr uint64_t kMaxOrderedBytes = uint64_t{1} << 48;

uint32_t HeaderCrc(std::string_view header) {
  return ExtendCrc32c(
      Crc32c(header.substr(0, kCrcAt)),
      header.substr(kVersionAt, kCheckpointHeaderBytes - kVersionAt));
}

}  // namespace

uint64_t CheckpointHeader::segments_offset() const {
  return kCheckpointHeaderBytes;
}

uint64_t CheckpointHeader::keys_offset() const {
  return segments_offset() + uint64_t{segments} * kCheckpointSegmentBytes;
}

uint64_t CheckpointHeader::pages_offset() const {
  return keys_offset() + keys * kCheckpointKeyBytes + ordered_bytes;
}

uint64_t CheckpointHeader::file_bytes() const {
  return pages_offset() + uint64_t{pages} * kCheckpointPageBytes;
}

std::string EncodeCheckpointHeader(const CheckpointHeader& header) {
  std::string bytes(kMagic);
  bytes.resize(kCheckpointHeaderBytes, '\0');
  const bool is_ordered = header.kind == CheckpointKind::kOrdered;
  EncodeFixed(static_cast<uint16_t>(kFormatVersion), &bytes[kVersionAt]);
  EncodeFixed(static_cast<uint16_t>(header.kind), &bytes[kKindAt]);
  EncodeFixed(header.generation, &bytes[kGenerationAt]);
  EncodeFixed(header.store_id, &bytes[kStoreIdAt]);
  EncodeFixed(header.end_sequence, &bytes[kEndSequenceAt]);
  EncodeFixed(is_ordered ? header.ordered_bytes : header.keys, &bytes[kKeysAt]);
  EncodeFixed(header.segments, &bytes[kSegmentsAt]);
  EncodeFixed(header.pages, &bytes[kPagesAt]);
  EncodeFixed(header.tables_checksum, &bytes[kTablesAt]);
  EncodeFixed(header.secret_check, &bytes[kSecretCheckAt]);
  EncodeFixed(HeaderCrc(bytes), &bytes[kCrcAt]);
  return bytes;
}

absl::StatusOr<CheckpointHeader> DecodeCheckpointHeader(std::string_view from) {
  if (from.size() < kCheckpointHeaderBytes) {
    return absl::DataLossError(absl::StrCat("a keydir checkpoint has at least ",
                                            kCheckpointHeaderBytes,
                                            " bytes, this one ", from.size()));
  }
  if (!from.starts_with(kMagic)) {
    return absl::DataLossError("it does not begin as keydir checkpoints do");
  }
  if (HeaderCrc(from) != DecodeFixed<uint32_t>(&from[kCrcAt])) {
    return absl::DataLossError("wrong checksum of the checkpoint's header");
  }
  const auto version = DecodeFixed<uint16_t>(&from[kVersionAt]);
  if (version != kFormatVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("a keydir checkpoint of format version ", version));
  }
  const auto kind = DecodeFixed<uint16_t>(&from[kKindAt]);
  if (kind > static_cast<uint16_t>(CheckpointKind::kOrdered)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a keydir checkpoint of unknown kind ", kind));
  }
  CheckpointHeader header;
  header.kind = CheckpointKind{kind};
  const bool is_ordered = header.kind == CheckpointKind::kOrdered;
  header.generation = DecodeFixed<uint64_t>(&from[kGenerationAt]);
  header.store_id = DecodeFixed<uint64_t>(&from[kStoreIdAt]);
  header.end_sequence = DecodeFixed<uint64_t>(&from[kEndSequenceAt]);
  (is_ordered ? header.ordered_bytes : header.keys) =
      DecodeFixed<uint64_t>(&from[kKeysAt]);
  header.segments = DecodeFixed<uint32_t>(&from[kSegmentsAt]);
  header.pages = DecodeFixed<uint32_t>(&from[kPagesAt]);
  header.tables_checksum = DecodeFixed<uint32_t>(&from[kTablesAt]);
  header.secret_check = DecodeFixed<uint32_t>(&from[kSecretCheckAt]);
  if (header.keys > kMaxKeys || header.ordered_bytes > kMaxOrderedBytes ||
      header.pages > (is_ordered ? header.ordered_bytes : header.keys)) {
    return absl::DataLossError("a keydir can't have so many keys or pages");
  }
  return header;
}

void AppendCheckpointSegment(const CheckpointSegment& segment,
                             std::string* to) {
  AppendFixed(segment.id, to);
  AppendFixed(segment.salt, to);
  AppendFixed(segment.summary.length, to);
  AppendFixed(segment.summary.least_sequence, to);
  AppendFixed(segment.summary.greatest_sequence, to);
  AppendFixed(segment.summary.records, to);
  AppendFixed(segment.live_bytes, to);
  AppendFixed(segment.summary.chain_crc, to);
  AppendFixed(uint32_t{0}, to);
}

CheckpointSegment DecodeCheckpointSegment(std::string_view from) {
  CheckpointSegment segment;
  segment.id = DecodeFixed<uint64_t>(&from[0]);
  segment.salt = DecodeFixed<uint64_t>(&from[8]);
  segment.summary.length = DecodeFixed<uint64_t>(&from[16]);
  segment.summary.least_sequence = DecodeFixed<uint64_t>(&from[24]);
  segment.summary.greatest_sequence = DecodeFixed<uint64_t>(&from[32]);
  segment.summary.records = DecodeFixed<uint64_t>(&from[40]);
  segment.live_bytes = DecodeFixed<uint64_t>(&from[48]);
  segment.summary.chain_crc = DecodeFixed<uint32_t>(&from[56]);
  return segment;
}

void AppendCheckpointPage(const CheckpointPage& page, std::string* to) {
  AppendFixed(page.begin, to);
  AppendFixed(page.checksum, to);
  AppendFixed(page.keys, to);
  AppendFixed(page.bits, to);
  AppendFixed(uint8_t{0}, to);
}

CheckpointPage DecodeCheckpointPage(std::string_view from) {
  CheckpointPage page;
  page.begin = DecodeFixed<uint64_t>(&from[0]);
  page.checksum = DecodeFixed<uint32_t>(&from[8]);
  page.keys = DecodeFixed<uint16_t>(&from[12]);
  page.bits = DecodeFixed<uint8_t>(&from[14]);
  return page;
}

void AppendCheckpointPage(const OrderedCheckpointPage& page, std::string* to) {
  AppendFixed(page.bytes, to);
  AppendFixed(page.checksum, to);
  AppendFixed(page.keys, to);
}

OrderedCheckpointPage DecodeOrderedCheckpointPage(std::string_view from) {
  OrderedCheckpointPage page;
  page.bytes = DecodeFixed<uint64_t>(&from[0]);
  page.checksum = DecodeFixed<uint32_t>(&from[8]);
  page.keys = DecodeFixed<uint32_t>(&from[12]);
  return page;
}

CheckpointPageExtent DecodeCheckpointPageExtent(CheckpointKind kind,
                                                std::string_view from) {
  if (kind == CheckpointKind::kOrdered) {
    const OrderedCheckpointPage page = DecodeOrderedCheckpointPage(from);
    return {page.bytes, page.checksum};
  }
  const CheckpointPage page = DecodeCheckpointPage(from);
  return {page.keys * kCheckpointKeyBytes, page.checksum};
}

uint32_t CheckpointTablesChecksum(std::string_view segments,
                                  std::string_view pages) {
  return ExtendCrc32c(Crc32c(segments), pages);
}

uint32_t CheckpointPageChecksum(const CheckpointHeader& header, uint64_t offset,
                                std::string_view keys) {
  char place[3 * sizeof(uint64_t)];
  EncodeFixed(header.store_id, place);
  EncodeFixed(header.generation, place + 8);
  EncodeFixed(offset, place + 16);
  return ExtendCrc32c(Crc32c(std::string_view(place, sizeof(place))), keys);
}

}  // namespace stave
