#include "engine/core/follower.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/base/epoch.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/core/log_history.h"
#include "engine/log/segment_scanner.h"

namespace stave {
namespace {

// A writer may replace files while they are looked at.
constexpr int kTries = 100;
// Slots of so many keys are on their way from memory together.
constexpr size_t kGroupSize = 64;

// The sequence that the log has in front of the segment, or less. What was
// there may be gone: at least marks, of which a reader knows nothing.
Sequence SequenceBefore(const FollowerPlan::Item& item,
                        const FollowerPlan& plan) {
  return item.listed.sealed.has_value() ? item.listed.sealed->least_sequence - 1
                                        : plan.manifest.base.sealed_through;
}

}  // namespace

Follower::Follower(Directory* directory, State* state, ManifestState listed,
                   Sequence last, std::function<void()> on_end)
    : directory_(directory),
      state_(*state),
      on_end_(std::move(on_end)),
      listed_(std::move(listed)),
      last_(last) {}

absl::Status Follower::Refresh() {
  MutexLock lock(&refresh_mutex_);
  RETURN_IF_ERROR(failure());
  for (int tries = 1;; ++tries) {
    const absl::Status status = TryToRefresh();
    if (status.ok() || tries == kTries || !failure().ok()) return status;
  }
}

absl::Status Follower::TryToRefresh() {
  // What was acknowledged by now is in segments that this names, or in what
  // merges have made of them.
  ASSIGN_OR_RETURN(LoadedManifest loaded, Manifest::Load(directory_));
  Sequence known = 0;
  {
    MutexLock lock(&change_mutex_);
    known = last_;
    if (!IsSameLog(loaded.state)) {
      return End(absl::FailedPreconditionError(absl::StrCat(
          directory_->path(), ": the store has become another one than that ",
          "which was opened, or a recovery has cut off what was read")));
    }
  }
  absl::StatusOr<FollowerPlan> plan =
      MakeFollowerPlan(directory_, state_, std::move(loaded.state), known);
  if (absl::IsFailedPrecondition(plan.status())) return End(plan.status());
  RETURN_IF_ERROR(plan.status());
  const absl::Status status = Apply(&*plan, known);
  plan->GiveUp(state_.segments.get());
  return status;
}

bool Follower::IsSameLog(const ManifestState& manifest) const {
  return manifest.base.store_id == listed_.base.store_id &&
         IsOfThisLog(manifest, {IncarnationOf(listed_), last_});
}

absl::Status Follower::End(const absl::Status& why) {
  absl::Status failure = absl::FailedPreconditionError(
      absl::StrCat(why.message(), "; open it again"));
  {
    MutexLock lock(&mutex_);
    failure_ = failure;
  }
  on_end_();
  return failure;
}

absl::Status Follower::failure() const {
  MutexLock lock(&mutex_);
  return failure_;
}

absl::Status Follower::BetweenRefreshes(absl::FunctionRef<void()> action) {
  MutexLock refresh(&refresh_mutex_);
  if (!settled_) {
    return absl::UnavailableError(
        "the last Refresh of the store has stopped half-way: call it again");
  }
  MutexLock change(&change_mutex_);
  action();
  return absl::OkStatus();
}

absl::Status Follower::Apply(FollowerPlan* plan, Sequence known) {
  if (!plan->changes_anything()) {
    MutexLock lock(&change_mutex_);
    Finish(plan);
    settled_ = true;
    return absl::OkStatus();
  }
  settled_ = false;
  absl::Status status = MoveToNewMappings(plan, known);
  if (!status.ok()) return End(status);
  if (plan->jumps) {
    MutexLock lock(&change_mutex_);
    // Readers who meet anything new wait until all of it is there.
    state_.publication.Begin(Location{0}, Location{~uint64_t{0}});
    status = Jump(plan, known);
    if (status.ok()) {
      Finish(plan);
    } else {
      status = End(status);  // before anybody sees what is half done
    }
    state_.publication.End();
    if (!status.ok()) return status;
  } else {
    ListNewMappings(*plan);
    // After an error of reading, what readers see is as it once was.
    RETURN_IF_ERROR(ReadOn(plan, known));
    status = TakeOutputs(plan, known);
    MutexLock lock(&change_mutex_);
    if (status.ok()) Finish(plan);
  }
  if (!status.ok()) return End(status);
  settled_ = true;
  if (plan->leaving.empty()) return absl::OkStatus();
  plan->items.clear();
  WaitForReaders();
  state_.segments->TakeLeft(/*all=*/false);
  return absl::OkStatus();
}

// Those who look at an instant from before find the records where entries name
// them now, or by their sequence.
absl::Status Follower::MoveToNewMappings(FollowerPlan* plan, Sequence known) {
  for (FollowerPlan::Item& item : plan->items) {
    if (!item.is_new || !item.is_log()) continue;
    state_.segments->Stage(item.segment);
    item.is_staged = true;
    if (item.replaced == nullptr) continue;
    const uint64_t end = item.replaced->end();
    item.segment->end() = end;
    RETURN_IF_ERROR(TakeFrom(item.segment.get(), end, known, *plan));
  }
  return absl::OkStatus();
}

void Follower::ListNewMappings(const FollowerPlan& plan) {
  std::vector<std::shared_ptr<Segment>> now = state_.segments->All();
  for (const FollowerPlan::Item& item : plan.items) {
    if (!item.is_staged) continue;
    if (item.replaced == nullptr) {
      now.push_back(item.segment);
    } else {
      *std::find(now.begin(), now.end(), item.replaced) = item.segment;
    }
  }
  MutexLock lock(&change_mutex_);
  state_.segments->Relist(std::move(now));
}

absl::Status Follower::ReadOn(FollowerPlan* plan, Sequence known) {
  for (const FollowerPlan::Item& item : plan->items) {
    if (!item.has_more) continue;
    Segment* const segment = item.segment.get();
    const auto publish = [&](const LogStep& step) {
      MutexLock lock(&change_mutex_);
      const bool is_batch = step.records.size() > 1;
      if (is_batch) {
        state_.publication.Begin(segment->LocationOf(segment->end()),
                                 segment->LocationOf(step.end));
      }
      absl::Status status = Change(segment, step);
      if (!status.ok()) status = End(status);  // as in a jump
      if (is_batch) state_.publication.End();
      return status;
    };
    known = std::max(known, SequenceBefore(item, *plan));
    ASSIGN_OR_RETURN(known, ReadLog(item, known, publish));
  }
  return absl::OkStatus();
}

absl::Status Follower::TakeOutputs(FollowerPlan* plan, Sequence known) {
  for (FollowerPlan::Item& item : plan->items) {
    if (!item.is_new || item.is_log()) continue;
    RETURN_IF_ERROR(TakeOutput(&item, known, *plan));
  }
  if (!plan->removes_any()) return absl::OkStatus();
  for (const KeydirEntry entry : EntriesLeaving(*plan)) {
    MutexLock lock(&change_mutex_);
    RETURN_IF_ERROR(Drop(entry));
  }
  return absl::OkStatus();
}

absl::Status Follower::Jump(FollowerPlan* plan, Sequence known) {
  // In this order the later record of a key is the newer one.
  for (FollowerPlan::Item& item : plan->items) {
    if (!item.is_log()) {
      if (item.is_new) RETURN_IF_ERROR(TakeOutput(&item, known, *plan));
      continue;
    }
    if (!item.has_more) continue;
    const Sequence before = SequenceBefore(item, *plan);
    RETURN_IF_ERROR(
        ReadLog(item, std::max(last_, before), [&](const LogStep& step) {
          change_mutex_.AssertHeld();
          return Change(item.segment.get(), step);
        }).status());
  }
  last_ = std::max(last_, plan->manifest.merged_through);
  for (const KeydirEntry entry : EntriesLeaving(*plan)) {
    RETURN_IF_ERROR(Drop(entry));
  }
  return absl::OkStatus();
}

absl::StatusOr<Sequence> Follower::ReadLog(const FollowerPlan::Item& item,
                                           Sequence last, LogVisit visit) {
  const Segment& segment = *item.segment;
  const LogPlace from = {item.segment->end(), last};
  if (!item.listed.sealed.has_value()) {
    LogTail tail(item.file.get(), segment.seed(), from, segment.capacity());
    RETURN_IF_ERROR(tail.Visit(visit));
    return tail.place().sequence;
  }
  // Nobody cuts it any more.
  LogPlace place = from;
  const uint64_t length = item.listed.sealed->length;
  SegmentScanner scanner(segment, length, /*check_bodies=*/true, place.offset);
  RETURN_IF_ERROR(VisitLog(&scanner, &place, visit));
  if (place.offset == length) return place.sequence;
  RETURN_IF_ERROR(scanner.read_status());
  return state_.Damage(segment, place.offset,
                       "the segment's records are not those that were there "
                       "when it was sealed");
}

absl::Status Follower::TakeOutput(FollowerPlan::Item* item, Sequence known,
                                  const FollowerPlan& plan) {
  Segment* const segment = item->segment.get();
  segment->end() = item->listed.sealed->length;
  state_.segments->Stage(item->segment);
  item->is_staged = true;
  return TakeFrom(segment, segment->end(), known, plan);
}

absl::Status Follower::TakeFrom(Segment* segment, uint64_t end, Sequence known,
                                const FollowerPlan& plan) {
  SegmentScanner scanner(*segment, end, /*check_bodies=*/true);
  std::vector<RecordView> group;
  RecordView record;
  auto step = scanner.Next(&record);
  for (; step == SegmentScanner::Step::kRecord; step = scanner.Next(&record)) {
    const RecordKind kind = record.header.kind;
    if (record.header.sequence > known) {
      if (!plan.jumps) continue;  // it was read from the log
      change_mutex_.AssertHeld();
      RETURN_IF_ERROR(ChangeKey(segment, record));
    } else if (kind == RecordKind::kPut) {
      group.push_back(record);
      if (group.size() < kGroupSize &&
          !SegmentScanner::AreManyBytes(group.front(), record)) {
        continue;
      }
      RETURN_IF_ERROR(Move(segment, group, plan));
      group.clear();
    }
  }
  RETURN_IF_ERROR(Move(segment, group, plan));
  if (scanner.offset() == end) return absl::OkStatus();
  return state_.Damage(*segment, scanner.offset(), scanner.problem());
}

absl::Status Follower::Move(Segment* to, const std::vector<RecordView>& records,
                            const FollowerPlan& plan) {
  EpochGuard guard;
  std::vector<KeyRef> keys;
  for (const RecordView& record : records) {
    keys.push_back({record.key, (*state_.hasher)(record.key)});
    state_.keydir->Prefetch(keys.back());
  }
  for (size_t i = 0; i < records.size(); ++i) {
    const RecordView& record = records[i];
    const KeydirEntry present = state_.keydir->Find(keys[i]);
    if (present.absent()) continue;
    Segment* from = state_.segments->Find(present.location());
    if (!plan.Leaves(from)) continue;
    // Else the key, which is there, would be taken for one that has expired.
    RecordView found;
    RETURN_IF_ERROR(state_.ReadKeyAt(present, &from, &found));
    // The same record, or else a newer one, which lies elsewhere.
    if (found.header.sequence != record.header.sequence) continue;
    const uint64_t size = record.header.record_size();
    to->live_bytes() += size;
    from->live_bytes() -= size;
    state_.keydir->CompareAndSwap(
        keys[i], present,
        KeydirEntry::Live(to->LocationOf(record.offset), size,
                          record.header.expires));
  }
  return absl::OkStatus();
}

absl::Status Follower::Change(Segment* segment, const LogStep& step) {
  // First, so that who finds a record sees that the segment has it.
  segment->end() = step.end;
  // What a later change in the batch hides, nobody may ever see.
  absl::flat_hash_set<KeyHash> hidden;
  std::vector<const RecordView*> seen;
  for (auto record = step.records.rbegin(); record != step.records.rend();
       ++record) {
    const RecordKind kind = record->header.kind;
    if (kind != RecordKind::kPut && kind != RecordKind::kDelete) continue;
    const bool is_last = step.records.size() == 1 ||
                         hidden.insert((*state_.hasher)(record->key)).second;
    if (is_last) seen.push_back(&*record);
  }
  for (auto record = seen.rbegin(); record != seen.rend(); ++record) {
    RETURN_IF_ERROR(ChangeKey(segment, **record));
  }
  last_ = step.sequence;
  return absl::OkStatus();
}

absl::Status Follower::ChangeKey(Segment* segment, const RecordView& record) {
  EpochGuard guard;
  const KeyRef key{record.key, (*state_.hasher)(record.key)};
  if (state_.overlay.active()) {
    state_.SaveVersion(key, state_.keydir->Find(key));
  }
  const bool is_delete = record.header.kind == RecordKind::kDelete;
  state_.publication.NoteChange(is_delete);
  KeydirEntry replaced;
  absl::Status status;
  if (is_delete) {
    replaced = state_.keydir->Remove(key);
  } else {
    const uint64_t size = record.header.record_size();
    const absl::StatusOr<KeydirEntry> put = state_.keydir->Put(
        key, KeydirEntry::Live(segment->LocationOf(record.offset), size,
                               record.header.expires));
    status = put.status();
    if (status.ok()) {
      replaced = *put;
      state_.NoteRecordSize(size);
      state_.AddLive(segment, size);
    }
  }
  state_.publication.NoteChanged();
  state_.SubtractReplaced(replaced);
  return status;
}

std::vector<KeydirEntry> Follower::EntriesLeaving(
    const FollowerPlan& plan) const {
  std::vector<bool> leaves(state_.segments->GranuleCount());
  for (size_t granule = 0; granule < leaves.size(); ++granule) {
    leaves[granule] = plan.Leaves(state_.segments->SegmentOfGranule(granule));
  }
  std::vector<KeydirEntry> entries;
  state_.keydir->Sweep(0, 1, [&](KeydirEntry entry) {
    const size_t granule = SegmentSet::GranuleOf(entry.location());
    if (leaves[granule]) entries.push_back(entry);
    return true;
  });
  return entries;
}

absl::Status Follower::Drop(KeydirEntry entry) {
  EpochGuard guard;
  Segment* segment = nullptr;
  RecordView record;
  RETURN_IF_ERROR(state_.ReadKeyAt(entry, &segment, &record));
  const KeyRef key{record.key, (*state_.hasher)(record.key)};
  state_.SaveVersion(key, entry, state_.Expired(record.header));
  state_.publication.NoteChange(/*is_removal=*/true);
  const bool dropped = state_.keydir->CompareAndSwap(key, entry, KeydirEntry());
  state_.publication.NoteChanged();
  if (!dropped) {
    return state_.Damage(*segment, record.offset, "the key is another one");
  }
  state_.SubtractLive(segment, record.header.record_size());
  return absl::OkStatus();
}

void Follower::Finish(FollowerPlan* plan) {
  std::vector<std::shared_ptr<Segment>> now;
  for (const FollowerPlan::Item& item : plan->items) {
    if (item.segment != nullptr) now.push_back(item.segment);
  }
  state_.segments->Relist(std::move(now));
  listed_ = std::move(plan->manifest);
}

absl::Status Follower::Start(absl::Duration interval) {
  ASSIGN_OR_RETURN(thread_, StartThread([this, interval] { Run(interval); }));
  return absl::OkStatus();
}

void Follower::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    wake_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Follower::Run(absl::Duration interval) {
  while (true) {
    {
      MutexLock lock(&mutex_);
      if (!stopping_) wake_.WaitWithTimeout(&mutex_, interval);
      if (stopping_) return;
    }
    // What can't be done now may be later; if it never can, readers are told.
    Refresh().IgnoreError();
  }
}

}  // namespace stave
