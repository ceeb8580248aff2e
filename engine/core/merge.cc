#include "engine/core/merge.h"

#include <algorithm>

#include "engine/base/durability_site.h"
#include "engine/base/epoch.h"
#include "engine/base/random_bits.h"
#include "engine/base/status_macros.h"

namespace stave {
namespace {

// A piece of copying: a millisecond's work, or less.
constexpr uint64_t kPieceBytes = uint64_t{256} << 10;
// Slots of so many keys are on their way from memory together.
constexpr size_t kGroupSize = 64;
// So many tombstones are collected, and so many bytes of their keys, before it
// is asked which of them are needed.
constexpr size_t kMostTombstones = 1 << 17;
constexpr size_t kMostTombstoneKeyBytes = 4 << 20;

}  // namespace

Merge::Merge(const Context& context,
             std::vector<std::shared_ptr<Segment>> inputs)
    : context_(context),
      state_(*context.state),
      inputs_(std::move(inputs)),
      listed_(context.manifest->state()),
      staying_(context.directory, *state_.hasher, state_.read_mode) {
  for (const ListedSegment& listed : listed_.segments) {
    if (listed.sealed.has_value()) after_ = listed.header.id;
  }
  for (std::shared_ptr<Segment>& segment : state_.segments->All()) {
    const bool leaves =
        std::find(inputs_.begin(), inputs_.end(), segment) != inputs_.end();
    if (leaves) continue;
    for (const ListedSegment& listed : listed_.segments) {
      if (listed.header.id != segment->id() || !listed.sealed) continue;
      // All records of unsealed ones are newer than any in a sealed one.
      staying_.Add(listed.header, *listed.sealed);
    }
  }
}

absl::Status Merge::Run() {
  absl::Status status = CopyAll();
  if (status.ok()) status = MakeOutputsDurable();
  if (!status.ok()) return DropOutputs(status);
  if (TakenAway(DurabilitySite::kInstallBeforeUnlink)) {
    for (const auto& input : inputs_) {
      context_.directory->Unlink(input->name()).IgnoreError();
    }
  }
  // I5: first this edit, then the inputs are unlinked.
  status = Install();
  if (absl::IsResourceExhausted(status)) return DropOutputs(status);
  // Nobody knows whether the edit is on the device: nothing is removed.
  if (DURABILITY_SITE(kInstallLatch, !status.ok())) {
    return context_.log->Fail(status);
  }
  if (!status.ok()) return DropOutputs(status);
  for (Output& output : outputs_) state_.segments->Stage(output.segment);
  for (const auto& input : inputs_) input->may_have_less() = true;
  context_.uncounted_bytes->store(0);
  for (const Output& output : outputs_) Relocate(output);
  RemoveExpired(&state_, context_.log, expired_);
  // Readers that have an entry from before finish with it.
  if (!TakenAway(DurabilitySite::kReadersFirst)) WaitForReaders();
  if (AnyEntryLeft()) {
    return context_.log->Fail(absl::InternalError(
        "a merge left an entry of the keydir behind: this is a bug of stave"));
  }
  std::vector<std::shared_ptr<Segment>> installed;
  for (Output& output : outputs_) installed.push_back(output.segment);
  state_.segments->Install(installed, after_, inputs_);
  for (const Output& output : outputs_) {
    context_.hints->Add({output.segment, output.writer->summary()});
  }
  return absl::OkStatus();
}

absl::Status Merge::CopyAll() {
  for (const std::shared_ptr<Segment>& input : inputs_) {
    for (const ListedSegment& listed : listed_.segments) {
      if (listed.header.id != input->id()) continue;
      RETURN_IF_ERROR(CopySegment(input, *listed.sealed));
    }
  }
  RETURN_IF_ERROR(KeepTombstones());
  Pace(/*piece=*/0);
  return absl::OkStatus();
}

void Merge::CountRead(uint64_t bytes) {
  bytes_read_ += bytes;
  *context_.bytes_read += bytes;
}

void Merge::Pace(uint64_t piece) {
  const uint64_t done = bytes_read_ + copied_bytes_;
  if (done < paced_bytes_ + piece) return;
  context_.pace(done - paced_bytes_);
  paced_bytes_ = done;
}

absl::Status Merge::CopySegment(const std::shared_ptr<Segment>& input,
                                const SegmentSummary& summary) {
  SegmentScanner scanner(*input, summary.length,
                         DURABILITY_SITE(kCopyBodyCheck, true));
  std::vector<Candidate> group;
  RecordView record;
  uint64_t counted = 0;
  auto step = scanner.Next(&record);
  for (; step == SegmentScanner::Step::kRecord; step = scanner.Next(&record)) {
    const RecordKind kind = record.header.kind;
    if (kind != RecordKind::kPut && kind != RecordKind::kDelete) continue;
    if (input->header().kind == SegmentKind::kLog) {
      log_through_ = std::max(log_through_, record.header.sequence);
    }
    group.push_back({record, (*state_.hasher)(record.key)});
    if (group.size() < kGroupSize &&
        !SegmentScanner::AreManyBytes(group.front().record, record)) {
      continue;
    }
    RETURN_IF_ERROR(CopyGroup(*input, group));
    group.clear();
    CountRead(scanner.offset() - counted);
    counted = scanner.offset();
    Pace(kPieceBytes);
  }
  RETURN_IF_ERROR(CopyGroup(*input, group));
  CountRead(summary.length - counted);
  const bool whole =
      step == SegmentScanner::Step::kCleanEnd && scanner.summary() == summary;
  if (!DURABILITY_SITE(kCopySummaryCheck, !whole)) return absl::OkStatus();
  input->quarantined().store(true, std::memory_order_relaxed);
  return state_.Damage(*input, scanner.offset(),
                       scanner.problem().empty()
                           ? "the segment's records are not those that were "
                             "there when it was sealed"
                           : scanner.problem());
}

absl::Status Merge::CheckCancelled() const {
  return context_.cancelled->load(std::memory_order_relaxed)
             ? absl::CancelledError("the merge was stopped")
             : absl::OkStatus();
}

absl::Status Merge::CopyGroup(const Segment& input,
                              const std::vector<Candidate>& group) {
  RETURN_IF_ERROR(CheckCancelled());
  {
    EpochGuard guard;
    for (const Candidate& each : group) {
      state_.keydir->Prefetch({each.record.key, each.hash});
    }
  }
  for (const Candidate& each : group) {
    const KeyRef key{each.record.key, each.hash};
    KeydirEntry present;
    {
      EpochGuard guard;
      present = state_.keydir->Find(key);
    }
    const RecordHeader& header = each.record.header;
    if (present.absent()) {
      // Else a put that came after it does its work, and will be on the
      // device. An expired record is a tombstone, the keydir's no more.
      if (header.kind == RecordKind::kDelete ||
          DURABILITY_SITE(kExpiredHides, state_.Expired(header))) {
        RETURN_IF_ERROR(TakeTombstone(each));
      }
    } else if (header.kind == RecordKind::kPut &&
               present.location() == input.LocationOf(each.record.offset)) {
      RETURN_IF_ERROR(CopyPut(input, each));
    }
  }
  return absl::OkStatus();
}

absl::Status Merge::CopyPut(const Segment& input, const Candidate& candidate) {
  const RecordHeader& header = candidate.record.header;
  const KeyRef key{candidate.record.key, candidate.hash};
  const uint64_t size = header.record_size();
  const auto entry = KeydirEntry::Live(
      input.LocationOf(candidate.record.offset), size, header.expires);
  if (state_.Expired(header)) {
    // An expired record is a tombstone. That time has come this far is
    // durable with the edit (I12).
    expired_.push_back(MakeExpiredKey(state_, key, entry, size));
    return DURABILITY_SITE(kExpiredHides, TakeTombstone(candidate));
  }
  ASSIGN_OR_RETURN(Output* const output, OutputFor(size));
  ASSIGN_OR_RETURN(const uint64_t offset,
                   output->writer->Copy(candidate.record));
  output->puts.Add({key, entry, offset, size});
  if (header.expires) {
    output->next_expiry_ms =
        std::min(output->next_expiry_ms, header.expire_at_ms);
  }
  copied_bytes_ += size;
  return absl::OkStatus();
}

absl::Status Merge::TakeTombstone(const Candidate& candidate) {
  const RecordView& record = candidate.record;
  tombstones_.push_back({candidate.hash, record.header.sequence});
  tombstone_keys_.append(record.key);
  tombstone_key_ends_.push_back(tombstone_keys_.size());
  return tombstones_.size() < kMostTombstones &&
                 tombstone_keys_.size() < kMostTombstoneKeyBytes
             ? absl::OkStatus()
             : KeepTombstones();
}

absl::Status Merge::KeepTombstones() {
  staying_.FindHolders(absl::MakeSpan(tombstones_), *context_.cancelled);
  RETURN_IF_ERROR(CheckCancelled());
  size_t begin = 0;
  for (size_t i = 0; i < tombstones_.size(); ++i) {
    const std::string_view key =
        std::string_view(tombstone_keys_)
            .substr(begin, tombstone_key_ends_[i] - begin);
    begin = tombstone_key_ends_[i];
    RETURN_IF_ERROR(KeepTombstone(tombstones_[i], key));
  }
  tombstones_.clear();
  tombstone_keys_.clear();
  tombstone_key_ends_.clear();
  return absl::OkStatus();
}

absl::Status Merge::KeepTombstone(const Tombstone& tombstone,
                                  std::string_view key) {
  // I5: without it, what it hides would come back.
  const SegmentId holder = DURABILITY_SITE(kTombstoneKept, tombstone.holder);
  if (holder == 0) return absl::OkStatus();
  const uint64_t size = AlignRecord(kRecordHeaderBytes + key.size());
  ASSIGN_OR_RETURN(Output* const output, OutputFor(size));
  output->kept_tombstone_bytes += size;
  copied_bytes_ += size;
  *context_.uncounted_bytes += size;  // its inputs' live bytes are counted
  tombstone_holders_[output->writer->header().id].insert(holder);
  return output->writer->AddTombstone(key, tombstone.sequence).status();
}

absl::StatusOr<Merge::Output*> Merge::OutputFor(uint64_t size) {
  if (!outputs_.empty() && outputs_.back().writer->HasRoom(size)) {
    return &outputs_.back();
  }
  SegmentHeader header;
  header.kind = SegmentKind::kMerged;
  header.id = context_.manifest->NextSegmentId();
  header.salt = RandomBits();
  const uint64_t capacity =
      std::max(context_.output_capacity, kSegmentHeaderBytes + size);
  ASSIGN_OR_RETURN(const Location first,
                   state_.segments->ReserveRange(capacity));
  auto writer =
      MergedSegmentWriter::Create(context_.directory, header, first, capacity);
  if (!writer.ok()) {
    state_.segments->ReturnRange(first, capacity);
    return writer.status();
  }
  outputs_.push_back({*std::move(writer), /*segment=*/nullptr,
                      CopiedPuts(state_.keydir->order() != nullptr)});
  return &outputs_.back();
}

absl::Status Merge::MakeOutputsDurable() {
  for (Output& output : outputs_) {
    MergedSegmentWriter& writer = *output.writer;
    ASSIGN_OR_RETURN(output.segment, writer.Finish(state_.read_mode));
    state_.segments->ShrinkRange(writer.first(), writer.capacity(),
                                 writer.summary().length);
    output.segment->kept_tombstone_bytes().store(output.kept_tombstone_bytes,
                                                 std::memory_order_relaxed);
    output.segment->NoteExpiry(output.next_expiry_ms);
    bytes_written_ += writer.summary().length;
  }
  if (!outputs_.empty() || !context_.unlinked.empty()) {
    const absl::Status synced =
        DURABILITY_SITE(kOutputNameSync, context_.directory->Sync());
    if (!synced.ok()) return context_.log->Fail(synced);  // I7
  }
  // I5: what made a left-out record dead must not be lost after it is gone.
  return DURABILITY_SITE(kLogBeforeInstall, context_.log->SyncAll());
}

absl::Status Merge::Install() {
  ManifestEdit edit;
  // I5: without the records that made others dead, the outputs would show a
  // state that never was. No mark in the log outlives what it vouches for.
  // First, since an input may have been that segment a moment ago.
  const Log::SyncedEnd synced =
      DURABILITY_SITE(kInstallVouches, context_.log->synced_end());
  if (synced.segment != 0) {
    edit.push_back(SyncedChange{synced.segment, synced.length});
  }
  SegmentId after = after_;
  for (const Output& output : outputs_) {
    edit.push_back(InstallSegmentChange{output.writer->header(),
                                        output.writer->summary(), after});
    after = output.writer->header().id;
  }
  for (const std::shared_ptr<Segment>& input : inputs_) {
    edit.push_back(RemoveSegmentChange{input->id()});
  }
  for (const SegmentId id : context_.unlinked) {
    edit.push_back(ForgetSegmentChange{id});
  }
  if (log_through_ != 0) edit.push_back(MergedThroughChange{log_through_});
  // I12: time can't go back behind what was found expired.
  const int64_t now_ms = DURABILITY_SITE(kExpiryFloor, state_.clock->NowMs());
  edit.push_back(ClockFloorChange{now_ms});
  RETURN_IF_ERROR(context_.manifest->AppendWithHeadroom(edit));
  state_.clock->FloorIsDurable(now_ms);
  return absl::OkStatus();
}

// The outputs never counted for anything.
absl::Status Merge::DropOutputs(const absl::Status& error) {
  for (Output& output : outputs_) {
    const MergedSegmentWriter& writer = *output.writer;
    context_.directory->Unlink(writer.name()).IgnoreError();
    const uint64_t reserved =
        output.segment != nullptr ? writer.summary().length : writer.capacity();
    output.segment = nullptr;
    state_.segments->ReturnRange(writer.first(), reserved);
  }
  return absl::IsInternal(error) ? context_.log->Fail(error) : error;  // I7
}

void Merge::Relocate(const Output& output) {
  output.puts.Visit(kGroupSize, [&](absl::Span<const CopiedPut> group) {
    RelocateGroup(output.segment.get(), group);
  });
}

void Merge::RelocateGroup(Segment* to, absl::Span<const CopiedPut> group) {
  EpochGuard guard;
  for (const CopiedPut& put : group) state_.keydir->Prefetch(put.key);
  for (const auto& [key, from, offset, size] : group) {
    // Counted first, since a writer may at once find and replace it.
    to->live_bytes().fetch_add(size, std::memory_order_relaxed);
    const auto entry =
        KeydirEntry::Live(to->LocationOf(offset), size, from.expires());
    // A writer may have been there meanwhile.
    const bool moved = TakenAway(DurabilitySite::kRelocateIfSame)
                           ? state_.keydir->Put(key, entry).ok()
                           : state_.keydir->CompareAndSwap(key, from, entry);
    Segment& counted = moved ? *state_.segments->Find(from.location()) : *to;
    counted.live_bytes().fetch_sub(size, std::memory_order_relaxed);
  }
}

bool Merge::AnyEntryLeft() const {
  // A sealed segment's live bytes are never counted too low: entries are
  // counted until after they have gone. So the walk is for writers that are in
  // between, and for a bug.
  const bool none_counted =
      std::all_of(inputs_.begin(), inputs_.end(), [](const auto& input) {
        return input->live_bytes().load(std::memory_order_acquire) == 0;
      });
  if (none_counted) return false;
  std::vector<bool> is_input(state_.segments->GranuleCount());
  for (size_t granule = 0; granule < is_input.size(); ++granule) {
    const Segment* const segment = state_.segments->SegmentOfGranule(granule);
    is_input[granule] = std::any_of(
        inputs_.begin(), inputs_.end(),
        [segment](const auto& input) { return input.get() == segment; });
  }
  bool any = false;
  state_.keydir->Sweep(0, 1, [&](KeydirEntry entry) {
    const size_t granule = SegmentSet::GranuleOf(entry.location());
    any |= granule < is_input.size() && is_input[granule];
    return true;
  });
  return any;
}

}  // namespace stave
