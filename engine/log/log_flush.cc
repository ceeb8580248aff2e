#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"
#include "engine/base/steady_time.h"
#include "engine/log/log.h"

namespace stave {
namespace {

// A flush may begin later by this part of what the last one took, so that more
// writers share it.
constexpr int64_t kPartOfFlushToWait = 4;
constexpr int64_t kLongestWaitNs = 5'000'000;

}  // namespace

absl::Status Log::failure() const {
  MutexLock lock(&flush_mutex_);
  return failure_;
}

absl::Status Log::Latch(const absl::Status& status) {
  MutexLock lock(&flush_mutex_);
  if (!failure_.ok()) return failure_;
  absl::Status failure = absl::FailedPreconditionError(
      absl::StrCat("the store is read-only until it is opened again, since "
                   "a sync failed: ",
                   status.message()));
  // I7: the kernel may have dropped what it could not write, and says so once.
  if (TakenAway(DurabilitySite::kSyncLatch)) return failure;
  failure_ = std::move(failure);
  failed_.store(true, std::memory_order_relaxed);
  return failure_;
}

absl::Status Log::SyncThrough(Sequence sequence, SyncedFor whom) {
  MutexLock lock(&flush_mutex_);
  if (synced_ >= sequence) return absl::OkStatus();
  if (whom == SyncedFor::kWriter) {
    ++writers_waiting_;
    if (WritersToWaitFor() <= 0) all_wait_.Signal();
  }
  absl::Status status;
  while (status.ok() && synced_ < sequence) status = FlushOrWait(whom);
  if (whom == SyncedFor::kWriter) {
    --writers_waiting_;
    if (status.ok()) --writers_leaving_;
  }
  return status;
}

int Log::WritersToWaitFor() const {
  return writers_expected_ - (writers_waiting_ - writers_leaving_);
}

// Those that the last flush has answered are about to be here again, if they
// write one thing after another; and one flush costs as much for all of them as
// for half.
void Log::AwaitOtherWriters() {
  const int64_t end_ns =
      SteadyNowNs() +
      std::min(last_flush_ns_ / kPartOfFlushToWait, kLongestWaitNs);
  while (WritersToWaitFor() > 0) {
    const int64_t left_ns = end_ns - SteadyNowNs();
    if (left_ns <= 0) return;
    all_wait_.WaitWithTimeout(&flush_mutex_, absl::Nanoseconds(left_ns));
  }
}

absl::Status Log::FlushOrWait(SyncedFor whom) {
  if (!failure_.ok()) return failure_;
  if (flushing_) {
    flushed_.Wait(&flush_mutex_);
    return absl::OkStatus();
  }
  flushing_ = true;
  if (whom == SyncedFor::kWriter) {
    writer_syncs_.fetch_add(1, std::memory_order_relaxed);
    AwaitOtherWriters();
  }
  const int writers = writers_waiting_ - writers_leaving_;
  const int64_t begin_ns = SteadyNowNs();
  flush_mutex_.Unlock();
  {
    MutexLock lock(&append_mutex_);
    if (ClockFloorWantsMark()) MarkClockFloor();
  }
  FlushTarget target = CaptureTarget();
  // I3: first the segments in front, since without them nobody finds this.
  absl::Status status = DURABILITY_SITE(kSealBeforeAnswer, SealAll(target));
  if (status.ok()) status = SyncActive(target);
  if (TakenAway(DurabilitySite::kAnswerForBegin)) target = CaptureTarget();
  if (status.ok()) settings_.clock->FloorIsDurable(target.clock_floor_ms);
  flush_mutex_.Lock();
  // I2: what was appended meanwhile may have missed this sync.
  if (status.ok()) {
    synced_ = target.sequence;
    if (target.active != nullptr) synced_end_ = target.end();
    writers_leaving_ += writers;
    writers_expected_ = writers_waiting_;
    last_flush_ns_ = SteadyNowNs() - begin_ns;
  }
  flushing_ = false;
  flushed_.SignalAll();
  return status;
}

absl::Status Log::SyncClockFloor() {
  EngineClock& clock = *settings_.clock;
  if (!clock.FloorIsDue()) return absl::OkStatus();
  const int64_t seen_ms = clock.expiry_seen_ms();
  {
    MutexLock lock(&append_mutex_);
    RETURN_IF_ERROR(CheckOpen());
    if (ClockFloorWantsMark() && !MarkClockFloor()) {
      // Without a place in the log: nobody has written yet, or there is no
      // room. Under the lock, so that no edit comes after a clean close.
      const absl::Status status = AppendClockFloor();
      const bool full = absl::IsResourceExhausted(status);
      return status.ok() || full ? status : Latch(status);
    }
  }
  MutexLock lock(&flush_mutex_);
  while (clock.durable_floor_ms() < seen_ms) {
    RETURN_IF_ERROR(FlushOrWait(SyncedFor::kStore));
  }
  return absl::OkStatus();
}

absl::Status Log::SyncAll() {
  Sequence last_change = 0;
  {
    MutexLock lock(&append_mutex_);
    last_change = last_change_;
  }
  return SyncThrough(last_change);
}

absl::Status Log::SealActive() {
  {
    MutexLock lock(&append_mutex_);
    RETURN_IF_ERROR(CheckOpen());
    if (active_ != nullptr && active_->summary().records > 0) {
      rolled_.push_back(std::move(active_));
      active_ = nullptr;
      has_rolled_ = true;
      has_rolled_now_ = true;
    }
  }
  return SealRolled();
}

absl::Status Log::SealRolled() {
  MutexLock lock(&flush_mutex_);
  while (flushing_) flushed_.Wait(&flush_mutex_);
  if (!failure_.ok()) return failure_;
  flushing_ = true;
  flush_mutex_.Unlock();
  const absl::Status status = SealAll(CaptureTarget());
  flush_mutex_.Lock();
  flushing_ = false;
  flushed_.SignalAll();
  return status;
}

Log::SyncedEnd Log::synced_end() const {
  MutexLock lock(&flush_mutex_);
  return synced_end_;
}

Log::FlushTarget Log::CaptureTarget() {
  MutexLock lock(&append_mutex_);
  FlushTarget target;
  target.rolled = rolled_;
  target.active = active_;
  target.active_length = active_length();
  target.sequence = last_change_;
  target.clock_floor_ms = marked_floor_ms_;
  return target;
}

absl::Status Log::SealAll(const FlushTarget& target) {
  for (const Writer& writer : target.rolled) {
    RETURN_IF_ERROR(Seal(writer));
    {
      MutexLock lock(&append_mutex_);
      rolled_.erase(rolled_.begin());
      has_rolled_now_ = !rolled_.empty();
    }
    settings_.sealed(writer->segment(), writer->summary());
  }
  if (!target.rolled.empty()) WantReserve();
  return absl::OkStatus();
}

absl::Status Log::Seal(const Writer& writer) {
  Segment& segment = *writer->segment();
  absl::Status status = writer->Trim();
  // I3: the edit says that all of the segment is on the device.
  if (status.ok()) {
    status = DURABILITY_SITE(kSealSync, Flush(segment));
  }
  if (!status.ok()) return Latch(status);
  status = AppendEdit({SealSegmentChange{segment.id(), writer->summary()}});
  // It can be sealed when there is space again.
  if (!status.ok()) {
    return absl::IsResourceExhausted(status) ? status : Latch(status);
  }
  {
    // A merge may remove it from now on.
    MutexLock lock(&flush_mutex_);
    if (synced_end_.segment == segment.id()) synced_end_ = {};
  }
  segment.EndAppends();
  return absl::OkStatus();
}

absl::Status Log::Flush(const Segment& segment) {
  const int64_t begin_ns = SteadyNowNs();
  RETURN_IF_ERROR(segment.file()->SyncData());
  syncs_.fetch_add(1, std::memory_order_relaxed);
  settings_.flushed(static_cast<uint64_t>(SteadyNowNs() - begin_ns));
  return absl::OkStatus();
}

absl::Status Log::SyncActive(const FlushTarget& target) {
  if (target.active == nullptr) return absl::OkStatus();
  const Segment& segment = *target.active->segment();
  if (target.end() == synced_end_) return absl::OkStatus();
  // I2: a mark is written after the sync, and vouches for what was complete
  // when that began.
  if (TakenAway(DurabilitySite::kMarkAfterSync)) {
    MutexLock lock(&append_mutex_);
    AppendSyncMark(segment.id(), target.active_length);
  }
  const absl::Status status = DURABILITY_SITE(kFlushSync, Flush(segment));
  if (!status.ok()) return Latch(status);
  MutexLock lock(&append_mutex_);
  if (TakenAway(DurabilitySite::kMarkForBegin)) {
    AppendSyncMark(active_id(), active_length());
  }
  AppendSyncMark(segment.id(), target.active_length);
  return absl::OkStatus();
}

bool Log::AppendSyncMark(SegmentId segment, uint64_t length) {
  SyncMark mark;
  mark.segment = segment;
  mark.length = length;
  mark.clock_floor_ms = DURABILITY_SITE(kMarkFloor, settings_.clock->NowMs());
  char body[kSyncMarkBytes];
  EncodeSyncMark(mark, body);
  PendingRecord record;
  record.value = std::string_view(body, sizeof(body));
  record.header.kind = RecordKind::kSyncMark;
  record.header.value_size = kSyncMarkBytes;
  record.header.body = BodyChecksum({}, record.value);
  // A mark is help for recovery, no promise: without room there is none.
  if (closed_ || active_ == nullptr || !active_->HasRoom(record.size()) ||
      !active_
           ->Reserve(record.size(), settings_.space, SpaceGate::Claim::kAlways)
           .ok() ||
      !Append(record).ok()) {
    return false;
  }
  marked_floor_ms_ = mark.clock_floor_ms;
  return true;
}

bool Log::ClockFloorWantsMark() const {
  const EngineClock& clock = *settings_.clock;
  return clock.FloorIsDue() && marked_floor_ms_ < clock.expiry_seen_ms();
}

bool Log::MarkClockFloor() {
  // It vouches for nothing but the header, which was durable before the first
  // record: only the time counts.
  return AppendSyncMark(active_id(), kSegmentHeaderBytes);
}

absl::Status Log::Close() {
  {
    MutexLock lock(&append_mutex_);
    closed_ = true;
    while (creating_) created_.Wait(&append_mutex_);
  }
  StopThreads();
  RETURN_IF_ERROR(SyncAll());
  RETURN_IF_ERROR(SealRolled());
  return CloseManifest();
}

absl::Status Log::CloseManifest() {
  Writer active, next;
  {
    MutexLock lock(&append_mutex_);
    active = std::exchange(active_, nullptr);
    next = std::exchange(next_, nullptr);
  }
  if (next != nullptr) RETURN_IF_ERROR(DropSegment(next));
  CleanCloseChange close;
  if (active != nullptr) {
    // Marks may have come after the last sync.
    RETURN_IF_ERROR(active->Trim());
    const absl::Status status =
        DURABILITY_SITE(kCloseSync, Flush(*active->segment()));
    if (!status.ok()) return Latch(status);
    close.id = active->segment()->id();
    close.summary = active->summary();
  }
  const absl::Status status = AppendEdit({close});
  // Everything is on the device; the next open just has to look for the end.
  if (absl::IsResourceExhausted(status)) return status;
  if (!status.ok()) return Latch(status);
  return settings_.manifest->Trim();
}

}  // namespace stave
