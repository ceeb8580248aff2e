#ifndef STAVE_ENGINE_CORE_MERGE_PACER_H_
#define STAVE_ENGINE_CORE_MERGE_PACER_H_

#include <cstdint>

#include "absl/time/time.h"

namespace stave {

// How long a merge pauses after each piece of its work, so that those who read
// and write feel it less: decided from numbers alone, as merge_policy.h does.
//
//  * In the background it rests as long as it has worked while it is not
//    urgent, and the less the more urgent it is (MergeUrgency).
//  * With a limit, what it reads and writes comes to no more than that a
//    second.
//  * Once it is urgent it does neither, since the bound on space is kept in any
//    case, and owes nothing for it later.
//
// Thread-compatible.
class MergePacer {
 public:
  // `bytes_per_second` may be 0, for no limit.
  explicit MergePacer(uint64_t bytes_per_second)
      : bytes_per_second_(bytes_per_second) {}

  struct Piece {
    uint64_t bytes = 0;     // read and written
    absl::Duration worked;  // since the last pause ended
    absl::Duration ended;   // since some moment, the same for all pieces
    // From 0 to 1; as MergeUrgency says.
    double urgency = 0;
    bool rests = true;
  };
  absl::Duration PauseAfter(const Piece& piece);

 private:
  const uint64_t bytes_per_second_;
  // When all bytes up to now have had their time, on the clock of pieces.
  absl::Duration paid_until_ = -absl::InfiniteDuration();
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_MERGE_PACER_H_
