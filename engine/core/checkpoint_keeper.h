#ifndef STAVE_ENGINE_CORE_CHECKPOINT_KEEPER_H_
#define STAVE_ENGINE_CORE_CHECKPOINT_KEEPER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "engine/base/mutex.h"
#include "engine/core/checkpoint_binding.h"
#include "engine/core/state.h"
#include "engine/fs/file_system.h"
#include "engine/log/manifest.h"

namespace stave {

// The keydir checkpoint of a store that is open for writing: removes it once
// the store is another than it tells of, and writes the next one when the store
// has been closed. Nothing depends on either, so errors are nobody's business.
// Thread-safe.
class CheckpointKeeper {
 public:
  // What Open has found, and left.
  struct Found {
    uint64_t generation = 0;  // the greatest that there was
    // Of the checkpoint of this generation, if it is right.
    std::optional<CheckpointBinding> binding;
  };

  CheckpointKeeper(Directory* directory, Found found)
      : directory_(directory), found_(std::move(found)) {}

  // The store has changed for good: a checkpoint would only take space.
  void Discard();

  // After a clean close: sees to it that there is a checkpoint if the store has
  // `min_keys`, and else none.
  void WriteAtClose(const ManifestState& manifest, State* state,
                    uint64_t min_keys, size_t threads);

 private:
  Directory* const directory_;
  Mutex mutex_;
  Found found_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_CHECKPOINT_KEEPER_H_
