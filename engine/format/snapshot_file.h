#ifndef STAVE_ENGINE_FORMAT_SNAPSHOT_FILE_H_
#define STAVE_ENGINE_FORMAT_SNAPSHOT_FILE_H_

#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "stave/options.h"

namespace stave {

// FORMAT.md, "Snapshot files".
inline constexpr uint32_t kSnapshotMagic = 0x4B56DB;

// A pair of a snapshot file; the bytes are borrowed.
struct SnapshotEntry {
  std::string_view key;
  std::string_view value;
  absl::Time expire_at = absl::InfiniteFuture();
};

using SnapshotVisitor = absl::FunctionRef<absl::Status(const SnapshotEntry&)>;
// Calls the visitor for each entry, the same ones each time; ends with its
// first error.
using SnapshotWalk = absl::FunctionRef<absl::Status(SnapshotVisitor)>;
using ByteSink = absl::FunctionRef<absl::Status(std::string_view)>;

// Hands the snapshot, which says that it was made at `now`, to `sink`, piece by
// piece. Walks several times, and encodes long values by parts, so that memory
// grows neither with the snapshot nor with a pair.
// InvalidArgument for what the format has no place for: expiries in kBinaryV1,
// and more than 2^32 - 1 entries in both binary ones; else what `walk` and
// `sink` return.
absl::Status WriteSnapshot(SnapshotFormat format, absl::Time now,
                           SnapshotWalk walk, ByteSink sink);

}  // namespace stave

#endif  // STAVE_ENGINE_FORMAT_SNAPSHOT_FILE_H_
