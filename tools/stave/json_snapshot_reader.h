#ifndef STAVE_TOOLS_STAVE_JSON_SNAPSHOT_READER_H_
#define STAVE_TOOLS_STAVE_JSON_SNAPSHOT_READER_H_

#include <cstdint>
#include <istream>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/stave/record.h"
#include "tools/stave/snapshot_keys.h"
#include "tools/stave/snapshot_reader.h"

namespace stave::tool {

// The JSON format (engine/FORMAT.md), its members in any order.
class JsonSnapshotReader : public SnapshotReader {
 public:
  static absl::StatusOr<std::unique_ptr<SnapshotReader>> Open(
      std::istream* input, std::string_view name);

  uint64_t records() const override { return keys_.size(); }
  bool Contains(std::string_view key) const override {
    return keys_.Contains(key);
  }
  absl::Status Visit(RecordVisitor visit) override;

 private:
  JsonSnapshotReader(std::istream* input, std::string_view name)
      : input_(*input), name_(name) {}

  absl::Status CheckAll();
  // Reads the file, and calls `expiry` with what expire_at_ms has.
  absl::Status Parse(
      RecordVisitor visit,
      absl::FunctionRef<absl::Status(std::string_view, absl::Time)> expiry);

  std::istream& input_;
  const std::string name_;
  SnapshotKeys keys_;
  // Which may stand behind the pairs that they belong to.
  absl::flat_hash_map<KeyPrint, absl::Time> expiries_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_JSON_SNAPSHOT_READER_H_
