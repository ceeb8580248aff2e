#include "engine/core/merge_pacer.h"

#include <algorithm>

namespace stave {

absl::Duration MergePacer::PauseAfter(const Piece& piece) {
  if (piece.urgency >= 1) {
    paid_until_ = piece.ended;
    return absl::ZeroDuration();
  }
  absl::Duration pause = absl::ZeroDuration();
  if (bytes_per_second_ > 0) {
    // What was not used before can't be made up for.
    const absl::Duration began = piece.ended - piece.worked;
    paid_until_ = std::max(paid_until_, began) +
                  absl::Seconds(static_cast<double>(piece.bytes) /
                                static_cast<double>(bytes_per_second_));
    pause = paid_until_ - piece.ended;
  }
  if (piece.rests) {
    pause = std::max(pause, piece.worked * (1 - piece.urgency));
  }
  return std::max(pause, absl::ZeroDuration());
}

}  // namespace stave
