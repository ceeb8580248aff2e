#include "engine/core/instant.h"

#include "absl/status/status.h"

namespace stave {

absl::StatusOr<const Instant*> Instant::Of(const Snapshot& snapshot,
                                           const State& state) {
  // All snapshots are made by an engine.
  const auto& instant = static_cast<const Instant&>(snapshot);
  if (instant.state.get() != &state) {
    return absl::InvalidArgumentError(
        "the snapshot was taken of another store than the one that is read");
  }
  return &instant;
}

}  // namespace stave
