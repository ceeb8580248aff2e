#ifndef STAVE_TOOLS_STAVE_SNAPSHOT_WRITER_H_
#define STAVE_TOOLS_STAVE_SNAPSHOT_WRITER_H_

#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tools/stave/record.h"
#include "tools/stave/snapshot_format.h"

namespace stave::tool {

// Calls the visitor for each record of a snapshot: the same ones each time.
using RecordWalk = absl::FunctionRef<absl::Status(RecordVisitor)>;
using ByteSink = absl::FunctionRef<absl::Status(std::string_view)>;

// Hands the snapshot, which says that it was made at `now`, to `sink`, piece by
// piece. Walks several times, so that memory does not grow with the snapshot.
// InvalidArgument for what the format has no place for: expiries in kBinaryV1,
// and more than 2^32 - 1 entries in both binary ones.
absl::Status WriteSnapshot(SnapshotFormat format, absl::Time now,
                           RecordWalk walk, ByteSink sink);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SNAPSHOT_WRITER_H_
