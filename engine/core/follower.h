#ifndef STAVE_ENGINE_CORE_FOLLOWER_H_
#define STAVE_ENGINE_CORE_FOLLOWER_H_

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/base/mutex.h"
#include "engine/base/types.h"
#include "engine/core/follower_plan.h"
#include "engine/core/log_tail.h"
#include "engine/core/state.h"
#include "engine/fs/file_system.h"
#include "engine/log/manifest.h"

namespace stave {

// Brings a read-only store up to what its writer, another process, has done
// since (I10). It does to the keydir, beside its readers, what the writer did:
//
//  1. The manifest is read, and all segments that are new to us are opened.
//     Where one has gone meanwhile, the manifest is read again.
//  2. Segments of the log that have outgrown our mapping of them are mapped
//     anew, and their keys' entries moved there.
//  3. What the log has behind the last record that we know is put into the
//     keydir, record by record, batch by batch: each under change_mutex(), so
//     that readers and instants see what they would see at the writer's.
//  4. Records that merges have copied are found in their outputs, and entries
//     are moved there. Entries that still name merged segments go: their keys
//     have expired.
//  5. The list of segments becomes the manifest's.
//
// If merges have taken records that we had not read yet, the states in between
// are gone, and outputs have newer records among older ones. Then 3 to 5 are
// one change: readers wait for its end. A record of an output counts if it is
// behind the last one that we knew; else it is one that we know.
//
// Thread-safe.
class Follower {
 public:
  // Follows from where `listed` and `last` have the log end, which `state` was
  // made of. `on_end` is called once there is nothing to follow any more.
  Follower(Directory* directory, State* state, ManifestState listed,
           Sequence last, std::function<void()> on_end);
  ~Follower() { Stop(); }

  // Store::Refresh.
  absl::Status Refresh();

  // Calls Refresh each `interval` in a thread of its own.
  absl::Status Start(absl::Duration interval);
  void Stop();

  // Why nothing can be followed any more; else OK.
  absl::Status failure() const;

  // Held while anything changes that readers see.
  Mutex& change_mutex() ABSL_LOCK_RETURNED(change_mutex_) {
    return change_mutex_;
  }
  // The last record that readers see.
  Sequence last() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mutex_) {
    return last_;
  }
  const ManifestState& listed() const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mutex_) {
    return listed_;
  }
  // Calls it while listed() is what the segments are, with change_mutex() held.
  // Unavailable if the last Refresh has stopped half-way.
  absl::Status BetweenRefreshes(absl::FunctionRef<void()> action);

 private:
  absl::Status TryToRefresh() ABSL_EXCLUSIVE_LOCKS_REQUIRED(refresh_mutex_);
  // Whether what was read so far is what the log begins with.
  bool IsSameLog(const ManifestState& manifest) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mutex_);
  absl::Status End(const absl::Status& why);

  // `known` is the last record that was known before.
  absl::Status Apply(FollowerPlan* plan, Sequence known)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(refresh_mutex_);
  absl::Status MoveToNewMappings(FollowerPlan* plan, Sequence known);
  void ListNewMappings(const FollowerPlan& plan);
  absl::Status ReadOn(FollowerPlan* plan, Sequence known);
  absl::Status TakeOutputs(FollowerPlan* plan, Sequence known);
  absl::Status Jump(FollowerPlan* plan, Sequence known)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mutex_);
  void Finish(FollowerPlan* plan) ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mutex_);

  // Returns the last record that there was behind `last`.
  absl::StatusOr<Sequence> ReadLog(const FollowerPlan::Item& item,
                                   Sequence last, LogVisit visit);
  absl::Status TakeOutput(FollowerPlan::Item* item, Sequence known,
                          const FollowerPlan& plan);
  // Moves entries of records up to `known` to `segment`; in a jump, makes those
  // of later ones, with change_mutex() held.
  absl::Status TakeFrom(Segment* segment, uint64_t end, Sequence known,
                        const FollowerPlan& plan);
  absl::Status Move(Segment* to, const std::vector<RecordView>& records,
                    const FollowerPlan& plan);
  absl::Status Change(Segment* segment, const LogStep& step)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mutex_);
  absl::Status ChangeKey(Segment* segment, const RecordView& record)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mutex_);
  std::vector<KeydirEntry> EntriesLeaving(const FollowerPlan& plan) const;
  absl::Status Drop(KeydirEntry entry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mutex_);
  void Run(absl::Duration interval);

  Directory* const directory_;
  State& state_;
  const std::function<void()> on_end_;

  Mutex refresh_mutex_;  // held by the one who refreshes
  Mutex change_mutex_;
  // Both are changed by the one who refreshes.
  ManifestState listed_ ABSL_GUARDED_BY(change_mutex_);
  Sequence last_ ABSL_GUARDED_BY(change_mutex_);
  // The segments are those of listed_.
  bool settled_ ABSL_GUARDED_BY(refresh_mutex_) = true;

  mutable Mutex mutex_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_FOLLOWER_H_
