#include "engine/core/merger.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "absl/time/time.h"
#include "engine/base/durability_site.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/base/steady_time.h"
#include "engine/core/log_history.h"

namespace stave {
namespace {

// How long a writer waits for the backlog of merges that is not its own doing.
constexpr absl::Duration kPatience = absl::Milliseconds(20);
// So long a pause of a merge goes on without a look whether it still may.
constexpr int64_t kLongestSleepNs = 10'000'000;
// How often the thread looks for files that readers have let go of.
constexpr absl::Duration kIdlePeriod = absl::Seconds(1);
// How often at most it looks for what has expired, besides its other work.
constexpr absl::Duration kSweepPeriod = absl::Milliseconds(10);
// So many merges in a row may free nothing: each can make a few tombstones of
// another segment look as if they could go.
constexpr int kMostVainMerges = 32;

SegmentUse UseOf(Segment& segment, const ManifestState& manifest,
                 const std::set<SegmentId>& retained) {
  SegmentUse use;
  use.id = segment.id();
  use.record_bytes = segment.end().load() - kSegmentHeaderBytes;
  use.live_bytes = segment.live_bytes().load();
  use.kept_tombstone_bytes = segment.kept_tombstone_bytes().load();
  use.retained = retained.count(use.id) > 0;
  use.quarantined = segment.quarantined().load();
  use.sealed = std::any_of(manifest.segments.begin(), manifest.segments.end(),
                           [&use](const ListedSegment& listed) {
                             return listed.header.id == use.id &&
                                    listed.sealed.has_value();
                           });
  return use;
}

}  // namespace

MergePlan PlanMerge(const State& state, const ManifestState& manifest,
                    uint64_t feed_retention_bytes, double max_amplification,
                    bool all) {
  const std::set<SegmentId> retained =
      LatestSealed(manifest, feed_retention_bytes);
  std::vector<SegmentUse> uses;
  for (const std::shared_ptr<Segment>& segment : state.segments->All()) {
    uses.push_back(UseOf(*segment, manifest, retained));
  }
  return PlanWholeMerge(uses, max_amplification, all);
}

bool Merger::IsDue() const {
  return wanted_ > 0 || settings_.space->Used() > settings_.space->Budget().due;
}

void Merger::Known::Erase(size_t index) {
  segments.erase(segments.begin() + static_cast<ptrdiff_t>(index));
  uses.erase(uses.begin() + static_cast<ptrdiff_t>(index));
}

Merger::Known Merger::Survey() const {
  const ManifestState manifest = settings_.manifest->state();
  const std::set<SegmentId> retained =
      LatestSealed(manifest, settings_.feed_retention_bytes);
  Known known;
  for (std::shared_ptr<Segment>& segment : settings_.state->segments->All()) {
    known.uses.push_back(UseOf(*segment, manifest, retained));
    known.segments.push_back(std::move(segment));
  }
  return known;
}

void Merger::RetainLatest() {
  if (settings_.feed_retention_bytes == 0) return;
  const std::set<SegmentId> latest =
      LatestSealed(settings_.manifest->state(), settings_.feed_retention_bytes);
  for (const auto& segment : settings_.state->segments->All()) {
    segment->retained() = latest.count(segment->id()) > 0;
  }
}

SpaceGate::Claim Merger::MakeSpace(uint64_t needed) {
  const uint64_t looks = looks_in_vain_;
  {
    MutexLock lock(&mutex_);
    wanted_ = std::max(wanted_.load(), needed);
  }
  stuck_ = false;  // what was written since the last look may be dead by now
  awaits_seal_ = false;  // a writer waits, so the merges' thread seals itself
  Assess();
  if (!settings_.background_threads) {
    MergeWhileDue();
  } else if (!throttle_.AwaitUnblocked(
                 kPatience, [this] { return settings_.space->IsFarOver(); })) {
    EndWaits();
    return SpaceGate::Claim::kMuchToFree;
  }
  return looks_in_vain_ == looks ? SpaceGate::Claim::kIfThereIsRoom
                                 : SpaceGate::Claim::kNothingToFree;
}

// Who waits beside this writer does so for as much.
void Merger::EndWaits() {
  {
    MutexLock lock(&mutex_);
    wanted_ = 0;
  }
  Assess();
}

void Merger::OnGrowth() {
  // What is full now will be something to merge when it is sealed.
  if (stuck_ && settings_.log->has_rolled()) {
    awaits_seal_ = true;
    stuck_ = false;
  }
  Assess();
}

void Merger::OnSeal() {
  ++seals_;
  RetainLatest();
  stuck_ = false;
  awaits_seal_ = false;
  Assess();
}

// Called under the log's append lock: takes no lock that is held for long.
void Merger::Assess() {
  if (!settings_.background_merge) return;
  const SpaceBudget budget = settings_.space->Budget();
  const uint64_t used = settings_.space->Used();
  MutexLock lock(&mutex_);
  const bool lifted = pauses_ > 0 || stopping_;
  settings_.space->Lift(lifted);
  if (settings_.space->HasRoom(wanted_)) wanted_ = 0;
  due_ = (used > budget.due || wanted_ > 0) && !lifted && !stuck_;
  if (!due_) wanted_ = 0;
  // Without background threads the merge is the writer's own next step.
  if (!settings_.background_threads) return;
  // Without a thread nobody would end a writer's wait. The next growth tries
  // again.
  if (due_ && !HasThread()) {
    wanted_ = 0;
    ++looks_in_vain_;
  }
  if (!due_ || !thread_.joinable()) {
    throttle_.Release();
    return;
  }
  throttle_.Set(WriteDelayNsPerByte(budget, used), wanted_ > 0);
  if (awaits_seal_) return;
  has_work_ = true;
  wake_.Signal();
}

// Starts it if need be; false if the operating system makes no more.
bool Merger::HasThread() {
  if (thread_.joinable()) return true;
  absl::StatusOr<std::thread> thread = StartThread([this] { RunThread(); });
  if (thread.ok()) thread_ = *std::move(thread);
  return thread.ok();
}

void Merger::OnExpiry() {
  if (!settings_.background_merge || !settings_.background_threads) return;
  MutexLock lock(&mutex_);
  if (!stopping_) HasThread();  // else growth tries again
}

void Merger::RunThread() {
  while (WaitForWork()) {
    {
      MutexLock lock(&merge_mutex_);
      SweepExpired(/*now=*/false);
    }
    MergeWhileDue();
    // Nothing is sealed yet, or all is done.
    MutexLock lock(&merge_mutex_);
    RemoveLeft(/*all=*/false);
  }
}

bool Merger::WaitForWork() {
  MutexLock lock(&mutex_);
  if (!stopping_ && !has_work_) {
    const absl::Duration to_sweep =
        absl::Nanoseconds(next_sweep_ns_ - SteadyNowNs());
    wake_.WaitWithTimeout(&mutex_,
                          std::clamp(to_sweep, kSweepPeriod, kIdlePeriod));
  }
  has_work_ = false;
  return !stopping_;
}

void Merger::MergeWhileDue() {
  while (!stopping_ && due_) {
    const uint64_t seals = seals_;
    if (!MergeSome()) {
      // A full segment becomes an input once it is sealed: OnSeal tells. It may
      // do so right after the look, and must find what it takes back.
      awaits_seal_ = true;
      bool has_full =
          settings_.log->has_rolled() && settings_.log->failure().ok();
      // Without threads nobody else sees to that now. A writer that waits must
      // know if it can't be done.
      if (has_full && (!settings_.background_threads || wanted_ > 0)) {
        if (settings_.log->SealRolled().ok()) continue;
        has_full = false;
      }
      if (!has_full && SealLongActive()) continue;
      if (!has_full) {
        awaits_seal_ = false;
        stuck_ = true;
        // What was sealed after the look is an input that it has not seen.
        if (seals_ != seals) {
          stuck_ = false;  // OnSeal clears it after it has counted
          Assess();
          continue;
        }
        ++looks_in_vain_;
      }
      Assess();
      return;
    }
    Assess();
  }
}

// The active segment may be longer than the bound now allows one to be, since
// most of the store was deleted or has expired. Then it has to go as well.
bool Merger::SealLongActive() {
  for (const SegmentUse& use : Survey().uses) {
    if (use.sealed || use.record_bytes <= settings_.space->Capacity()) continue;
    if (use.dead_bytes() <= use.live_bytes) continue;
    return settings_.log->SealActive().ok();
  }
  return false;
}

void Merger::SweepExpired(bool now) {
  const bool any = sweeper_.Run(now, stopping_);
  next_sweep_ns_ = sweeper_.next_run_ns();
  if (!any) return;
  stuck_ = false;
  Assess();
}

bool Merger::MergeSome() {
  MutexLock lock(&merge_mutex_);
  RemoveLeft(/*all=*/false);
  SweepExpired(/*now=*/false);
  if (!IsDue()) return true;
  std::vector<std::shared_ptr<Segment>> inputs;
  {
    const Known known = Survey();
    for (const size_t i :
         ChooseInputs(known.uses, settings_.space->Capacity())) {
      inputs.push_back(known.segments[i]);
    }
  }
  if (inputs.empty()) return false;
  const uint64_t merges = merges_;
  const uint64_t read = bytes_read_, written = bytes_written_;
  const absl::Status status = MergeThese(std::move(inputs), /*rests=*/true);
  RemoveLeft(/*all=*/false);
  // A damaged input is left out from now on; the rest can go on.
  if (!status.ok() && merges_ == merges) return absl::IsDataLoss(status);
  // Where all that was dead are tombstones still needed, the next look leaves
  // them out, and finds what they hide.
  const bool frees = bytes_written_ - written < bytes_read_ - read;
  vain_merges_ = frees ? 0 : vain_merges_ + 1;
  return vain_merges_ <= kMostVainMerges;
}

absl::Status Merger::MergeThese(std::vector<std::shared_ptr<Segment>> inputs,
                                bool rests) {
  absl::Status status = TryToMerge(inputs, rests);
  if (!DURABILITY_SITE(kReserveForMerges, absl::IsResourceExhausted(status))) {
    return status;
  }
  // I7: the reserve is there so that this can free space on a full disk. It has
  // room for one of them; what that frees is room for the next.
  if (!settings_.log->GiveUpReserve() && inputs.size() == 1) return status;
  std::stable_sort(inputs.begin(), inputs.end(),
                   [](const auto& a, const auto& b) {
                     return a->live_bytes().load() < b->live_bytes().load();
                   });
  for (std::shared_ptr<Segment>& input : inputs) {
    RETURN_IF_ERROR(TryToMerge({std::move(input)}, rests));
    RemoveLeft(/*all=*/false);
  }
  return absl::OkStatus();
}

absl::Status Merger::TryToMerge(
    const std::vector<std::shared_ptr<Segment>>& inputs, bool rests) {
  Merge::Context context;
  context.state = settings_.state;
  context.directory = settings_.directory;
  context.manifest = settings_.manifest;
  context.log = settings_.log;
  context.hints = settings_.hints;
  context.output_capacity = settings_.capacity();
  context.unlinked = unlinked_;
  context.cancelled = &stopping_;
  context.bytes_read = &bytes_read_;
  context.uncounted_bytes = settings_.space->output_bytes();
  // Without background threads some writer waits for it.
  if (settings_.background_threads) {
    pause_ended_ns_ = SteadyNowNs();
    context.pace = [this, rests](uint64_t bytes) {
      merge_mutex_.AssertHeld();
      Pace(bytes, rests);
    };
  }
  Merge merge(context, inputs);
  const int64_t begin_ns = SteadyNowNs();
  settings_.space->BeginMerge(inputs);
  const absl::Status status = merge.Run();
  settings_.space->EndMerge(inputs);
  bytes_written_ += merge.bytes_written();
  if (!status.ok()) return status;
  ++merges_;
  settings_.merged(static_cast<uint64_t>(SteadyNowNs() - begin_ns));
  // More may have been unlinked while it ran.
  unlinked_.erase(
      unlinked_.begin(),
      unlinked_.begin() + static_cast<ptrdiff_t>(context.unlinked.size()));
  // Whose hint is still to be made would stay for that alone.
  for (const auto& input : inputs) settings_.hints->Remove(input->id());
  ReconsiderTombstones(inputs);
  tombstone_holders_.insert(merge.tombstone_holders().begin(),
                            merge.tombstone_holders().end());
  const absl::Status shortened = settings_.manifest->ShortenIfLong();
  if (!shortened.ok() && !absl::IsResourceExhausted(shortened)) {
    return settings_.log->Fail(shortened);
  }
  // What the smallest segment takes has changed; a full disk is for later.
  settings_.log->AdjustReserve().IgnoreError();
  return absl::OkStatus();
}

void Merger::Pace(uint64_t bytes, bool rests) {
  const int64_t now_ns = SteadyNowNs();
  MergePacer::Piece piece;
  piece.bytes = bytes;
  piece.worked = absl::Nanoseconds(now_ns - pause_ended_ns_);
  piece.ended = absl::Nanoseconds(now_ns);
  piece.urgency = Urgency();
  // An output that takes much of the bound has slowed writers from the start:
  // the sooner it is ready the better.
  piece.rests = rests && !throttle_.is_on();
  const int64_t end_ns =
      now_ns + absl::ToInt64Nanoseconds(pacer_.PauseAfter(piece));
  for (int64_t left = end_ns - now_ns; left > 0 && Urgency() < 1;
       left = end_ns - SteadyNowNs()) {
    std::this_thread::sleep_for(
        std::chrono::nanoseconds(std::min(left, kLongestSleepNs)));
    KeepUp();
  }
  KeepUp();
  pause_ended_ns_ = SteadyNowNs();
}

// A merge may be long: with a low limit on its bytes its pauses take hours
// together. Keys that expire meanwhile are to it like those that writers
// delete; of what it has copied of them, the record hides what is older.
void Merger::KeepUp() {
  const int64_t begin_ns = SteadyNowNs();
  if (begin_ns < keep_up_ns_ || waiting_ > 0) return;
  RemoveLeft(/*all=*/false);
  SweepExpired(/*now=*/false);
  // However much there is to sweep, the merge has half of the time.
  const int64_t end_ns = SteadyNowNs();
  keep_up_ns_ = end_ns + std::max(end_ns - begin_ns,
                                  absl::ToInt64Nanoseconds(kSweepPeriod));
}

double Merger::Urgency() const {
  if (stopping_ || waiting_ > 0 || throttle_.blocked()) return 1;
  // Without background_merge there is no bound.
  if (!settings_.background_merge) return 0;
  return MergeUrgency(settings_.space->Budget(), settings_.space->Used());
}

// Where a segment has gone that held what tombstones hide, a merge may free
// them. What they hid there has gone for good: it is dead, so nothing copied
// it.
void Merger::ReconsiderTombstones(
    const std::vector<std::shared_ptr<Segment>>& gone) {
  for (const auto& segment : gone) tombstone_holders_.erase(segment->id());
  for (const auto& segment : settings_.state->segments->All()) {
    const auto holders = tombstone_holders_.find(segment->id());
    if (holders == tombstone_holders_.end()) continue;
    const bool freed =
        std::any_of(gone.begin(), gone.end(), [&](const auto& each) {
          return holders->second.count(each->id()) > 0;
        });
    if (!freed) continue;
    segment->kept_tombstone_bytes() = 0;
    tombstone_holders_.erase(holders);
  }
}

absl::Status Merger::MergeNow(const MergeOptions& options) {
  ++waiting_;
  MutexLock lock(&merge_mutex_);
  --waiting_;
  if (stopping_) return absl::FailedPreconditionError("the store is closed");
  RemoveLeft(/*all=*/false);
  SweepExpired(/*now=*/true);
  for (const SegmentUse& use : Survey().uses) {
    if (use.sealed || use.dead_bytes() == 0) continue;
    RETURN_IF_ERROR(settings_.log->SealActive());
    break;
  }
  RETURN_IF_ERROR(MergeChosen(options.all));
  // Tombstones that stayed for an older record, in a segment that was merged
  // only after theirs, can go now.
  if (options.all) RETURN_IF_ERROR(MergeChosen(/*all=*/true));
  Assess();
  return absl::OkStatus();
}

absl::Status Merger::MergeChosen(bool all) {
  Known chosen = Survey();
  const MergePlan plan =
      PlanWholeMerge(chosen.uses, settings_.max_amplification, all);
  for (size_t i = plan.segments.size(); i-- > 0;) {
    if (!plan.segments[i].chosen) chosen.Erase(i);
  }
  while (!chosen.uses.empty()) {
    const std::vector<size_t> now =
        ChooseInputs(chosen.uses, settings_.space->Capacity());
    std::vector<std::shared_ptr<Segment>> inputs;
    for (const size_t i : now) inputs.push_back(chosen.segments[i]);
    for (auto i = now.rbegin(); i != now.rend(); ++i) chosen.Erase(*i);
    RETURN_IF_ERROR(MergeThese(std::move(inputs), /*rests=*/false));
    RemoveLeft(/*all=*/false);
    Assess();  // writers may wait for just that
  }
  return absl::OkStatus();
}

void Merger::BetweenMerges(absl::FunctionRef<void()> action) {
  ++waiting_;
  MutexLock lock(&merge_mutex_);
  --waiting_;
  action();
}

void Merger::Pause() {
  {
    MutexLock lock(&mutex_);
    ++pauses_;
  }
  Assess();
  ++waiting_;
  MutexLock wait_for_the_running_one(&merge_mutex_);
  --waiting_;
}

void Merger::Resume() {
  {
    MutexLock lock(&mutex_);
    if (pauses_ > 0) --pauses_;
  }
  Assess();
}

void Merger::Stop() {
  std::thread thread;
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    wanted_ = 0;
    settings_.space->Lift(true);
    thread.swap(thread_);
    wake_.SignalAll();
    throttle_.Release();
  }
  if (thread.joinable()) thread.join();
  MutexLock lock(&merge_mutex_);
  RemoveLeft(/*all=*/true);
}

// The manifest remembers a file that stays behind, and the next open removes
// it; so errors are no harm. What is unlinked is forgotten with a later edit.
void Merger::RemoveLeft(bool all) {
  for (const auto& segment : settings_.state->segments->TakeLeft(all)) {
    settings_.hints->Remove(segment->id());
    const absl::Status status = settings_.directory->Unlink(segment->name());
    if (status.ok()) unlinked_.push_back(segment->id());
  }
}

Merger::Counters Merger::counters() const {
  Counters counters;
  counters.merges = merges_;
  counters.bytes_read = bytes_read_;
  counters.bytes_written = bytes_written_;
  return counters;
}

}  // namespace stave
