#include "engine/core/space_ledger.h"

#include <algorithm>

#include "engine/format/segment_header.h"
#include "engine/log/segment_set.h"

namespace stave {
namespace {

constexpr uint64_t kLeftBytes = uint64_t{1} << 20;
// What writers get at a time while merges have much to free.
constexpr uint64_t kLittleBytes = uint64_t{64} << 10;

uint64_t Minus(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

}  // namespace

uint64_t SpaceLedger::Capacity() const {
  return std::max(capacity_(),
                  state_.largest_record.load(std::memory_order_relaxed));
}

SpaceBudget SpaceLedger::Budget() const {
  return SpaceBudget(max_amplification_,
                     state_.live_bytes.load(std::memory_order_relaxed),
                     Capacity());
}

// What moves from a promise to a file is counted there first, so the promises
// are read first, and nothing is missed; at most it counts twice.
SpaceLedger::Sum SpaceLedger::AddUp() const {
  Sum sum;
  sum.taken = promised_ + output_bytes_;
  const SegmentSet::Usage usage = state_.segments->GetUsage();
  sum.taken += usage.file_bytes - usage.pinned_bytes;
  sum.ahead = usage.ahead_bytes;
  const uint64_t next_output =
      std::min(state_.live_bytes.load(std::memory_order_relaxed), Capacity()) +
      kSegmentHeaderBytes;
  sum.kept = Minus(next_output, usage.merging_bytes);
  return sum;
}

uint64_t SpaceLedger::Used() const {
  const Sum sum = AddUp();
  return Minus(sum.taken + sum.kept, sum.ahead);
}

bool SpaceLedger::HasRoom(uint64_t needed) const {
  const Sum sum = AddUp();
  // What is larger than a segment would never find room.
  return sum.taken + sum.kept + std::min(needed, Capacity()) <=
         Budget().blocked;
}

bool SpaceLedger::IsFarOver() const {
  const Sum sum = AddUp();
  return sum.taken + sum.kept > Budget().blocked + Capacity();
}

uint64_t SpaceLedger::Take(uint64_t needed, uint64_t wanted, Claim claim) {
  MutexLock lock(&mutex_);
  uint64_t taken = wanted;
  if (claim == Claim::kAlways) {
    taken = needed;
  } else if (claim == Claim::kMuchToFree) {
    taken = std::min(wanted, std::max(needed, kLittleBytes));
  } else if (!lifted_) {
    const bool has_room = HasRoom(needed);
    if (claim == Claim::kIfThereIsRoom && !has_room) return 0;
    const Sum sum = AddUp();
    // There is no next output where nothing can be merged; or there may be by
    // now, and there is room.
    const bool keeps = claim == Claim::kIfThereIsRoom || has_room;
    const uint64_t room =
        Minus(Budget().blocked, sum.taken + (keeps ? sum.kept : 0));
    // Not in steps of a record each when there is no room at all.
    const uint64_t least =
        keeps ? needed : std::max(needed, std::min(wanted, Capacity() / 16));
    // What is taken ahead leaves room for what a next segment begins with, or
    // half of it: so the last steps are few as well.
    const uint64_t left = std::min(Capacity() / 8, kLeftBytes);
    taken = std::clamp(std::max(room / 2, Minus(room, left)), least, wanted);
  }
  promised_ += taken;
  return taken;
}

void SpaceLedger::Settle(uint64_t bytes) { promised_ -= bytes; }

void SpaceLedger::BeginMerge(
    const std::vector<std::shared_ptr<Segment>>& inputs) {
  uint64_t live_bytes = 0;
  for (const auto& input : inputs) live_bytes += input->live_bytes();
  MutexLock lock(&mutex_);
  output_bytes_ = live_bytes + kSegmentHeaderBytes;
  for (const auto& input : inputs) input->being_merged() = true;
}

void SpaceLedger::EndMerge(
    const std::vector<std::shared_ptr<Segment>>& inputs) {
  MutexLock lock(&mutex_);
  output_bytes_ = 0;
  for (const auto& input : inputs) input->being_merged() = false;
}

}  // namespace stave
