#include "engine/log/hint_survey.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/base/coding.h"
#include "engine/format/hint.h"
#include "engine/log/hint_file.h"

namespace stave {
namespace {

using BlockVisitor =
    absl::FunctionRef<void(uint64_t begin, std::string_view block)>;

// Nothing of both: it is whole and sound.
struct Finding {
  bool unfinished = false;
  std::optional<BadHintRange> bad = {};
};

Finding Bad(ByteRange bytes, std::string what) {
  return {.bad = BadHintRange{bytes, std::move(what)}};
}

// Visits sound blocks up to the first whose checksum is wrong.
Finding WalkBlocks(const File& file, uint64_t size, const HintHeader& header,
                   BlockVisitor visit) {
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
      return {.unfinished = true};  // it was cut meanwhile
    }
    if (!unreadable && HintBlockChecksum(seed, block, bytes) ==
                           DecodeFixed<uint32_t>(checksum.data())) {
      visit(begin, bytes);
      continue;
    }
    const std::string& error =
        body.unreadable().empty() ? checksums.read_error() : body.read_error();
    return Bad({begin, end}, unreadable
                                 ? absl::StrCat("it can't be read: ", error)
                                 : "wrong checksum of a block");
  }
  return {};
}

// Visits entries, all of them if nothing is wrong.
Finding Walk(const File& file, uint64_t size, const SegmentHeader& segment,
             const SegmentSummary& summary, const KeyHasher& hasher,
             absl::FunctionRef<void(const HintEntry&)> visit) {
  FileWindow window(&file, std::min<uint64_t>(size, kHintHeaderBytes));
  const std::string_view bytes = window.At(0, kHintHeaderBytes);
  const ByteRange front{0, kHintHeaderBytes};
  if (!window.unreadable().empty()) {
    return Bad(front, absl::StrCat("it can't be read: ", window.read_error()));
  }
  const bool unfinished = bytes.size() < kHintHeaderBytes ||
                          bytes.find_first_not_of('\0') == bytes.npos;
  if (unfinished) return {.unfinished = true};
  const absl::StatusOr<HintHeader> header = DecodeHintHeader(bytes);
  if (absl::IsInvalidArgument(header.status())) return {.unfinished = true};
  if (!header.ok()) {
    return Bad(front, std::string(header.status().message()));
  }
  if (header->segment.id != segment.id ||
      header->segment.salt != segment.salt || header->summary != summary ||
      header->secret_check != HintSecretCheck(hasher)) {
    return Bad(front, "it does not tell of the segment that is there");
  }
  if (size < header->file_bytes()) return {.unfinished = true};
  if (size > header->file_bytes()) {
    return Bad({header->file_bytes(), size}, "bytes that are no part of it");
  }
  const uint64_t end =
      kHintHeaderBytes + uint64_t{header->entries} * sizeof(HintEntry);
  return WalkBlocks(file, size, *header,
                    [&](uint64_t begin, std::string_view block) {
                      // Sizes stand behind the entries, in the same block
                      // maybe.
                      for (uint64_t i = 0; i < block.size() && begin + i < end;
                           i += sizeof(HintEntry)) {
                        HintEntry entry;
                        std::memcpy(&entry, block.data() + i, sizeof(entry));
                        visit(entry);
                      }
                    });
}

}  // namespace

std::optional<BadHintRange> SurveyHintFile(const File& file, uint64_t size,
                                           const SegmentHeader& segment,
                                           const SegmentSummary& summary,
                                           const KeyHasher& hasher) {
  return Walk(file, size, segment, summary, hasher, [](const HintEntry&) {})
      .bad;
}

std::optional<std::vector<uint64_t>> OffsetsInHintFile(
    const File& file, uint64_t size, const SegmentHeader& segment,
    const SegmentSummary& summary, const KeyHasher& hasher) {
  std::vector<uint64_t> offsets;
  const Finding finding =
      Walk(file, size, segment, summary, hasher,
           [&](const HintEntry& entry) { offsets.push_back(entry.offset()); });
  if (finding.unfinished || finding.bad.has_value()) return std::nullopt;
  std::sort(offsets.begin(), offsets.end());
  return offsets;
}

}  // namespace stave
