#ifndef STAVE_TOOLS_STAVE_BINARY_SNAPSHOT_READER_H_
#define STAVE_TOOLS_STAVE_BINARY_SNAPSHOT_READER_H_

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/stave/record.h"
#include "tools/stave/snapshot_keys.h"
#include "tools/stave/snapshot_reader.h"

namespace stave::tool {

// Versions 1 and 2 of the binary format (engine/FORMAT.md).
class BinarySnapshotReader : public SnapshotReader {
 public:
  static absl::StatusOr<std::unique_ptr<SnapshotReader>> Open(
      std::istream* input, std::string_view name);

  uint64_t records() const override { return keys_.size(); }
  bool Contains(std::string_view key) const override {
    return keys_.Contains(key);
  }
  absl::Status Visit(RecordVisitor visit) override;

 private:
  BinarySnapshotReader(std::istream* input, std::string_view name)
      : input_(*input), name_(name) {}

  absl::Status GoToBegin();
  absl::Status ReadHeader();
  absl::Status ReadEntry(Record* record);
  absl::Status ReadEnd();
  absl::Status ReadLength(uint64_t most, const char* of, uint32_t* length);
  absl::Status ReadBytes(size_t size, std::string* bytes);
  template <typename Number>
  absl::Status ReadNumber(Number* number);
  absl::Status Take(char* to, size_t size);
  absl::Status Wrong(std::string_view what) const;

  std::istream& input_;
  const std::string name_;
  SnapshotKeys keys_;

  // Of the present pass.
  uint64_t at_ = 0;
  uint64_t size_ = 0;
  uint32_t crc_ = 0;
  uint32_t version_ = 0;
  uint32_t count_ = 0;
  std::string key_;
  std::string value_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_BINARY_SNAPSHOT_READER_H_
