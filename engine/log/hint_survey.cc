#include "engine/log/hint_survey.h"

#include <algorithm>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/base/coding.h"
#include "engine/format/hint.h"
#include "engine/log/hint_file.h"

namespace stave {
namespace {

// The first block whose checksum is wrong.
std::optional<BadHintRange> FindBadBlock(const File& file, uint64_t size,
                                         const HintHeader& header) {
  FileWindow body(&file, size);
  FileWindow checksums(&file, size);
  const uint32_t seed = SegmentSeed(header.segment.salt, header.segment.id);
  const uint64_t body_end = kHintHeaderBytes + header.body_bytes();
  for (uint64_t block = 0; block < header.blocks(); ++block) {
    const uint64_t begin = kHintHeaderBytes + block * kHintBlockBytes;
    const uint64_t end = std::min(begin + kHintBlockBytes, body_end);
    const std::string_view bytes = body.At(begin, end - begin);
    const std::string_view checksum =
        checksums.At(body_end + block * sizeof(uint32_t), sizeof(uint32_t));
    const bool unreadable =
        !body.unreadable().empty() || !checksums.unreadable().empty();
    if (bytes.size() != end - begin || checksum.size() != sizeof(uint32_t)) {
      return std::nullopt;  // it was cut meanwhile
    }
    if (!unreadable && HintBlockChecksum(seed, block, bytes) ==
                           DecodeFixed<uint32_t>(checksum.data())) {
      continue;
    }
    const std::string& error =
        body.unreadable().empty() ? checksums.read_error() : body.read_error();
    return BadHintRange{{begin, end},
                        unreadable ? absl::StrCat("it can't be read: ", error)
                                   : "wrong checksum of a block"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<BadHintRange> SurveyHintFile(const File& file, uint64_t size,
                                           const SegmentHeader& segment,
                                           const SegmentSummary& summary,
                                           const KeyHasher& hasher) {
  FileWindow window(&file, std::min<uint64_t>(size, kHintHeaderBytes));
  const std::string_view bytes = window.At(0, kHintHeaderBytes);
  const ByteRange front{0, kHintHeaderBytes};
  if (!window.unreadable().empty()) {
    return BadHintRange{
        front, absl::StrCat("it can't be read: ", window.read_error())};
  }
  const bool unfinished = bytes.size() < kHintHeaderBytes ||
                          bytes.find_first_not_of('\0') == bytes.npos;
  if (unfinished) return std::nullopt;
  const absl::StatusOr<HintHeader> header = DecodeHintHeader(bytes);
  if (absl::IsInvalidArgument(header.status())) return std::nullopt;
  if (!header.ok()) {
    return BadHintRange{front, std::string(header.status().message())};
  }
  if (header->segment.id != segment.id ||
      header->segment.salt != segment.salt || header->summary != summary ||
      header->secret_check != HintSecretCheck(hasher)) {
    return BadHintRange{front, "it does not tell of the segment that is there"};
  }
  if (size < header->file_bytes()) return std::nullopt;
  if (size > header->file_bytes()) {
    return BadHintRange{{header->file_bytes(), size},
                        "bytes that are no part of it"};
  }
  return FindBadBlock(file, size, *header);
}

}  // namespace stave
