#include "engine/format/hint.h"

#include "absl/strings/str_cat.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/base/durability_site.h"
#include "stave/limits.h"

namespace stave {
namespace {

constexpr std::string_view kMagic = "STAVEHNT";
constexpr size_t kCrcAt = 8;
constexpr size_t kVersionAt = 12;
constexpr size_t kIdAt = 16;
constexpr size_t kSaltAt = 24;
constexpr size_t kLengthAt = 32;
constexpr size_t kLeastSequenceAt = 40;
constexpr size_t kGreatestSequenceAt = 48;
constexpr size_t kRecordsAt = 56;
constexpr size_t kChainAt = 64;
constexpr size_t kSecretCheckAt = 68;
constexpr size_t kEntriesAt = 72;
constexpr size_t kSizesAt = 76;
static_assert(kSizesAt + 4 == kHintHeaderBytes);

constexpr uint64_t kLeastLargeRecordBytes =
    HintEntry::kMaxExactSize + kRecordAlignment;

// The longest segment is one that a value or a batch of the greatest size was
// given to; its offsets and counts fit into 32 bits.
static_assert((kMaxSegmentSizeBytes + kMaxBatchBytes) / kRecordAlignment <=
              UINT32_MAX);

uint32_t HeaderCrc(std::string_view header) {
  return ExtendCrc32c(Crc32c(header.substr(0, kCrcAt)),
                      header.substr(kVersionAt, kHintHeaderBytes - kVersionAt));
}

}  // namespace

HintEntry::HintEntry(const KeyHash& hash, uint64_t offset,
                     const RecordHeader& header)
    : prefix_(hash.prefix) {
  uint64_t size = kTombstoneSize;
  if (header.kind == RecordKind::kPut) {
    size = header.record_size() > kMaxExactSize
               ? kLargeSize
               : header.record_size() / kRecordAlignment;
  }
  rest_ = uint64_t{hash.tag} << kTagShift | offset / kRecordAlignment << 8 |
          size << 1 | uint64_t{header.expires};
}

bool HintEntry::FitsIn(uint64_t length) const {
  uint64_t size = size_units() * kRecordAlignment;
  if (tombstone()) {
    if (expires()) return false;
    size = kLeastRecordBytes;
  } else if (size_units() == kLargeSize) {
    size = kLeastLargeRecordBytes;
  } else if (size < kLeastRecordBytes) {
    return false;
  }
  return offset() >= kSegmentHeaderBytes && size <= length &&
         offset() <= length - size;
}

std::string EncodeHintHeader(const HintHeader& header) {
  std::string bytes(kMagic);
  bytes.resize(kHintHeaderBytes, '\0');
  EncodeFixed(static_cast<uint16_t>(kFormatVersion), &bytes[kVersionAt]);
  EncodeFixed(header.segment.id, &bytes[kIdAt]);
  EncodeFixed(header.segment.salt, &bytes[kSaltAt]);
  EncodeFixed(header.summary.length, &bytes[kLengthAt]);
  EncodeFixed(header.summary.least_sequence, &bytes[kLeastSequenceAt]);
  EncodeFixed(header.summary.greatest_sequence, &bytes[kGreatestSequenceAt]);
  EncodeFixed(header.summary.records, &bytes[kRecordsAt]);
  EncodeFixed(header.summary.chain_crc, &bytes[kChainAt]);
  EncodeFixed(header.secret_check, &bytes[kSecretCheckAt]);
  EncodeFixed(header.entries, &bytes[kEntriesAt]);
  EncodeFixed(header.sizes, &bytes[kSizesAt]);
  EncodeFixed(HeaderCrc(bytes), &bytes[kCrcAt]);
  return bytes;
}

absl::StatusOr<HintHeader> DecodeHintHeader(std::string_view from) {
  if (from.size() < kHintHeaderBytes) {
    return absl::DataLossError(absl::StrCat("a hint file has at least ",
                                            kHintHeaderBytes,
                                            " bytes, this one ", from.size()));
  }
  if (!from.starts_with(kMagic)) {
    return absl::DataLossError("it does not begin as hint files do");
  }
  if (DURABILITY_SITE(
          kHintHeaderCheck,
          HeaderCrc(from) != DecodeFixed<uint32_t>(&from[kCrcAt]))) {
    return absl::DataLossError("wrong checksum of the hint file's header");
  }
  const auto version = DecodeFixed<uint32_t>(&from[kVersionAt]);
  if (version != kFormatVersion) {
    return absl::DataLossError(
        absl::StrCat("a hint file of format version ", version));
  }
  HintHeader header;
  header.segment.id = DecodeFixed<uint64_t>(&from[kIdAt]);
  header.segment.salt = DecodeFixed<uint64_t>(&from[kSaltAt]);
  header.summary.length = DecodeFixed<uint64_t>(&from[kLengthAt]);
  header.summary.least_sequence =
      DecodeFixed<uint64_t>(&from[kLeastSequenceAt]);
  header.summary.greatest_sequence =
      DecodeFixed<uint64_t>(&from[kGreatestSequenceAt]);
  header.summary.records = DecodeFixed<uint64_t>(&from[kRecordsAt]);
  header.summary.chain_crc = DecodeFixed<uint32_t>(&from[kChainAt]);
  header.secret_check = DecodeFixed<uint32_t>(&from[kSecretCheckAt]);
  header.entries = DecodeFixed<uint32_t>(&from[kEntriesAt]);
  header.sizes = DecodeFixed<uint32_t>(&from[kSizesAt]);
  const SegmentSummary& summary = header.summary;
  if (header.entries > summary.length / kLeastRecordBytes ||
      header.entries > summary.records ||
      header.sizes > summary.length / kLeastLargeRecordBytes) {
    return absl::DataLossError("the segment can't have so many records");
  }
  return header;
}

uint32_t HintBlockChecksum(uint32_t segment_seed, uint64_t index,
                           std::string_view block) {
  return ExtendCrc32c(
      RecordSeed(segment_seed, kHintHeaderBytes + index * kHintBlockBytes),
      block);
}

}  // namespace stave
