#include "engine/core/checkpoint_survey.h"

#include <algorithm>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/base/checksum.h"
#include "engine/format/checkpoint.h"

namespace stave {
namespace {

using Bad = std::optional<BadCheckpointRange>;

class Surveyor {
 public:
  Surveyor(const File& file, uint64_t size, const CheckpointHeader& header)
      : header_(header), keys_(&file, size), tables_(&file, size) {}

  Bad Run() {
    uint32_t checksum = 0;
    ForEachPiece(header_.segments_offset(), header_.keys_offset(),
                 [&](std::string_view piece) {
                   checksum = ExtendCrc32c(checksum, piece);
                 });
    uint64_t at = header_.keys_offset();
    ForEachPiece(header_.pages_offset(), header_.file_bytes(),
                 [&](std::string_view piece) {
                   checksum = ExtendCrc32c(checksum, piece);
                   at = CheckKeys(
                       DecodeCheckpointPageExtent(header_.kind, piece), at);
                 });
    const ByteRange tables{header_.segments_offset(), header_.file_bytes()};
    if (!tables_.unreadable().empty()) {
      return BadCheckpointRange{
          tables, absl::StrCat("it can't be read: ", tables_.read_error())};
    }
    if (checksum != header_.tables_checksum) {
      return BadCheckpointRange{tables, "wrong checksum of its tables"};
    }
    return bad_;
  }

 private:
  // Both tables' rows are multiples of this.
  template <typename Visit>
  void ForEachPiece(uint64_t begin, uint64_t end, Visit visit) {
    for (uint64_t at = begin; at < end; at += kCheckpointPageBytes) {
      const std::string_view piece = tables_.At(at, kCheckpointPageBytes);
      if (piece.size() < kCheckpointPageBytes) return;  // cut meanwhile
      visit(piece);
    }
  }

  // Checks the page's keys, which begin at `at`, and returns where they end.
  uint64_t CheckKeys(const CheckpointPageExtent& page, uint64_t at) {
    const uint64_t end = at + std::min(page.bytes, header_.pages_offset() - at);
    const uint32_t checksum = KeysChecksum(at, end);
    if (bad_.has_value()) return end;
    if (!keys_.unreadable().empty()) {
      bad_ = {{at, end},
              absl::StrCat("it can't be read: ", keys_.read_error())};
    } else if (checksum != page.checksum) {
      bad_ = {{at, end}, "wrong checksum of a page"};
    }
    return end;
  }

  // A page's keys may be more than a window gives at once.
  uint32_t KeysChecksum(uint64_t begin, uint64_t end) {
    uint32_t checksum = CheckpointPageChecksum(header_, begin, {});
    while (begin < end) {
      const std::string_view bytes =
          keys_.At(begin, std::min(end - begin, kPieceBytes));
      if (bytes.empty()) break;  // cut meanwhile
      checksum = ExtendCrc32c(checksum, bytes);
      begin += bytes.size();
    }
    return checksum;
  }

  static constexpr uint64_t kPieceBytes = FileWindow::kBytes / 2;

  const CheckpointHeader header_;
  FileWindow keys_;
  FileWindow tables_;
  Bad bad_;
};

}  // namespace

Bad SurveyCheckpoint(const File& file, uint64_t size, uint64_t generation) {
  FileWindow window(&file, std::min<uint64_t>(size, kCheckpointHeaderBytes));
  const std::string_view bytes = window.At(0, kCheckpointHeaderBytes);
  const ByteRange front{0, kCheckpointHeaderBytes};
  if (!window.unreadable().empty()) {
    return BadCheckpointRange{
        front, absl::StrCat("it can't be read: ", window.read_error())};
  }
  const bool unfinished = bytes.size() < kCheckpointHeaderBytes ||
                          bytes.find_first_not_of('\0') == bytes.npos;
  if (unfinished) return std::nullopt;
  const absl::StatusOr<CheckpointHeader> header = DecodeCheckpointHeader(bytes);
  if (absl::IsInvalidArgument(header.status())) return std::nullopt;
  if (!header.ok()) {
    return BadCheckpointRange{front, std::string(header.status().message())};
  }
  if (header->generation != generation) {
    return BadCheckpointRange{front, "it has another checkpoint's name"};
  }
  if (size < header->file_bytes()) {
    return BadCheckpointRange{{size, header->file_bytes()},
                              "the file ends before its checkpoint does"};
  }
  if (size > header->file_bytes()) {
    return BadCheckpointRange{{header->file_bytes(), size},
                              "bytes that are no part of it"};
  }
  return Surveyor(file, size, *header).Run();
}

}  // namespace stave
