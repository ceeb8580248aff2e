#include "tools/stave/binary_snapshot_reader.h"

#include <ios>
#include <limits>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/format/snapshot_file.h"
#include "stave/limits.h"
#include "tools/stave/escape.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {

absl::StatusOr<std::unique_ptr<SnapshotReader>> BinarySnapshotReader::Open(
    std::istream* input, std::string_view name) {
  std::unique_ptr<BinarySnapshotReader> reader(
      new BinarySnapshotReader(input, name));
  const absl::Status status = reader->Visit([&](const Record& record) {
    if (reader->keys_.Add(record.key)) return absl::OkStatus();
    return reader->Wrong(
        absl::StrFormat("key %s comes twice", Quoted(record.key)));
  });
  if (!status.ok()) return status;
  return reader;
}

absl::Status BinarySnapshotReader::Visit(RecordVisitor visit) {
  RETURN_IF_ERROR(GoToBegin());
  RETURN_IF_ERROR(ReadHeader());
  Record record;
  for (uint32_t i = 0; i < count_; ++i) {
    RETURN_IF_ERROR(ReadEntry(&record));
    RETURN_IF_ERROR(visit(record));
  }
  return ReadEnd();
}

absl::Status BinarySnapshotReader::GoToBegin() {
  input_.clear();
  input_.seekg(0, std::ios::end);
  const std::streamoff size = input_.tellg();
  input_.seekg(0);
  if (size < 0 || !input_.good()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s can't be read twice", name_));
  }
  size_ = static_cast<uint64_t>(size);
  at_ = 0;
  crc_ = 0;
  return absl::OkStatus();
}

absl::Status BinarySnapshotReader::ReadHeader() {
  uint32_t magic = 0;
  uint64_t seconds = 0;
  RETURN_IF_ERROR(ReadNumber(&magic));
  if (magic != kSnapshotMagic) return Wrong("another magic number");
  RETURN_IF_ERROR(ReadNumber(&version_));
  if (version_ != 1 && version_ != 2) {
    return Wrong(absl::StrFormat("version %d; known are 1 and 2", version_));
  }
  RETURN_IF_ERROR(ReadNumber(&seconds));
  return ReadNumber(&count_);
}

absl::Status BinarySnapshotReader::ReadEntry(Record* record) {
  uint32_t key_size = 0, value_size = 0;
  RETURN_IF_ERROR(ReadLength(kMaxKeyBytes, "key", &key_size));
  if (key_size == 0) return Wrong("a key without bytes");
  RETURN_IF_ERROR(ReadBytes(key_size, &key_));
  RETURN_IF_ERROR(ReadLength(kMaxValueBytes, "value", &value_size));
  RETURN_IF_ERROR(ReadBytes(value_size, &value_));
  *record = {key_, value_};
  if (version_ == 1) return absl::OkStatus();
  uint64_t expire_at_ms = 0;
  RETURN_IF_ERROR(ReadNumber(&expire_at_ms));
  if (expire_at_ms == 0) return absl::OkStatus();
  if (expire_at_ms > uint64_t{std::numeric_limits<int64_t>::max()}) {
    return Wrong("an expiry that is too large");
  }
  const absl::StatusOr<absl::Time> expire_at =
      ExpiryFromMilliseconds(static_cast<int64_t>(expire_at_ms));
  if (!expire_at.ok()) return Wrong(std::string(expire_at.status().message()));
  record->expire_at = *expire_at;
  return absl::OkStatus();
}

absl::Status BinarySnapshotReader::ReadEnd() {
  if (version_ == 2) {
    const uint32_t crc = crc_;
    uint32_t expected = 0;
    RETURN_IF_ERROR(ReadNumber(&expected));
    if (crc != expected) return Wrong("wrong checksum");
  }
  if (at_ == size_) return absl::OkStatus();
  return Wrong(absl::StrFormat("%d bytes follow the last of %d entries",
                               size_ - at_, count_));
}

// Before memory is taken for that many bytes.
absl::Status BinarySnapshotReader::ReadLength(uint64_t most, const char* of,
                                              uint32_t* length) {
  RETURN_IF_ERROR(ReadNumber(length));
  if (*length <= most) return absl::OkStatus();
  return Wrong(
      absl::StrFormat("a %s of %d bytes; the most is %d", of, *length, most));
}

absl::Status BinarySnapshotReader::ReadBytes(size_t size, std::string* bytes) {
  if (size > size_ - at_) return Wrong("the file ends within this entry");
  bytes->resize(size);
  return Take(bytes->data(), size);
}

template <typename Number>
absl::Status BinarySnapshotReader::ReadNumber(Number* number) {
  char bytes[sizeof(Number)];
  RETURN_IF_ERROR(Take(bytes, sizeof(bytes)));
  *number = DecodeFixed<Number>(bytes);
  return absl::OkStatus();
}

absl::Status BinarySnapshotReader::Take(char* to, size_t size) {
  if (size > size_ - at_) {
    return Wrong("the file ends here, and is not whole");
  }
  input_.read(to, static_cast<std::streamsize>(size));
  if (static_cast<size_t>(input_.gcount()) != size) {
    return absl::InternalError(
        absl::StrFormat("%s, byte %d: can't be read", name_, at_));
  }
  at_ += size;
  crc_ = ExtendCrc32c(crc_, std::string_view(to, size));
  return absl::OkStatus();
}

absl::Status BinarySnapshotReader::Wrong(std::string_view what) const {
  return absl::InvalidArgumentError(
      absl::StrFormat("%s, byte %d: %s", name_, at_, what));
}

}  // namespace stave::tool
