#include "engine/log/log.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/durability_site.h"
#include "engine/base/random_bits.h"
#include "engine/base/status_macros.h"

namespace stave {
namespace {

// More rolled segments than this wait for the device before the log grows.
constexpr size_t kMaxRolled = 3;
constexpr uint64_t kGrowthToldBytes = 256 << 10;
// This part of a small segment's capacity is reserved when it is made.
constexpr uint64_t kFirstStepFraction = 8;

bool IsDelete(const PendingRecord& record) {
  return record.header.kind == RecordKind::kDelete;
}

}  // namespace

Log::Log(Settings settings, std::unique_ptr<SegmentWriter> active,
         Sequence last_sequence)
    : settings_(std::move(settings)),
      reserve_(settings_.directory),
      active_(std::move(active)),
      last_sequence_(last_sequence),
      last_change_(last_sequence),
      synced_(last_sequence) {
  if (active_ != nullptr) {
    synced_end_ = {active_->segment()->id(), active_->length()};
  }
}

Log::~Log() { StopThreads(); }

SegmentId Log::active_id() const {
  return active_ == nullptr ? 0 : active_->segment()->id();
}

uint64_t Log::active_length() const {
  return active_ == nullptr ? 0 : active_->summary().length;
}

uint64_t Log::bytes_appended() const {
  MutexLock lock(&append_mutex_);
  return bytes_appended_;
}

absl::Status Log::CheckOpen() {
  if (failed_.load(std::memory_order_relaxed)) return failure();
  if (closed_) return absl::FailedPreconditionError("the store is closed");
  return absl::OkStatus();
}

absl::Status Log::MakeRoom(uint64_t size, Use use) {
  RETURN_IF_ERROR(CheckOpen());
  if (!started_) RETURN_IF_ERROR(StartThreads());
  // I7: what space is left is for deletes.
  if (use == Use::kAnything &&
      DURABILITY_SITE(kReserveForDeletes, reserve_.lacking())) {
    RETURN_IF_ERROR(AdjustReserve());
  }
  absl::Status status = TryToMakeRoom(size);
  // More than once if another thread has made the reserve again.
  while (absl::IsResourceExhausted(status) && use == Use::kDeletes &&
         GiveUpReserve()) {
    RETURN_IF_ERROR(CheckOpen());  // the lock may have been released
    status = TryToMakeRoom(size);
  }
  return status;
}

absl::Status Log::TryToMakeRoom(uint64_t size) {
  if (!has_headroom_) {
    const absl::Status status = settings_.manifest->ReserveHeadroom();
    if (!status.ok()) {
      return absl::IsResourceExhausted(status) ? status : Latch(status);
    }
    has_headroom_ = true;
  }
  // I12: without threads the next write tells the time, in front of itself.
  const bool marks = DURABILITY_SITE(
      kFloorWithWrites, !settings_.background_threads && ClockFloorWantsMark());
  if (marks) size += kSyncMarkRecordBytes;
  RETURN_IF_ERROR(ReserveSpace(size));
  if (populator_sleeps_.load(std::memory_order_relaxed)) {
    MutexLock lock(&thread_mutex_);
    populator_sleeps_.store(false, std::memory_order_relaxed);
    populator_wake_.Signal();
  }
  TellOfGrowth();
  if (!marks) return absl::OkStatus();
  MarkClockFloor();
  return CheckOpen();  // the mark may have met an error
}

absl::Status Log::ReserveSpace(uint64_t size) {
  auto claim = SpaceGate::Claim::kIfThereIsRoom;
  while (true) {
    if (active_ == nullptr || !active_->HasRoom(size)) {
      RETURN_IF_ERROR(Roll(size));
      claim = SpaceGate::Claim::kIfThereIsRoom;  // what is full can be merged
    }
    const absl::Status status = active_->Reserve(size, settings_.space, claim);
    if (!absl::IsUnavailable(status)) return status;
    append_mutex_.Unlock();
    claim = settings_.make_space(size);
    append_mutex_.Lock();
    RETURN_IF_ERROR(CheckOpen());
  }
}

void Log::TellOfGrowth() {
  const uint64_t step =
      std::min(kGrowthToldBytes, active_->segment()->capacity() / 16);
  if (bytes_appended_ < growth_told_at_ + step) return;
  growth_told_at_ = bytes_appended_;
  settings_.on_growth();
}

absl::StatusOr<Log::Place> Log::Append(const PendingRecord& record) {
  absl::StatusOr<uint64_t> offset = active_->Append(record, last_sequence_ + 1);
  // Where space can't be promised, a full disk is met here.
  while (absl::IsResourceExhausted(offset.status()) && IsDelete(record) &&
         GiveUpReserve()) {
    offset = active_->Append(record, last_sequence_ + 1);
  }
  if (absl::IsResourceExhausted(offset.status())) return offset.status();
  // What stands behind the end now is not known.
  if (!offset.ok()) return Latch(offset.status());
  ++last_sequence_;
  bytes_appended_ += record.size();
  if (record.header.kind != RecordKind::kSyncMark) {
    last_change_ = last_sequence_;
  }
  return Place{active_->segment().get(), *offset, last_sequence_};
}

uint64_t Log::BatchSize(const std::vector<PendingRecord>& records) {
  uint64_t size = kRecordHeaderBytes;
  for (const PendingRecord& record : records) size += record.size();
  return size;
}

absl::StatusOr<std::vector<Log::Place>> Log::AppendBatch(
    const std::vector<PendingRecord>& records) {
  auto places = TryToAppend(records);
  while (absl::IsResourceExhausted(places.status()) &&
         std::all_of(records.begin(), records.end(), IsDelete) &&
         GiveUpReserve()) {
    places = TryToAppend(records);
  }
  return places;
}

absl::StatusOr<std::vector<Log::Place>> Log::TryToAppend(
    const std::vector<PendingRecord>& records) {
  const SegmentSummary before = active_->summary();
  const uint64_t size = BatchSize(records);
  Sequence sequence = last_sequence_ + 1;
  absl::Status status =
      active_
          ->AppendFrame(size - kRecordHeaderBytes,
                        static_cast<uint32_t>(records.size()), sequence)
          .status();
  Segment* const segment = active_->segment().get();
  std::vector<Place> places;
  places.reserve(records.size());
  for (size_t i = 0; status.ok() && i < records.size(); ++i) {
    absl::StatusOr<uint64_t> offset = active_->Append(records[i], ++sequence);
    status = offset.status();
    if (status.ok()) places.push_back({segment, *offset, sequence});
  }
  if (!status.ok()) {
    if (absl::Status rewound = active_->RewindTo(before); !rewound.ok()) {
      return Latch(rewound);
    }
    return status;
  }
  last_sequence_ = last_change_ = sequence;
  bytes_appended_ += size;
  return places;
}

absl::Status Log::Roll(uint64_t size) {
  while (active_ == nullptr || !active_->HasRoom(size)) {
    if (creating_) {
      created_.Wait(&append_mutex_);
    } else if (rolled_.size() >= kMaxRolled) {
      append_mutex_.Unlock();
      const absl::Status status = SealRolled();
      append_mutex_.Lock();
      RETURN_IF_ERROR(status);
    } else if (next_ != nullptr && next_->HasRoom(size)) {
      SwitchToNext();
    } else {
      RETURN_IF_ERROR(PrepareNext(size));
    }
    RETURN_IF_ERROR(CheckOpen());
  }
  return absl::OkStatus();
}

void Log::SwitchToNext() {
  if (active_ != nullptr) {
    rolled_.push_back(std::move(active_));
    has_rolled_ = true;
    has_rolled_now_ = true;
  }
  active_ = std::move(next_);
  next_ = nullptr;
  growth_told_at_ = bytes_appended_;
  settings_.on_growth();
  MutexLock lock(&thread_mutex_);
  flusher_has_work_ = true;
  flusher_wake_.Signal();
}

absl::Status Log::PrepareNext(uint64_t record_size) {
  creating_ = true;
  Writer next = std::exchange(next_, nullptr);
  append_mutex_.Unlock();
  absl::Status status;
  if (next != nullptr) {
    // It has no room for this record: it is empty, and makes way.
    status = DropSegment(next);
    if (status.ok()) next = nullptr;
  }
  if (status.ok()) status = CreateSegment(record_size, &next);
  append_mutex_.Lock();
  creating_ = false;
  created_.SignalAll();
  next_ = std::move(next);
  return status;
}

absl::Status Log::CreateSegment(uint64_t record_size, Writer* created) {
  SegmentWriter::Settings segment;
  segment.capacity =
      std::max(settings_.next_capacity(), kSegmentHeaderBytes + record_size);
  segment.mapped = settings_.mapped;
  segment.read_mode = settings_.read_mode;
  ASSIGN_OR_RETURN(segment.first_step,
                   TakeFirstStep(record_size, segment.capacity));
  const absl::Status status = CreateSegmentIn(&segment, created);
  if (settings_.space != nullptr) settings_.space->Settle(segment.first_step);
  return status;
}

absl::StatusOr<uint64_t> Log::TakeFirstStep(uint64_t record_size,
                                            uint64_t capacity) {
  if (settings_.space == nullptr) return SegmentWriter::kLeastStepBytes;
  // Where records are written, each of them takes its own.
  const bool mapped = settings_.mapped && settings_.read_mode == ReadMode::kMap;
  const uint64_t needed = kSegmentHeaderBytes + (mapped ? record_size : 0);
  // Of a small segment a part only, which its store can spare while most of
  // the room is for the active one.
  const uint64_t ahead =
      std::min(SegmentWriter::kLeastStepBytes, capacity / kFirstStepFraction);
  const uint64_t wanted = mapped ? std::max(ahead, needed) : needed;
  auto claim = SpaceGate::Claim::kIfThereIsRoom;
  while (true) {
    const uint64_t taken = settings_.space->Take(needed, wanted, claim);
    if (taken > 0) return taken;
    if (record_size == 0) return absl::UnavailableError("");
    claim = settings_.make_space(needed);
  }
}

absl::Status Log::CreateSegmentIn(SegmentWriter::Settings* segment,
                                  Writer* created) {
  segment->header.id = settings_.manifest->NextSegmentId();
  segment->header.salt = RandomBits();
  ASSIGN_OR_RETURN(segment->range,
                   settings_.segments->ReserveRange(segment->capacity));
  const absl::Status status = CreateSegmentAt(*segment, created);
  // Retries on a full disk would use up the store's space of locations.
  if (!status.ok()) {
    settings_.segments->ReturnRange(segment->range, segment->capacity);
  }
  return status;
}

absl::Status Log::CreateSegmentAt(const SegmentWriter::Settings& segment,
                                  Writer* created) {
  // I3: the header, then the name, then the edit; each durable before the
  // next, and all of them before the first record.
  absl::StatusOr<std::unique_ptr<SegmentWriter>> made =
      SegmentWriter::Create(settings_.directory, segment);
  if (!made.ok()) {
    // I7. NotFound: the directory itself was removed.
    const bool broken =
        absl::IsInternal(made.status()) || absl::IsNotFound(made.status());
    return broken ? Latch(made.status()) : made.status();
  }
  Writer writer = *std::move(made);
  absl::Status status =
      DURABILITY_SITE(kSegmentNameSync, settings_.directory->Sync());
  if (!status.ok()) return Latch(status);
  const int64_t now_ms = settings_.clock->NowMs();
  status = settings_.manifest->AppendWithHeadroom(
      {AddSegmentChange{segment.header, 0},
       ClockFloorChange{DURABILITY_SITE(kEditFloor, now_ms)}});
  if (absl::IsResourceExhausted(status)) {
    settings_.directory->Unlink(writer->segment()->name()).IgnoreError();
    return status;
  }
  if (!status.ok()) return Latch(status);
  settings_.clock->FloorIsDurable(now_ms);
  settings_.segments->Add(writer->segment());
  *created = std::move(writer);
  return absl::OkStatus();
}

absl::Status Log::DropSegment(const Writer& writer) {
  const SegmentId id = writer->segment()->id();
  if (TakenAway(DurabilitySite::kEditBeforeUnlink)) {
    settings_.directory->Unlink(writer->segment()->name()).IgnoreError();
  }
  // I3: first the edit, then the unlink.
  const absl::Status status = AppendEdit({RemoveSegmentChange{id}});
  if (!status.ok()) {
    return absl::IsResourceExhausted(status) ? status : Latch(status);
  }
  settings_.segments->Remove(writer->segment().get());
  // The manifest remembers a file that stays behind.
  settings_.directory->Unlink(writer->segment()->name()).IgnoreError();
  return absl::OkStatus();
}

absl::Status Log::AppendEdit(ManifestEdit edit) {
  const int64_t now_ms = settings_.clock->NowMs();
  edit.push_back(ClockFloorChange{DURABILITY_SITE(kEditFloor, now_ms)});
  absl::Status status = settings_.manifest->Append(edit);
  while (DURABILITY_SITE(kReserveForEdits, absl::IsResourceExhausted(status)) &&
         GiveUpReserve()) {
    status = settings_.manifest->Append(edit);
  }
  if (status.ok()) settings_.clock->FloorIsDurable(now_ms);
  return status;
}

absl::Status Log::AppendClockFloor() {
  const int64_t now_ms = settings_.clock->NowMs();
  const absl::Status status = settings_.manifest->AppendWithHeadroom(
      {ClockFloorChange{DURABILITY_SITE(kEditFloor, now_ms)}});
  if (status.ok()) settings_.clock->FloorIsDurable(now_ms);
  return status;
}

absl::Status Log::AdjustReserve() {
  if (settings_.reserve_bytes == 0) return reserve_.Resize(0);
  // In whole steps, so that it need not change with every record that dies.
  constexpr uint64_t kStep = 64 << 10;
  const uint64_t live = LiveBytesOfAMerge();
  return reserve_.Resize(settings_.reserve_bytes +
                         (live + kStep - 1) / kStep * kStep);
}

uint64_t Log::LiveBytesOfAMerge() const {
  std::optional<uint64_t> least;
  double most_dead = 0;
  uint64_t live_of_most_dead = 0;
  for (const std::shared_ptr<Segment>& segment : settings_.segments->All()) {
    if (segment->growing() || segment->quarantined() || segment->retained()) {
      continue;
    }
    const uint64_t live = segment->live_bytes();
    least = std::min(least.value_or(live), live);
    const auto all = static_cast<double>(segment->end() - kSegmentHeaderBytes);
    const double dead =
        1 - static_cast<double>(live + segment->kept_tombstone_bytes()) / all;
    if (dead > most_dead) {
      most_dead = dead;
      live_of_most_dead = live;
    }
  }
  return most_dead > 0 ? live_of_most_dead : least.value_or(0);
}

}  // namespace stave
