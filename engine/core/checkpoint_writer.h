#ifndef STAVE_ENGINE_CORE_CHECKPOINT_WRITER_H_
#define STAVE_ENGINE_CORE_CHECKPOINT_WRITER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/core/checkpoint_scope.h"
#include "engine/core/state.h"
#include "engine/fs/file_system.h"
#include "engine/log/log.h"

namespace stave {

// Writes KEYDIR-<generation>: what the keydir names in the segments of `scope`,
// while writers and merges go on. Copies a part of the keydir at a time, whose
// lock it holds meanwhile, or, of one with an order, a page at a time without a
// lock; then has the log synced through all that the copy may show (I8). The
// file's bytes are durable then; its name is once the directory is synced, and
// until then, or after a crash, there may be none, or a damaged one.
//
// Returns the file's size. Cancelled once `cancelled` is set. After an error
// there is no file of this name.
absl::StatusOr<uint64_t> WriteCheckpoint(Directory* directory,
                                         uint64_t generation,
                                         const CheckpointScope& scope,
                                         State* state, Log* log, size_t threads,
                                         const std::atomic<bool>& cancelled);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_CHECKPOINT_WRITER_H_
