#include "tools/stave/snapshot_reader.h"

#include "absl/strings/str_format.h"
#include "engine/base/coding.h"
#include "engine/format/snapshot_file.h"
#include "tools/stave/binary_snapshot_reader.h"
#include "tools/stave/json_snapshot_reader.h"

namespace stave::tool {

absl::StatusOr<std::unique_ptr<SnapshotReader>> SnapshotReader::Open(
    std::istream* input, std::string_view name) {
  char first[sizeof(kSnapshotMagic)] = {};
  input->read(first, sizeof(first));
  if (input->bad()) {
    return absl::InternalError(absl::StrFormat("%s can't be read", name));
  }
  const std::string_view begin(first, static_cast<size_t>(input->gcount()));
  if (begin.size() == sizeof(first) &&
      DecodeFixed<uint32_t>(first) == kSnapshotMagic) {
    return BinarySnapshotReader::Open(input, name);
  }
  const size_t text = begin.find_first_not_of(" \t\r\n");
  if (text != begin.npos && begin[text] == '{') {
    return JsonSnapshotReader::Open(input, name);
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("%s is no snapshot, neither JSON nor binary", name));
}

}  // namespace stave::tool
