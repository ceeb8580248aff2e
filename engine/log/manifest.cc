#include "engine/log/manifest.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/coding.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"
#include "engine/format/dictionary.h"
#include "engine/format/file_names.h"

namespace stave {
namespace {

// Space is reserved in steps, so that a full disk is met before an edit.
constexpr uint64_t kReserveBytes = 16 << 10;
constexpr uint64_t kHeadroomBytes = 4 << 10;
// So that writing it anew costs little beside what made it grow.
constexpr uint64_t kMinLengthToShorten = 256 << 10;
constexpr uint64_t kShortenFactor = 4;

// More than the edits of thirty million segments take. A length is bounded
// before memory is taken for it.
constexpr uint64_t kMaxManifestBytes = uint64_t{4} << 30;

absl::Status Damaged(std::string_view why) {
  return absl::DataLossError(ToAbsl(why));
}

absl::Status InFile(const absl::Status& status, const Directory& directory,
                    uint64_t number) {
  return absl::Status(status.code(), absl::StrCat(directory.path(), "/",
                                                  ManifestFileName(number),
                                                  ", ", status.message()));
}

// What is appended goes behind the header.
absl::Status CheckLength(const SegmentSummary& summary) {
  if (summary.length >= kSegmentHeaderBytes) return absl::OkStatus();
  return Damaged("a segment that ends within its header");
}

// Applies one change after another to a state.
class Applier {
 public:
  explicit Applier(ManifestState* state) : state_(*state) {}

  absl::Status operator()(const BaseChange& change) {
    if (state_.base.store_id != 0) return Damaged("a second base");
    state_.base = change;
    return absl::OkStatus();
  }

  absl::Status operator()(const AddSegmentChange& change) {
    if (IsKnown(change.header.id)) return Damaged("a segment is added twice");
    state_.backup.reset();  // what is a backup has no segments of its own
    state_.segments.push_back(
        {change.header, std::nullopt, change.synced_length});
    state_.base.next_segment_id =
        std::max(state_.base.next_segment_id, change.header.id + 1);
    return absl::OkStatus();
  }

  absl::Status operator()(const SealSegmentChange& change) {
    ListedSegment* segment = state_.Find(change.id);
    if (segment == nullptr || segment->sealed.has_value()) {
      return Damaged("a seal of a segment that is not open");
    }
    RETURN_IF_ERROR(CheckLength(change.summary));
    segment->sealed = change.summary;
    state_.base.sealed_through =
        std::max(state_.base.sealed_through, change.summary.greatest_sequence);
    return absl::OkStatus();
  }

  absl::Status operator()(const InstallSegmentChange& change) {
    if (IsKnown(change.header.id)) {
      return Damaged("a segment is installed twice");
    }
    const ListedSegment* after = state_.Find(change.after);
    if (after == nullptr || !after->sealed.has_value()) {
      return Damaged("a segment is installed behind one that is not sealed");
    }
    state_.backup.reset();
    state_.segments.insert(
        state_.segments.begin() + (after - state_.segments.data()) + 1,
        {change.header, change.summary, 0});
    state_.base.next_segment_id =
        std::max(state_.base.next_segment_id, change.header.id + 1);
    return absl::OkStatus();
  }

  absl::Status operator()(const RemoveSegmentChange& change) {
    ListedSegment* segment = state_.Find(change.id);
    if (segment == nullptr) {
      return Damaged("a removal of a segment that is not there");
    }
    state_.backup.reset();
    state_.segments.erase(state_.segments.begin() +
                          (segment - state_.segments.data()));
    state_.removed.push_back(change.id);
    return absl::OkStatus();
  }

  absl::Status operator()(const CleanCloseChange& change) {
    ListedSegment* segment = state_.Find(change.id);
    if (change.id != 0 && (segment == nullptr || segment->sealed)) {
      return Damaged("a close in a segment that is not open");
    }
    if (segment != nullptr) {
      RETURN_IF_ERROR(CheckLength(change.summary));
      segment->synced_length =
          DURABILITY_SITE(kCloseVouches, change.summary.length);
    }
    state_.clean_close = change;
    return absl::OkStatus();
  }

  absl::Status operator()(const SyncedChange& change) {
    ListedSegment* segment = state_.Find(change.id);
    if (segment == nullptr) {
      return Damaged("a sync of a segment that is not there");
    }
    // It may have been sealed since that was known, which says more.
    if (!segment->sealed.has_value()) {
      segment->synced_length = std::max(segment->synced_length, change.length);
    }
    return absl::OkStatus();
  }

  absl::Status operator()(const ForgetSegmentChange& change) {
    auto& removed = state_.removed;
    removed.erase(std::remove(removed.begin(), removed.end(), change.id),
                  removed.end());
    return absl::OkStatus();
  }

  absl::Status operator()(const BackupChange& change) {
    state_.backup = change;
    return absl::OkStatus();
  }

  absl::Status operator()(const IncarnationChange& change) {
    if (change.id == 0) return Damaged("an incarnation without an id");
    std::vector<IncarnationChange>& all = state_.incarnations;
    all.push_back(change);
    if (all.size() > kMostIncarnations) all.erase(all.begin());
    return absl::OkStatus();
  }

  absl::Status operator()(const MergedThroughChange& change) {
    state_.merged_through = std::max(state_.merged_through, change.sequence);
    return absl::OkStatus();
  }

  absl::Status operator()(const DictionaryChange& change) {
    if (state_.FindDictionary(change.id) != nullptr) {
      return Damaged("a dictionary is listed twice");
    }
    if (state_.dictionaries.size() == kMostDictionaries) {
      return Damaged("more dictionaries than a store has");
    }
    state_.dictionaries.push_back(change);
    return absl::OkStatus();
  }

  absl::Status operator()(const ClockFloorChange& change) {
    state_.base.clock_floor_ms =
        std::max(state_.base.clock_floor_ms, change.clock_floor_ms);
    return absl::OkStatus();
  }

 private:
  // Ids are not used again (I9), and never while a file may still have one.
  bool IsKnown(SegmentId id) const {
    const std::vector<SegmentId>& removed = state_.removed;
    return state_.Find(id) != nullptr ||
           std::find(removed.begin(), removed.end(), id) != removed.end();
  }

  ManifestState& state_;
};

// Whether a valid edit stands anywhere behind the first invalid one: since
// each is synced before the next is written, that one is no torn tail then.
bool EditFollows(std::string_view bytes, uint64_t number, uint64_t offset) {
  if (AllZero(bytes.substr(offset))) return false;
  size_t size = 0;
  uint64_t at = AlignRecord(offset + 1);
  while (true) {
    // No edit begins with eight zeros, and of reserved space there may be much.
    at = bytes.find_first_not_of('\0', at);
    if (at == bytes.npos) return false;
    at -= at % kRecordAlignment;
    const auto edit = DecodeManifestEdit(bytes.substr(at), number, at, &size);
    if (!absl::IsDataLoss(edit.status())) return true;
    at += kRecordAlignment;
  }
}

absl::Status AtOffset(uint64_t offset, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat("offset ", offset, ": ", status.message()));
}

absl::StatusOr<LoadedManifest> Parse(std::string_view bytes, uint64_t number) {
  if (absl::Status header = DecodeManifestHeader(bytes, number); !header.ok()) {
    return AtOffset(0, header);
  }
  LoadedManifest loaded;
  loaded.number = number;
  loaded.length = kManifestHeaderBytes;
  while (loaded.length < bytes.size()) {
    size_t size = 0;
    absl::StatusOr<ManifestEdit> edit = DecodeManifestEdit(
        bytes.substr(loaded.length), number, loaded.length, &size);
    if (!edit.ok()) {
      const bool torn =
          loaded.length > kManifestHeaderBytes &&
          absl::IsDataLoss(edit.status()) &&
          !DURABILITY_SITE(kEditFollowsCheck,
                           EditFollows(bytes, number, loaded.length));
      if (torn) break;
      return AtOffset(loaded.length, edit.status());
    }
    loaded.state.clean_close.reset();
    if (absl::Status applied = loaded.state.Apply(*edit); !applied.ok()) {
      return AtOffset(loaded.length, applied);
    }
    loaded.last_edit = bytes.substr(loaded.length, size);
    loaded.length += size;
  }
  if (loaded.state.base.store_id == 0) {
    return AtOffset(kManifestHeaderBytes, Damaged("there is no first edit"));
  }
  loaded.whole_file = AllZero(bytes.substr(loaded.length));
  return loaded;
}

bool BaseIsValid(std::string_view bytes, uint64_t number) {
  if (!DecodeManifestHeader(bytes, number).ok()) return false;
  size_t size = 0;
  return DecodeManifestEdit(bytes.substr(kManifestHeaderBytes), number,
                            kManifestHeaderBytes, &size)
      .ok();
}

// Whether these bytes can be left from making a store, which was cut short. All
// else of this name is somebody's, or was a manifest.
bool MakingWasCutShort(std::string_view bytes) {
  const std::string magic = EncodeManifestHeader(1).substr(0, 8);
  return magic.starts_with(bytes.substr(0, magic.size())) || AllZero(bytes);
}

}  // namespace

ListedSegment* ManifestState::Find(SegmentId id) {
  for (ListedSegment& segment : segments) {
    if (segment.header.id == id) return &segment;
  }
  return nullptr;
}

const DictionaryChange* ManifestState::FindDictionary(uint64_t id) const {
  for (const DictionaryChange& dictionary : dictionaries) {
    if (dictionary.id == id) return &dictionary;
  }
  return nullptr;
}

absl::Status ManifestState::Apply(const ManifestEdit& edit) {
  for (const ManifestChange& change : edit) {
    const bool is_base = std::holds_alternative<BaseChange>(change);
    if (!is_base && base.store_id == 0) return Damaged("no base");
    RETURN_IF_ERROR(std::visit(Applier(this), change));
  }
  return absl::OkStatus();
}

ManifestEdit ManifestState::WholeEdit() const {
  ManifestEdit edit = {base};
  for (const ListedSegment& segment : segments) {
    edit.push_back(AddSegmentChange{segment.header, segment.synced_length});
    if (segment.sealed.has_value()) {
      edit.push_back(SealSegmentChange{segment.header.id, *segment.sealed});
    }
  }
  for (const SegmentId id : removed) {
    edit.push_back(AddSegmentChange{{SegmentKind::kLog, id, 0}, 0});
    edit.push_back(RemoveSegmentChange{id});
  }
  edit.insert(edit.end(), incarnations.begin(), incarnations.end());
  if (merged_through != 0) edit.push_back(MergedThroughChange{merged_through});
  edit.insert(edit.end(), dictionaries.begin(), dictionaries.end());
  if (clean_close.has_value()) edit.push_back(*clean_close);
  if (backup.has_value()) edit.push_back(*backup);
  return edit;
}

absl::Status CheckFinished(const ManifestState& state,
                           const Directory& directory) {
  if (!state.backup.has_value() || state.backup->finished) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the backup in ", directory.path(),
                   " was not finished: make it again, or remove it"));
}

absl::StatusOr<std::vector<uint64_t>> Manifest::ListNumbers(
    Directory* directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, directory->List());
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    if (auto number = ParseManifestFileName(name)) numbers.push_back(*number);
  }
  std::sort(numbers.rbegin(), numbers.rend());
  return numbers;
}

absl::StatusOr<std::string> Manifest::ReadWhole(Directory* directory,
                                                uint64_t number) {
  ASSIGN_OR_RETURN(
      std::unique_ptr<File> file,
      directory->OpenFile(ManifestFileName(number), /*writable=*/false));
  ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  if (size > kMaxManifestBytes) {
    return absl::DataLossError(
        absl::StrCat(directory->path(), "/", ManifestFileName(number),
                     ", offset ", kMaxManifestBytes, ": the file goes on, to ",
                     size, ", where no manifest does"));
  }
  std::string bytes(size, '\0');
  ASSIGN_OR_RETURN(const size_t read,
                   file->Read(0, absl::MakeSpan(bytes.data(), bytes.size())));
  bytes.resize(read);
  return bytes;
}

absl::StatusOr<LoadedManifest> Manifest::Load(Directory* directory) {
  ASSIGN_OR_RETURN(const std::vector<uint64_t> numbers, ListNumbers(directory));
  if (numbers.empty()) {
    return absl::NotFoundError(
        absl::StrCat("there is no store in ", directory->path()));
  }
  absl::Status first_error;
  bool making_was_cut_short = false;
  for (const uint64_t number : numbers) {
    ASSIGN_OR_RETURN(const std::string bytes, ReadWhole(directory, number));
    absl::StatusOr<LoadedManifest> loaded = Parse(bytes, number);
    if (loaded.ok()) return loaded;
    const absl::Status error = InFile(loaded.status(), *directory, number);
    // Only a manifest that was never finished may be passed over.
    const bool unfinished =
        absl::IsDataLoss(error) && !BaseIsValid(bytes, number);
    if (!unfinished) return error;
    if (first_error.ok()) first_error = error;
    making_was_cut_short = MakingWasCutShort(bytes);
  }
  if (numbers.front() == 1 && making_was_cut_short) {
    return absl::NotFoundError(absl::StrCat("there is no store in ",
                                            directory->path(),
                                            " yet: ", first_error.message()));
  }
  return first_error;
}

absl::StatusOr<std::unique_ptr<Manifest>> Manifest::Create(
    Directory* directory, const ManifestState& state) {
  ASSIGN_OR_RETURN(const std::vector<uint64_t> unfinished,
                   ListNumbers(directory));
  for (const uint64_t number : unfinished) {
    RETURN_IF_ERROR(directory->Unlink(ManifestFileName(number)));
  }
  return WriteWhole(directory, 1, state);
}

absl::StatusOr<std::unique_ptr<Manifest>> Manifest::Resume(
    Directory* directory, LoadedManifest loaded) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                   directory->OpenFile(ManifestFileName(loaded.number), true));
  std::unique_ptr<Manifest> manifest(new Manifest(directory, std::move(file),
                                                  loaded.number, loaded.length,
                                                  std::move(loaded.state)));
  {
    MutexLock lock(&manifest->mutex_);
    manifest->unproven_ =
        DURABILITY_SITE(kUnprovenEdit, std::move(loaded.last_edit));
  }
  RETURN_IF_ERROR(manifest->UnlinkRemoved());
  return manifest;
}

absl::StatusOr<std::unique_ptr<Manifest>> Manifest::Publish(
    Directory* directory, const ManifestState& state) {
  ASSIGN_OR_RETURN(const std::vector<uint64_t> old, ListNumbers(directory));
  // Above old ones that were never finished, too.
  const uint64_t number = old.empty() ? 1 : old.front() + 1;
  ASSIGN_OR_RETURN(std::unique_ptr<Manifest> manifest,
                   WriteWhole(directory, number, state));
  for (const uint64_t each : old) {
    RETURN_IF_ERROR(directory->Unlink(ManifestFileName(each)));
  }
  RETURN_IF_ERROR(DURABILITY_SITE(kOldManifestSync, directory->Sync()));
  return manifest;
}

absl::StatusOr<std::unique_ptr<Manifest>> Manifest::Replace(
    Directory* directory, LoadedManifest loaded) {
  ASSIGN_OR_RETURN(std::unique_ptr<Manifest> manifest,
                   Publish(directory, loaded.state));
  RETURN_IF_ERROR(manifest->UnlinkRemoved());
  return manifest;
}

absl::Status Manifest::UnlinkRemoved() {
  ManifestEdit edit;
  for (const SegmentId id : state().removed) {
    const absl::Status status = directory_->Unlink(SegmentFileName(id));
    if (!status.ok() && !absl::IsNotFound(status)) return status;
    edit.push_back(ForgetSegmentChange{id});
  }
  if (edit.empty()) return absl::OkStatus();
  // I3: a file that came back would be one that no edit has named.
  RETURN_IF_ERROR(DURABILITY_SITE(kRemovedSync, directory_->Sync()));
  return Append(edit);
}

absl::StatusOr<std::unique_ptr<Manifest>> Manifest::WriteWhole(
    Directory* directory, uint64_t number, const ManifestState& state) {
  std::string bytes = EncodeManifestHeader(number);
  bytes += EncodeManifestEdit(state.WholeEdit(), number, bytes.size());
  const std::string name = ManifestFileName(number);
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, directory->CreateFile(name));
  // I3: it is whole, and has its name, before the one before it goes.
  absl::Status status = file->Write(0, bytes);
  if (status.ok()) {
    status = DURABILITY_SITE(kWholeManifestSync, file->SyncData());
  }
  if (status.ok()) {
    status = DURABILITY_SITE(kManifestNameSync, directory->Sync());
  }
  if (!status.ok()) {
    // While its name may stand for less than a whole manifest, the one
    // before it counts; try to leave nothing behind.
    directory->Unlink(name).IgnoreError();
    return status;
  }
  return std::unique_ptr<Manifest>(
      new Manifest(directory, std::move(file), number, bytes.size(), state));
}

absl::Status Manifest::Reserve(uint64_t size) {
  if (length_ + size <= reserved_) return absl::OkStatus();
  const uint64_t step = std::max(kReserveBytes, size);
  absl::Status status = file_->Allocate(length_, step);
  if (absl::IsUnimplemented(status)) {
    // Zeros take the space as well.
    status = file_->Write(length_, std::string(step, '\0'));
  }
  if (status.ok()) reserved_ = length_ + step;
  return status;
}

absl::Status Manifest::Append(const ManifestEdit& edit) {
  MutexLock lock(&mutex_);
  return AppendLocked(edit, 0);
}

absl::Status Manifest::AppendWithHeadroom(const ManifestEdit& edit) {
  MutexLock lock(&mutex_);
  return AppendLocked(edit, kHeadroomBytes);
}

absl::Status Manifest::ReserveHeadroom() {
  MutexLock lock(&mutex_);
  if (!failure_.ok()) return failure_;
  return Reserve(kHeadroomBytes);
}

absl::Status Manifest::AppendLocked(const ManifestEdit& edit,
                                    uint64_t headroom) {
  if (!failure_.ok()) return failure_;
  // An edit that can't be applied would be found by every open.
  ManifestState next = state_;
  next.clean_close.reset();
  if (absl::Status applied = next.Apply(edit); !applied.ok()) {
    return absl::InternalError(applied.message());
  }
  const std::string bytes = EncodeManifestEdit(edit, number_, length_);
  RETURN_IF_ERROR(Reserve(bytes.size() + headroom));
  const std::string_view parts[] = {unproven_, bytes};
  absl::Status status = file_->Write(length_ - unproven_.size(), parts);
  // A part of an edit is as good as none, and will be written over.
  if (absl::IsResourceExhausted(status)) return status;
  // I3: an edit is on the device before it is relied on.
  if (status.ok()) status = DURABILITY_SITE(kEditSync, file_->SyncData());
  if (!status.ok()) {
    // A sync that ran out of space has lost bytes: more than a full disk.
    if (absl::IsResourceExhausted(status)) {
      status = absl::InternalError(status.message());
    }
    if (!TakenAway(DurabilitySite::kManifestLatch)) failure_ = status;  // I7
    return status;
  }
  length_ += bytes.size();
  unproven_.clear();
  state_ = std::move(next);
  return absl::OkStatus();
}

absl::Status Manifest::ShortenIfLong() {
  MutexLock lock(&mutex_);
  if (!failure_.ok()) return failure_;
  if (length_ < kMinLengthToShorten) return absl::OkStatus();
  const uint64_t whole =
      kManifestHeaderBytes +
      EncodeManifestEdit(state_.WholeEdit(), number_, 0).size();
  if (length_ < kShortenFactor * whole) return absl::OkStatus();
  // Nothing is added to either until the old one is durably gone: a base that
  // was passed over later, for want of an edit in it, would lose that edit.
  absl::StatusOr<std::unique_ptr<Manifest>> shorter =
      WriteWhole(directory_, number_ + 1, state_);
  absl::Status status = shorter.status();
  if (status.ok()) {
    status = (*shorter)->ReserveHeadroom();
    if (!status.ok()) {
      directory_->Unlink(ManifestFileName(number_ + 1)).IgnoreError();
    }
  }
  if (absl::IsResourceExhausted(status)) {
    // This manifest may go on only if the other is durably gone.
    const auto left =
        directory_->OpenFile(ManifestFileName(number_ + 1), false);
    if (absl::IsNotFound(left.status()) && directory_->Sync().ok()) {
      return status;
    }
  }
  if (status.ok()) status = directory_->Unlink(ManifestFileName(number_));
  if (status.ok()) status = directory_->Sync();
  if (!status.ok()) {
    failure_ = status;
    return status;
  }
  MutexLock other(&(*shorter)->mutex_);
  file_ = std::move((*shorter)->file_);
  length_ = (*shorter)->length_;
  reserved_ = (*shorter)->reserved_;
  ++number_;
  unproven_.clear();
  return absl::OkStatus();
}

SegmentId Manifest::NextSegmentId() {
  MutexLock lock(&mutex_);
  return state_.base.next_segment_id++;
}

ManifestState Manifest::state() const {
  MutexLock lock(&mutex_);
  return state_;
}

absl::Status Manifest::Trim() {
  MutexLock lock(&mutex_);
  if (reserved_ == length_) return absl::OkStatus();
  reserved_ = length_;
  return file_->Truncate(length_);
}

}  // namespace stave
