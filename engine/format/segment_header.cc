#include "engine/format/segment_header.h"

#include "absl/strings/str_cat.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/base/durability_site.h"

namespace stave {
namespace {

constexpr std::string_view kMagic = "STAVESEG";
constexpr size_t kCrcAt = 8;
constexpr size_t kVersionAt = 12;
constexpr size_t kKindAt = 14;
constexpr size_t kIdAt = 16;
constexpr size_t kSaltAt = 24;

uint32_t HeaderCrc(std::string_view header) {
  return ExtendCrc32c(Crc32c(header.substr(0, kCrcAt)),
                      header.substr(kVersionAt, kSegmentHeaderBytes - 12));
}

}  // namespace

bool IsSegmentKind(uint8_t byte) {
  return byte == static_cast<uint8_t>(SegmentKind::kLog) ||
         byte == static_cast<uint8_t>(SegmentKind::kMerged);
}

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  std::string bytes(kMagic);
  bytes.resize(kSegmentHeaderBytes, '\0');
  EncodeFixed(static_cast<uint16_t>(kFormatVersion), &bytes[kVersionAt]);
  EncodeFixed(static_cast<uint8_t>(header.kind), &bytes[kKindAt]);
  EncodeFixed(header.id, &bytes[kIdAt]);
  EncodeFixed(header.salt, &bytes[kSaltAt]);
  EncodeFixed(HeaderCrc(bytes), &bytes[kCrcAt]);
  return bytes;
}

absl::StatusOr<SegmentHeader> DecodeSegmentHeader(std::string_view from) {
  if (from.size() < kSegmentHeaderBytes) {
    return absl::DataLossError(absl::StrCat("a segment header has ",
                                            kSegmentHeaderBytes,
                                            " bytes, the file ", from.size()));
  }
  if (!from.starts_with(kMagic)) {
    return absl::DataLossError("it does not begin as segments do");
  }
  const auto crc = DecodeFixed<uint32_t>(&from[kCrcAt]);
  if (DURABILITY_SITE(kSegmentHeaderCheck, HeaderCrc(from) != crc)) {
    return absl::DataLossError("wrong checksum of the segment header");
  }
  const auto version = DecodeFixed<uint16_t>(&from[kVersionAt]);
  const auto kind = DecodeFixed<uint8_t>(&from[kKindAt]);
  if (version != kFormatVersion || !IsSegmentKind(kind)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "format version ", version, ", kind ", int{kind},
        "; this program knows version ", kFormatVersion, ", kinds 1 and 2"));
  }
  SegmentHeader header;
  header.kind = static_cast<SegmentKind>(kind);
  header.id = DecodeFixed<uint64_t>(&from[kIdAt]);
  header.salt = DecodeFixed<uint64_t>(&from[kSaltAt]);
  return header;
}

}  // namespace stave
