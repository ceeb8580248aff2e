#ifndef STAVE_ENGINE_CORE_SPACE_LEDGER_H_
#define STAVE_ENGINE_CORE_SPACE_LEDGER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/core/merge_policy.h"
#include "engine/core/state.h"
#include "engine/log/segment.h"
#include "engine/log/space_gate.h"

namespace stave {

// Knows what a store's segments take and are about to take, and keeps it under
// the bound of Options::max_space_amplification. Invariant, as long as nothing
// makes the bound itself smaller:
//
//   files, without what is pinned
//     + what the log has taken and no file's length counts yet
//     + what the running merge's outputs may take
//     + what is kept for the next merge's output    <= SpaceBudget::blocked
//
// The log takes its part through Take, which alone can refuse. A merge asks
// nobody, so none ever waits for writers: the room for an output is kept before
// it begins, less what the one that runs will free.
//
// Thread-safe.
class SpaceLedger : public SpaceGate {
 public:
  // `capacity`: of a segment that is made now.
  SpaceLedger(const State* state, std::function<uint64_t()> capacity,
              double max_amplification)
      : state_(*state),
        capacity_(std::move(capacity)),
        max_amplification_(max_amplification) {}

  // Of a segment that is made now, or the largest record if that is larger.
  uint64_t Capacity() const;
  SpaceBudget Budget() const;
  // What is to be held against a budget: the invariant's sum, without space
  // that the log has reserved ahead of its records.
  uint64_t Used() const;
  // Whether the log may take so much.
  bool HasRoom(uint64_t needed) const;
  // Whether more than a segment is to be freed before there is room: so it is
  // where the bound itself became smaller, or was lifted.
  bool IsFarOver() const;

  uint64_t Take(uint64_t needed, uint64_t wanted, Claim claim) override;
  void Settle(uint64_t bytes) override;

  // As long as it is lifted there is no bound.
  void Lift(bool lifted) { lifted_ = lifted; }

  // One merge at a time: from its begin to its end, whatever that is.
  void BeginMerge(const std::vector<std::shared_ptr<Segment>>& inputs);
  void EndMerge(const std::vector<std::shared_ptr<Segment>>& inputs);
  // What the running merge's outputs may take that the set of segments doesn't
  // count yet. Changed by the merge.
  std::atomic<uint64_t>* output_bytes() { return &output_bytes_; }

 private:
  struct Sum {
    uint64_t taken = 0;  // files and what they will take
    uint64_t ahead = 0;  // of it, space that no record has yet
    uint64_t kept = 0;   // for the next output
  };
  Sum AddUp() const;

  const State& state_;
  const std::function<uint64_t()> capacity_;
  const double max_amplification_;
  std::atomic<bool> lifted_{false};
  std::atomic<uint64_t> output_bytes_{0};
  Mutex mutex_;  // one takes at a time
  std::atomic<uint64_t> promised_{0};
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_SPACE_LEDGER_H_
