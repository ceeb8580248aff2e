#ifndef STAVE_ENGINE_CORE_DAMAGE_MAP_H_
#define STAVE_ENGINE_CORE_DAMAGE_MAP_H_

#include <cstddef>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/base/types.h"
#include "engine/log/file_window.h"
#include "engine/log/segment.h"
#include "stave/limits.h"
#include "stave/verify.h"

namespace stave {

inline constexpr Sequence kUnknownSequence =
    std::numeric_limits<Sequence>::max();

// Records that are not there any more, and what is known of them.
struct HiddenRecords {
  Sequence last = 0;  // none has a greater sequence
  // The sizes that their keys can have.
  size_t least_key = 1;
  size_t greatest_key = kMaxKeyBytes;
  size_t damage = 0;  // index of the damage that hides them
};

// What a damaged store's readers must know: where sound records are, and what
// may have been elsewhere. Immutable.
struct DamageMap {
  struct Stretch {
    std::shared_ptr<Segment> segment;
    ByteRange bytes;
  };

  std::vector<Stretch> stretches;  // of sound records, in log order
  std::vector<Damage> damage;
  std::vector<HiddenRecords> hidden;

  // DataLoss if some damage may have held a record of a key of this size that
  // is later than `sequence` (0: than none at all).
  absl::Status Check(size_t key_size, Sequence sequence,
                     std::string_view directory) const;
  const Damage* MayHide(size_t key_size, Sequence sequence) const;
  // DataLoss if keys may have been hidden: what has been visited is right, but
  // there may have been more.
  absl::Status CheckComplete(std::string_view directory) const;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_DAMAGE_MAP_H_
