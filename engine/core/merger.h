#ifndef STAVE_ENGINE_CORE_MERGER_H_
#define STAVE_ENGINE_CORE_MERGER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "engine/base/mutex.h"
#include "engine/core/expiry_sweeper.h"
#include "engine/core/merge.h"
#include "engine/core/merge_pacer.h"
#include "engine/core/merge_policy.h"
#include "engine/core/space_ledger.h"
#include "engine/core/write_throttle.h"
#include "stave/merge.h"

namespace stave {

// Store::PlanMerge, for a store whose manifest says so.
MergePlan PlanMerge(const State& state, const ManifestState& manifest,
                    uint64_t feed_retention_bytes, double max_amplification,
                    bool all);

// Keeps the files of a store's segments under their bound: runs merges when
// they are due, in a thread of its own or, without background threads, in the
// writer's, and slows writers down when merges fall behind.
//
// Thread-safe. One merge runs at a time.
class Merger {
 public:
  struct Settings {
    State* state = nullptr;
    Directory* directory = nullptr;
    Manifest* manifest = nullptr;
    Log* log = nullptr;
    HintWriter* hints = nullptr;
    SpaceLedger* space = nullptr;
    std::function<uint64_t()> capacity;  // of a segment that is made now
    // Told of each merge that was done, how long it took.
    std::function<void(uint64_t ns)> merged = [](uint64_t) {};
    double max_amplification = 1.5;
    uint64_t feed_retention_bytes = 0;
    uint64_t bytes_per_second = 0;  // of merges; 0: as many as can be
    bool background_merge = true;
    bool background_threads = true;
  };
  struct Counters {
    uint64_t merges = 0;
    uint64_t bytes_read = 0;
    uint64_t bytes_written = 0;
  };

  explicit Merger(const Settings& settings)
      : settings_(settings),
        sweeper_(settings.state, settings.log),
        pacer_(settings.bytes_per_second) {
    RetainLatest();
  }
  ~Merger() { Stop(); }

  // Before `bytes` are written, without any lock: waits as long as the bound
  // asks for.
  void Admit(uint64_t bytes) { throttle_.Admit(bytes); }
  // After a write, without any lock: merges if that is the writer's work.
  void RunIfDue() {
    if (settings_.background_threads) return;
    if (due_.load(std::memory_order_relaxed)) [[unlikely]]
      MergeWhileDue();
  }

  // Log's hooks. MakeSpace: has merges free space for a writer that the ledger
  // has refused `needed` bytes; what it may claim then. Where there is more to
  // free than writers have written of late, it waits only for a moment.
  SpaceGate::Claim MakeSpace(uint64_t needed);
  void OnGrowth();
  void OnSeal();

  // A key of the store expires at some time: from now on the thread looks for
  // those that have, if there is to be one. The append lock may be held.
  void OnExpiry();

  // Store::Merge.
  absl::Status MergeNow(const MergeOptions& options);

  // Calls it while no merge runs, which it may wait for.
  void BetweenMerges(absl::FunctionRef<void()> action);

  void Pause();
  void Resume();

  // Ends the thread, and a merge that is running. Removes files that merges
  // left to readers, who keep the bytes.
  void Stop();

  Counters counters() const;
  const WriteThrottle& throttle() const { return throttle_; }

 private:
  // An input that is known while it leaves can't be removed.
  struct Known {
    void Erase(size_t index);

    std::vector<std::shared_ptr<Segment>> segments;
    std::vector<SegmentUse> uses;
  };
  Known Survey() const;
  // Counts the latest segments of the log as kept for feeds.
  void RetainLatest();
  bool IsDue() const;
  // Writes are not blocked any more, though there is no room.
  void EndWaits();

  void RunThread();
  bool WaitForWork();
  void MergeWhileDue();
  // Whether there was something to merge, and it was.
  bool MergeSome();
  absl::Status MergeChosen(bool all)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(merge_mutex_);
  // Together or, if the disk has no room for that, one after another: those of
  // which less is live first. After an error some may have been merged.
  absl::Status MergeThese(std::vector<std::shared_ptr<Segment>> inputs,
                          bool rests)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(merge_mutex_);
  absl::Status TryToMerge(const std::vector<std::shared_ptr<Segment>>& inputs,
                          bool rests)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(merge_mutex_);
  // Pauses, after `bytes` of a merge's work that began when the last pause
  // ended, for as long as MergePacer says.
  void Pace(uint64_t bytes, bool rests)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(merge_mutex_);
  // While a merge runs: what is else done between merges.
  void KeepUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(merge_mutex_);
  // Of a running merge: 1 if anybody waits for its end, or as MergeUrgency.
  double Urgency() const;
  void ReconsiderTombstones(const std::vector<std::shared_ptr<Segment>>& gone)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(merge_mutex_);
  void RemoveLeft(bool all) ABSL_EXCLUSIVE_LOCKS_REQUIRED(merge_mutex_);
  void SweepExpired(bool now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(merge_mutex_);
  bool SealLongActive();
  bool HasThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Decides what is to be done about the bytes that there are now.
  void Assess();

  const Settings settings_;

  // The one who holds it merges; the members that it guards are a merge's, or
  // what is done between two.
  Mutex merge_mutex_;
  std::atomic<int> waiting_{0};  // for a running merge to end: it won't pause
  // Set once, under mutex_. Ends a merge, and nothing is due after it.
  std::atomic<bool> stopping_{false};
  // When sweeps have more to do. Changed by the one who sweeps.
  std::atomic<int64_t> next_sweep_ns_{INT64_MAX};

  // What to do about the bytes that there are. Invariants:
  //
  //  1. Assess sets due_, what throttle_ asks for and has_work_, under mutex_,
  //     so that the three agree. Stop ends what throttle_ asks for, for good.
  //  2. due_: there were too many bytes, no pause, no stop, and not stuck_.
  //     throttle_ is on only while due_ is, and only if a thread merges.
  //  3. stuck_: a look has found no input, and no segment was full without
  //     being sealed. What may make an input clears it: OnSeal, OnGrowth with a
  //     full segment, a sweep that removed keys.
  //  4. awaits_seal_: a look has found no input, but a full segment will be one
  //     once it is sealed: writers are slowed, as due_ says, but the thread
  //     sleeps until OnSeal clears it.
  //  5. Whoever changes stuck_ or awaits_seal_ calls Assess afterwards. OnSeal
  //     counts seals_ first, so who sets stuck_ after a look and finds them as
  //     they were before it has missed none.
  //  6. wanted_: what a writer was refused, who waits. Writes are blocked until
  //     there is room for it, or nothing is due. A merge is due meanwhile, and
  //     the writer has cleared stuck_: each look that found nothing all the
  //     same is counted, after which it takes its space from what is left.
  std::atomic<bool> due_{false};
  std::atomic<bool> stuck_{false};
  std::atomic<bool> awaits_seal_{false};
  std::atomic<uint64_t> seals_{0};
  std::atomic<uint64_t> wanted_{0};  // changed under mutex_
  std::atomic<uint64_t> looks_in_vain_{0};
  WriteThrottle throttle_;

  mutable Mutex mutex_;
  CondVar wake_;  // for the thread
  bool has_work_ ABSL_GUARDED_BY(mutex_) = false;
  int pauses_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
  ExpirySweeper sweeper_ ABSL_GUARDED_BY(merge_mutex_);
  MergePacer pacer_ ABSL_GUARDED_BY(merge_mutex_);
  int64_t pause_ended_ns_ ABSL_GUARDED_BY(merge_mutex_) = 0;
  int64_t keep_up_ns_ ABSL_GUARDED_BY(merge_mutex_) = 0;  // from then on
  int vain_merges_ ABSL_GUARDED_BY(merge_mutex_) = 0;     // in a row
  // Those whose unlinks the manifest has not forgotten yet; the first ones are
  // in the context of a merge that is running.
  std::vector<SegmentId> unlinked_ ABSL_GUARDED_BY(merge_mutex_);
  Merge::TombstoneHolders tombstone_holders_ ABSL_GUARDED_BY(merge_mutex_);

  std::atomic<uint64_t> merges_{0};
  std::atomic<uint64_t> bytes_read_{0};
  std::atomic<uint64_t> bytes_written_{0};
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_MERGER_H_
