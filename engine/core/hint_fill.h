#ifndef STAVE_ENGINE_CORE_HINT_FILL_H_
#define STAVE_ENGINE_CORE_HINT_FILL_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/keydir_fill.h"
#include "engine/core/state.h"
#include "engine/fs/file_system.h"

namespace stave {

// Fills the keydir of `state` from the hint files of segments that have a valid
// one, on `threads` threads, and marks these as restored. Nothing is taken from
// those of covered segments, or for a keydir with an order; but merges will
// want to read them. The segments are as FillKeydir wants them, which reads the
// others then, in whatever order: an entry counts by its location. So it does
// no harm if a hint file turns out to be damaged after right entries of it have
// been taken.
//
// A thread takes a range of hashes at a time, and for it the entries of one
// file after another. Files have them in the order in which the keydir has its
// keys, so this range of the keydir stays in the processor's cache meanwhile.
//
// An error only if memory has run out.
absl::Status FillFromHints(State* state, Directory* directory,
                           std::vector<SegmentToRead>* segments,
                           size_t threads);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_HINT_FILL_H_
