#include "engine/core/merge_policy.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_format.h"

namespace stave {
namespace {

// So many inputs at most, since each is open while the merge runs.
constexpr size_t kMaxInputs = 256;
// They have so many segments' bytes, unless that is a small merge: what is dead
// is free only when all of it has been read.
constexpr uint64_t kMostInputCapacities = 3;
constexpr uint64_t kGreatestSlackBytes = uint64_t{1} << 20;
constexpr uint64_t kSmallMergeBytes = uint64_t{16} << 20;
// Writers that are about to be blocked have been slowed to 1 MB/s.
constexpr double kGreatestDelayDoublings = 10;

uint64_t Minus(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

bool IsCandidate(const SegmentUse& segment) {
  return segment.sealed && !segment.quarantined && !segment.retained &&
         segment.reclaimable_bytes() > 0;
}

double DeadShare(const SegmentUse& segment) {
  return static_cast<double>(segment.reclaimable_bytes()) /
         static_cast<double>(segment.record_bytes);
}

std::string Percent(uint64_t part, uint64_t whole) {
  return absl::StrFormat(
      "%.1f%%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

SegmentChoice Choose(const SegmentUse& segment, double max_amplification,
                     bool all) {
  SegmentChoice choice;
  choice.id = segment.id;
  choice.live_bytes = segment.live_bytes;
  choice.dead_bytes = segment.dead_bytes();
  const std::string dead = Percent(choice.dead_bytes, segment.record_bytes);
  if (!segment.sealed) {
    choice.reason = "records are still being added to it";
  } else if (segment.quarantined) {
    choice.reason = "damage was found in it: see stave fsck";
  } else if (segment.retained) {
    choice.reason = "it is kept for change feeds";
  } else if (choice.dead_bytes == 0) {
    choice.reason = "nothing in it is dead";
  } else if (segment.reclaimable_bytes() == 0) {
    choice.reason = "all that is dead in it are tombstones still needed";
  } else {
    const double allowed = 1 - 1 / max_amplification;
    choice.chosen = all || DeadShare(segment) > allowed;
    choice.reason = absl::StrFormat(
        "%s of it is dead%s", dead,
        choice.chosen ? ""
                      : absl::StrFormat(", no more than %.1f%%, the bound's "
                                        "share",
                                        100 * allowed));
  }
  return choice;
}

}  // namespace

SpaceBudget::SpaceBudget(double max_amplification, uint64_t live_bytes,
                         uint64_t capacity) {
  bound = static_cast<uint64_t>(max_amplification *
                                static_cast<double>(live_bytes)) +
          2 * capacity;
  // What nobody is asked for: an output's header, tombstones that it has to
  // keep, marks in the log.
  blocked = Minus(bound, std::min(capacity / 16, kGreatestSlackBytes));
  // What is written while a merge runs. A small one is not sooner done in
  // proportion, since it waits for the device, too.
  due = Minus(blocked,
              std::max(capacity / 4, std::min(capacity, kSmallMergeBytes)));
  urgent = std::min(due + capacity / 8, blocked);
}

double WriteDelayNsPerByte(const SpaceBudget& budget, uint64_t used_bytes) {
  const uint64_t from = budget.due + (budget.blocked - budget.due) / 2;
  if (used_bytes <= from) return 0;
  const double way = static_cast<double>(used_bytes - from) /
                     static_cast<double>(budget.blocked - from + 1);
  return std::exp2(kGreatestDelayDoublings * std::min(way, 1.0)) - 1;
}

double MergeUrgency(const SpaceBudget& budget, uint64_t used_bytes) {
  if (used_bytes <= budget.due) return 0;
  const double share = static_cast<double>(used_bytes - budget.due) /
                       static_cast<double>(budget.urgent - budget.due + 1);
  return std::min(share, 1.0);
}

std::vector<size_t> ChooseInputs(const std::vector<SegmentUse>& segments,
                                 uint64_t capacity) {
  std::vector<size_t> candidates;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (IsCandidate(segments[i])) candidates.push_back(i);
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](size_t a, size_t b) {
                     return DeadShare(segments[a]) > DeadShare(segments[b]);
                   });
  const uint64_t most_bytes =
      std::max(kMostInputCapacities * capacity, kSmallMergeBytes);
  uint64_t live_bytes = 0, bytes = 0;
  size_t taken = 0;
  for (; taken < std::min(candidates.size(), kMaxInputs); ++taken) {
    const SegmentUse& segment = segments[candidates[taken]];
    live_bytes += segment.live_bytes;
    bytes += segment.record_bytes;
    if (taken > 0 && (live_bytes > capacity || bytes > most_bytes)) break;
  }
  candidates.resize(taken);
  std::sort(candidates.begin(), candidates.end());
  return candidates;
}

MergePlan PlanWholeMerge(const std::vector<SegmentUse>& segments,
                         double max_amplification, bool all) {
  MergePlan plan;
  for (const SegmentUse& segment : segments) {
    plan.segments.push_back(Choose(segment, max_amplification, all));
  }
  return plan;
}

}  // namespace stave
