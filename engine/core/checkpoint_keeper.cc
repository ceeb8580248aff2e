#include "engine/core/checkpoint_keeper.h"

#include <utility>

#include "engine/core/checkpoint_writer.h"
#include "engine/format/file_names.h"

namespace stave {

void CheckpointKeeper::Discard() {
  MutexLock lock(&mutex_);
  if (!found_.binding.has_value()) return;
  found_.binding.reset();
  // One that stays behind is known by what it is bound to.
  directory_->Unlink(CheckpointFileName(found_.generation)).IgnoreError();
}

void CheckpointKeeper::WriteAtClose(const ManifestState& manifest, State* state,
                                    uint64_t min_keys, size_t threads) {
  // A merge that was still running may have added an edit behind the close.
  if (!manifest.clean_close.has_value()) return;
  CheckpointBinding binding = CheckpointBinding::Of(manifest, *state->hasher);
  {
    MutexLock lock(&mutex_);
    if (found_.binding == binding) return;
  }
  // Before the next one is written, which may need the space.
  Discard();
  if (state->keydir->GetStatistics().keys < min_keys) return;
  MutexLock lock(&mutex_);
  const bool written = WriteCheckpoint(directory_, found_.generation + 1,
                                       binding, state, threads)
                           .ok();
  if (written) found_ = {found_.generation + 1, std::move(binding)};
}

}  // namespace stave
