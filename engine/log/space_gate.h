#ifndef STAVE_ENGINE_LOG_SPACE_GATE_H_
#define STAVE_ENGINE_LOG_SPACE_GATE_H_

#include <cstdint>

namespace stave {

// Lets the log's files grow, so that all files together stay under a bound:
// who makes one longer takes the bytes first.
//
// Thread-safe.
class SpaceGate {
 public:
  enum class Claim {
    kIfThereIsRoom,
    // Merges have been waited for, and can free nothing.
    kNothingToFree,
    // Merges have been waited for, and have much more to free than writers have
    // written of late: a little, so that writes go on slowly meanwhile.
    kMuchToFree,
    // No more than is needed, which is next to nothing.
    kAlways,
  };

  virtual ~SpaceGate() = default;

  // Of `wanted` bytes as many as may be taken now, at least `needed`; 0 if
  // there is no room for these, which only kIfThereIsRoom is told. They are
  // counted until Settle.
  virtual uint64_t Take(uint64_t needed, uint64_t wanted, Claim claim) = 0;
  // `bytes` that were taken are counted by a segment's length from now on, or
  // were not used.
  virtual void Settle(uint64_t bytes) = 0;
};

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_SPACE_GATE_H_
