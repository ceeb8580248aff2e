#ifndef STAVE_TOOLS_STAVE_SNAPSHOT_READER_H_
#define STAVE_TOOLS_STAVE_SNAPSHOT_READER_H_

#include <cstdint>
#include <istream>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/stave/record.h"

namespace stave::tool {

// A snapshot file of any format, which its first bytes tell. It is read twice:
// once to check all of it, so that nobody has to undo what the beginning of a
// bad file did, and once for its records. Takes about 40 bytes of memory a
// record, and those of the longest one. Thread-compatible.
class SnapshotReader {
 public:
  // Reads and checks everything; keys that come twice are wrong too.
  // InvalidArgument, with the place, for a file that is no snapshot, or none
  // that is whole. Borrows `input`, in which it goes back; `name` is for
  // messages.
  static absl::StatusOr<std::unique_ptr<SnapshotReader>> Open(
      std::istream* input, std::string_view name);

  virtual ~SnapshotReader() = default;

  virtual uint64_t records() const = 0;
  virtual bool Contains(std::string_view key) const = 0;

  // Visits the records in the file's order, until `visit` returns an error.
  virtual absl::Status Visit(RecordVisitor visit) = 0;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SNAPSHOT_READER_H_
