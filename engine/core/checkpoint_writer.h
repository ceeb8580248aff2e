#ifndef STAVE_ENGINE_CORE_CHECKPOINT_WRITER_H_
#define STAVE_ENGINE_CORE_CHECKPOINT_WRITER_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "engine/core/checkpoint_binding.h"
#include "engine/core/state.h"
#include "engine/fs/file_system.h"

namespace stave {

// Writes KEYDIR-<generation>: the keydir of a store whose log was closed, so
// that nobody changes it. `binding` is of the manifest that this close left.
// The file's bytes are durable then; its name is once the directory is synced,
// and until then, or after a crash, there may be none, or a damaged one.
// After an error there is no file of this name.
absl::Status WriteCheckpoint(Directory* directory, uint64_t generation,
                             const CheckpointBinding& binding, State* state,
                             size_t threads);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_CHECKPOINT_WRITER_H_
