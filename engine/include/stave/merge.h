#ifndef STAVE_MERGE_H_
#define STAVE_MERGE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace stave {

// A merge copies what is live in some sealed segments to new ones and removes
// the old ones, so that the space of dead records comes back. A store does it
// in the background as far as Options::max_space_amplification asks for it;
// Store::Merge does it now.
struct MergeOptions {
  // Also those segments of which only a little is dead. Without it a segment
  // is merged if more of it is dead than the bound allows of the whole store:
  // with the default bound of 1.5, a third.
  bool all = false;
};

// What a merge makes of one segment.
struct SegmentChoice {
  uint64_t id = 0;
  uint64_t live_bytes = 0;  // of its records, headers and padding included
  uint64_t dead_bytes = 0;
  bool chosen = false;
  std::string reason;  // why, or why not, for people
};

// What Store::Merge would do if it was called now. It would also close the
// active segment first, if that has dead records; and in the end, with `all`,
// merge again what kept tombstones that are not needed any more.
struct MergePlan {
  std::vector<SegmentChoice> segments;  // all there are, from old to new
};

}  // namespace stave

#endif  // STAVE_MERGE_H_
