#include "engine/core/recovery.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/coding.h"
#include "engine/base/durability_site.h"
#include "engine/base/key_hash.h"
#include "engine/base/parallel.h"
#include "engine/base/random_bits.h"
#include "engine/base/status_macros.h"
#include "engine/core/checkpoint_reader.h"
#include "engine/core/dictionary_file.h"
#include "engine/core/hint_fill.h"
#include "engine/core/keydir_fill.h"
#include "engine/core/log_end.h"
#include "engine/core/new_keydir.h"
#include "engine/format/file_names.h"
#include "engine/log/hint_file.h"
#include "engine/log/segment_scanner.h"

namespace stave {
namespace {

// A manifest longer than this is written anew when the store is opened.
constexpr uint64_t kMaxResumedManifestBytes = 64 << 10;
constexpr uint64_t kWriteBackBytes = 1 << 20;

class Opener {
 public:
  Opener(Directory* directory, const Options& options, Clock* clock)
      : directory_(directory), options_(options), clock_(clock) {}

  absl::StatusOr<RecoveredStore> Run() {
    RETURN_IF_ERROR(FindCheckpoints());
    RETURN_IF_ERROR(LoadManifest());
    RETURN_IF_ERROR(CheckFiles());
    RETURN_IF_ERROR(FindEnd());
    RETURN_IF_ERROR(MakeState());
    RETURN_IF_ERROR(OpenSegments());
    const size_t threads = ThreadCount(options_.recovery_threads);
    RETURN_IF_ERROR(Fill(threads));
    if (options_.read_only) {
      store_.listed = std::move(loaded_.state);
      return std::move(store_);
    }
    RETURN_IF_ERROR(MakeDurable());
    TidyHints();
    TidyCheckpoints();
    for (const std::string& name : unfinished_) {
      directory_->Unlink(name).IgnoreError();
    }
    return std::move(store_);
  }

 private:
  // Before the manifest is read: a running writer may complete a checkpoint
  // that lacks what a merge has moved, in a segment that only a later manifest
  // names.
  absl::Status FindCheckpoints() {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, directory_->List());
    for (const std::string& name : names) {
      const auto generation = ParseCheckpointFileName(name);
      if (!generation.has_value()) continue;
      checkpoints_[*generation] = IsWholeCheckpoint(directory_, *generation);
    }
    return absl::OkStatus();
  }

  absl::Status LoadManifest() {
    absl::StatusOr<LoadedManifest> loaded = Manifest::Load(directory_);
    ASSIGN_OR_RETURN(names_, directory_->List());
    const bool none = absl::IsNotFound(loaded.status());
    if (DURABILITY_SITE(kNoManifestCheck, none)) {
      for (const std::string& name : names_) {
        if (!ParseSegmentFileName(name).has_value()) continue;
        return absl::DataLossError(absl::StrCat(
            loaded.status().message(), "; but there is a segment, ", name,
            ". The directory was left as it is"));
      }
    }
    if (!loaded.ok()) return loaded.status();
    loaded_ = *std::move(loaded);
    return CheckFinished(loaded_.state, *directory_);
  }

  // Nothing is deleted before every listed segment was found.
  absl::Status CheckFiles() {
    const std::set<std::string> names(names_.begin(), names_.end());
    for (const ListedSegment& segment : loaded_.state.segments) {
      const std::string name = SegmentFileName(segment.header.id);
      const bool missing = names.count(name) == 0;
      if (!DURABILITY_SITE(kMissingSegmentCheck, missing)) continue;
      return absl::DataLossError(absl::StrCat(directory_->path(), "/", name,
                                              ": the segment is missing"));
    }
    for (const std::string& name : names_) {
      const auto hint_id = ParseHintFileName(name);
      if (hint_id.has_value()) hints_.insert(*hint_id);
      const auto id = ParseSegmentFileName(name);
      if (!id.has_value() || loaded_.state.Find(*id) != nullptr) continue;
      // I9: an id is never used again.
      loaded_.state.base.next_segment_id =
          std::max(loaded_.state.base.next_segment_id,
                   DURABILITY_SITE(kUnusedId, *id + 1));
      const auto& removed = loaded_.state.removed;
      const bool was_removed =
          std::find(removed.begin(), removed.end(), *id) != removed.end();
      if (!was_removed) RETURN_IF_ERROR(CheckUnlisted(*id));
    }
    return ReadDictionaries();
  }

  absl::Status ReadDictionaries() {
    for (const DictionaryChange& listed : loaded_.state.dictionaries) {
      auto dictionary = ReadListedDictionary(directory_, listed);
      const bool lacks = !dictionary.ok();
      if (DURABILITY_SITE(kMissingDictionaryCheck, lacks)) {
        return dictionary.status();
      }
      if (!lacks) dictionaries_.push_back(*std::move(dictionary));
    }
    if (options_.read_only) return absl::OkStatus();
    for (const uint64_t id : DictionariesAmong(names_)) {
      if (loaded_.state.FindDictionary(id) != nullptr) continue;
      auto dictionary = ReadDictionary(directory_, id);
      if (dictionary.ok()) {
        unlisted_dictionaries_.push_back(*std::move(dictionary));
      } else if (absl::IsDataLoss(dictionary.status())) {
        unfinished_.push_back(DictionaryFileName(id));
      }
    }
    return absl::OkStatus();
  }

  // A log segment that the manifest never named is left from making one: it
  // has at most a header. With more in it, the manifest has lost an edit. A
  // merge's output counts for nothing before the manifest names it: its
  // records are in the segments that it was to replace, which were found.
  absl::Status CheckUnlisted(SegmentId id) {
    const std::string name = SegmentFileName(id);
    const absl::StatusOr<bool> unused = CanBeDeleted(name);
    // A running writer may have removed it.
    if (absl::IsNotFound(unused.status()) && options_.read_only) {
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(unused.status());
    if (!DURABILITY_SITE(kUnlistedCheck, !*unused)) {
      unlisted_.push_back(name);
      return absl::OkStatus();
    }
    return absl::DataLossError(absl::StrCat(
        directory_->path(), "/", name, ", offset ", kSegmentHeaderBytes,
        ": the segment has records, but the manifest doesn't know it. The "
        "directory was left as it is"));
  }

  absl::StatusOr<bool> CanBeDeleted(const std::string& name) const {
    ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                     directory_->OpenFile(name, /*writable=*/false));
    ASSIGN_OR_RETURN(const uint64_t size,
                     SegmentFileSize(*directory_, name, *file));
    ASSIGN_OR_RETURN(const MemoryRange memory,
                     MemoryRange::Reserve(std::max<uint64_t>(size, 1)));
    ASSIGN_OR_RETURN(const size_t read,
                     file->Read(0, absl::MakeSpan(memory.data(), size)));
    const std::string_view bytes(memory.data(), read);
    const absl::StatusOr<SegmentHeader> header = DecodeSegmentHeader(bytes);
    if (!header.ok()) {
      // It was cut short before or while the header was written.
      return bytes.find_first_not_of('\0', kSegmentHeaderBytes) == bytes.npos;
    }
    return DURABILITY_SITE(kOutputMayGo,
                           header->kind == SegmentKind::kMerged) ||
           !HoldsRecord(bytes, SegmentSeed(header->salt, header->id));
  }

  absl::Status FindEnd() {
    const auto& close = loaded_.state.clean_close;
    if (close.has_value() && loaded_.whole_file) {
      uint64_t size = 0;
      if (close->id != 0) {
        ASSIGN_OR_RETURN(
            const std::unique_ptr<File> file,
            directory_->OpenFile(SegmentFileName(close->id), false));
        ASSIGN_OR_RETURN(size, file->Size());
      }
      closed_cleanly_ = size == close->summary.length;
    }
    store_.last_sequence = loaded_.state.base.sealed_through;
    if (closed_cleanly_) {
      store_.last_sequence =
          std::max(store_.last_sequence, close->summary.greatest_sequence);
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(end_, FindLogEnd(directory_, loaded_.state));
    store_.last_sequence = end_.last_sequence;
    store_.bytes_cut = end_.bytes_cut;
    int64_t& floor_ms = loaded_.state.base.clock_floor_ms;
    floor_ms = std::max(floor_ms, end_.clock_floor_ms);
    return absl::OkStatus();
  }

  absl::Status MakeState() {
    store_.state = std::make_unique<State>();
    State& state = *store_.state;
    state.directory = directory_->path();
    state.read_mode = options_.read_mode;
    state.clock = std::make_unique<EngineClock>(
        clock_, loaded_.state.base.clock_floor_ms);
    state.hasher = std::make_unique<KeyHasher>(loaded_.state.base.hash_secret);
    ASSIGN_OR_RETURN(state.segments, SegmentSet::Create());
    state.keydir = NewKeydir(options_.keydir);
    for (auto& dictionary : dictionaries_) {
      state.dictionaries->Add(std::move(dictionary));
    }
    return absl::OkStatus();
  }

  // In log order, so that their ranges of locations are too.
  absl::Status OpenSegments() {
    for (const ListedSegment& listed : loaded_.state.segments) {
      SegmentToRead source;
      if (listed.sealed.has_value()) {
        source.summary = *listed.sealed;
        source.has_hint_file = hints_.count(listed.header.id) > 0;
      } else if (closed_cleanly_) {
        source.summary = loaded_.state.clean_close->summary;
        // A segment that was ready but never used has no records.
        if (listed.header.id != loaded_.state.clean_close->id) continue;
      } else {
        const UnsealedSegment* unsealed = FindUnsealed(listed.header.id);
        if (!unsealed->in_log || unsealed->summary.records == 0) continue;
        source.summary = unsealed->summary;
        source.check_bodies = false;  // was done while its end was looked for
      }
      RETURN_IF_ERROR(OpenSegment(listed, &source));
      sources_.push_back(std::move(source));
    }
    return absl::OkStatus();
  }

  const UnsealedSegment* FindUnsealed(SegmentId id) const {
    for (const UnsealedSegment& segment : end_.segments) {
      if (segment.header.id == id) return &segment;
    }
    return nullptr;
  }

  absl::Status OpenSegment(const ListedSegment& listed, SegmentToRead* source) {
    const SegmentId id = listed.header.id;
    const bool resumed = closed_cleanly_ && !options_.read_only &&
                         id == loaded_.state.clean_close->id;
    Segment::Parts parts;
    parts.header = listed.header;
    parts.name = SegmentFileName(id);
    ASSIGN_OR_RETURN(parts.file, directory_->OpenFile(parts.name, resumed));
    RETURN_IF_ERROR(
        CheckFile(*parts.file, listed.header, source->summary.length));
    // The space is there already; this asks whether more could be had.
    const bool maps = options_.read_mode == ReadMode::kMap;
    const bool mapped = resumed && maps &&
                        directory_->SupportsMappedAppends() &&
                        parts.file->Allocate(0, source->summary.length).ok();
    const uint64_t length = source->summary.length;
    const uint64_t capacity =
        resumed ? std::max(length, ResumedCapacity()) : length;
    ASSIGN_OR_RETURN(parts.first,
                     store_.state->segments->ReserveRange(capacity));
    parts.capacity = capacity;
    if (maps) {
      ASSIGN_OR_RETURN(parts.mapping, parts.file->Map(capacity, mapped));
    }
    ASSIGN_OR_RETURN(const uint64_t file_bytes, parts.file->Size());
    // A mapping needs no open file, and processes may have few.
    if (maps && !resumed) parts.file = nullptr;
    source->segment = Segment::Adopt(std::move(parts));
    source->segment->end() = source->summary.length;
    source->segment->file_bytes() = file_bytes;
    store_.state->segments->Add(source->segment);
    if (resumed) {
      store_.active =
          SegmentWriter::Resume(source->segment, source->summary, mapped);
    }
    return absl::OkStatus();
  }

  // What is live is not known yet; it is at most everything.
  uint64_t ResumedCapacity() const {
    uint64_t bytes = loaded_.state.clean_close->summary.length;
    for (const ListedSegment& segment : loaded_.state.segments) {
      if (segment.sealed.has_value()) bytes += segment.sealed->length;
    }
    return SegmentCapacity(bytes, options_.segment_size_bytes);
  }

  absl::Status CheckFile(const File& file, const SegmentHeader& expected,
                         uint64_t length) const {
    char bytes[kSegmentHeaderBytes] = {};
    ASSIGN_OR_RETURN(const size_t read, file.Read(0, absl::MakeSpan(bytes)));
    RETURN_IF_ERROR(CheckSegmentHeader(
        *directory_, std::string_view(bytes, read), expected));
    ASSIGN_OR_RETURN(const uint64_t size, file.Size());
    if (!DURABILITY_SITE(kFileLengthCheck, size < length)) {
      return absl::OkStatus();
    }
    return absl::DataLossError(absl::StrCat(
        directory_->path(), "/", SegmentFileName(expected.id), ", offset ",
        size, ": the file ends here, its records at ", length));
  }

  absl::Status Fill(size_t threads) {
    State* const state = store_.state.get();
    const bool is_counted = FillFromCheckpoint(threads);
    RETURN_IF_ERROR(FillFromHints(state, directory_, &sources_, threads));
    RETURN_IF_ERROR(FillKeydir(state, sources_, threads));
    if (is_counted) return absl::OkStatus();
    return CountLiveRecords(state, sources_, threads);
  }

  // From the latest checkpoint that is right, if there is one; it may cover
  // some segments. True if nothing is left to be counted.
  bool FillFromCheckpoint(size_t threads) {
    State& state = *store_.state;
    std::optional<uint64_t>& kept = store_.checkpoint.kept;
    for (const auto& [generation, is_whole] : checkpoints_) {
      if (!is_whole) continue;
      const absl::StatusOr<CheckpointCoverage> read = ReadCheckpoint(
          directory_, generation,
          {loaded_.state.base.store_id, store_.last_sequence, &sources_},
          &state, threads);
      if (read.ok()) {
        kept = generation;
        return *read == CheckpointCoverage::kAll;
      }
      const bool is_of_other_kind = absl::IsUnimplemented(read.status());
      if (is_of_other_kind && !kept.has_value()) kept = generation;
      state.keydir = NewKeydir(options_.keydir);
    }
    return false;
  }

  // Left from an open that was cut short.
  bool HasOtherManifests() const {
    return std::any_of(names_.begin(), names_.end(), [&](const auto& name) {
      const auto number = ParseManifestFileName(name);
      return number.has_value() && *number != loaded_.number;
    });
  }

  absl::Status MakeDurable() {
    RETURN_IF_ERROR(ListDictionaries());
    if (closed_cleanly_ && unlisted_.empty() && !HasOtherManifests() &&
        !lists_more_ && loaded_.length <= kMaxResumedManifestBytes) {
      ASSIGN_OR_RETURN(store_.manifest,
                       Manifest::Resume(directory_, std::move(loaded_)));
      return absl::OkStatus();
    }
    if (!closed_cleanly_) {
      loaded_.state.clean_close.reset();
      // Nobody knows whether the log had more than was found, so feeds must be
      // able to tell what they read before from what comes now.
      RETURN_IF_ERROR(loaded_.state.Apply(
          {IncarnationChange{RandomBits() | 1, store_.last_sequence}}));
      // What marks vouch for must stay known if this is cut short.
      for (const UnsealedSegment& segment : end_.segments) {
        loaded_.state.Find(segment.header.id)->synced_length =
            DURABILITY_SITE(kSyncedLengthKept, segment.synced_length);
      }
    }
    // I3: edits that were read may be in the page cache alone, so all that
    // they say is written anew before anything is done because of it.
    const auto renew = TakenAway(DurabilitySite::kManifestRenewal)
                           ? &Manifest::Resume
                           : &Manifest::Replace;
    ASSIGN_OR_RETURN(store_.manifest, renew(directory_, std::move(loaded_)));
    RETURN_IF_ERROR(UnlinkAll(unlisted_));
    // If a name comes back, the next open removes it again.
    return SealEnd();
  }

  // A dictionary that was made but not listed, be it that this was cut short,
  // or that the edit was lost: records may need it. It goes into the whole
  // manifest that is written now.
  absl::Status ListDictionaries() {
    for (auto& dictionary : unlisted_dictionaries_) {
      if (loaded_.state.dictionaries.size() == kMostDictionaries) break;
      RETURN_IF_ERROR(WriteDictionary(directory_, *dictionary));
      loaded_.state.dictionaries.push_back(
          {dictionary->id(), dictionary->checksum()});
      store_.state->dictionaries->Add(std::move(dictionary));
      lists_more_ = true;
    }
    return absl::OkStatus();
  }

  // One edit seals what is in the log and removes what is not.
  absl::Status SealEnd() {
    ManifestEdit edit;
    std::vector<std::string> removed;
    for (const UnsealedSegment& segment : end_.segments) {
      if (!segment.in_log || segment.summary.records == 0) {
        edit.push_back(RemoveSegmentChange{segment.header.id});
        removed.push_back(SegmentFileName(segment.header.id));
        continue;
      }
      RETURN_IF_ERROR(WriteBack(segment));
      edit.push_back(SealSegmentChange{segment.header.id, segment.summary});
    }
    if (TakenAway(DurabilitySite::kEditBeforeUnlink)) {
      RETURN_IF_ERROR(UnlinkAll(removed));
      removed.clear();
    }
    if (!edit.empty()) RETURN_IF_ERROR(store_.manifest->Append(edit));
    RETURN_IF_ERROR(UnlinkAll(removed));
    return CutTails();
  }

  absl::Status UnlinkAll(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      RETURN_IF_ERROR(directory_->Unlink(name));
    }
    return absl::OkStatus();
  }

  // Makes the bytes above the last mark dirty again and syncs them: they may
  // have failed to reach the device without anybody left to be told.
  absl::Status WriteBack(const UnsealedSegment& segment) {
    ASSIGN_OR_RETURN(
        const std::unique_ptr<File> file,
        directory_->OpenFile(SegmentFileName(segment.header.id), true));
    uint64_t at = segment.synced_length;
    const uint64_t end = segment.summary.length;
    std::string bytes(at < end ? std::min(kWriteBackBytes, end - at) : 0, '\0');
    while (at < end) {
      const uint64_t size = std::min<uint64_t>(bytes.size(), end - at);
      ASSIGN_OR_RETURN(const size_t read,
                       file->Read(at, absl::MakeSpan(bytes.data(), size)));
      if (read != size) return absl::DataLossError("the file became shorter");
      RETURN_IF_ERROR(DURABILITY_SITE(
          kWriteBack, file->Write(at, std::string_view(bytes.data(), size))));
      at += size;
    }
    return DURABILITY_SITE(kWriteBackSync, file->SyncData());
  }

  // The seal governs from now on; this only gives space back.
  absl::Status CutTails() {
    for (const SegmentToRead& source : sources_) {
      if (source.segment->file_bytes() == source.summary.length) continue;
      ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                       directory_->OpenFile(source.segment->name(), true));
      RETURN_IF_ERROR(file->Truncate(source.summary.length));
      source.segment->file_bytes() = source.summary.length;
    }
    return absl::OkStatus();
  }

  // After everything was made sure of. Nothing depends on these files.
  void TidyHints() {
    for (const SegmentToRead& source : sources_) {
      const std::shared_ptr<Segment>& segment = source.segment;
      if (source.is_restored) {
        hints_.erase(segment->id());
      } else if (store_.active == nullptr ||
                 store_.active->segment() != segment) {
        store_.without_hint.push_back({segment, source.summary});
      }
    }
    for (const SegmentId id : hints_) RemoveHint(directory_, id);
  }

  void TidyCheckpoints() {
    CheckpointKeeper::Found& found = store_.checkpoint;
    for (const auto& [generation, is_whole] : checkpoints_) {
      if (generation == found.kept) continue;
      directory_->Unlink(CheckpointFileName(generation)).IgnoreError();
    }
    // One that could not be removed may be there still.
    if (!checkpoints_.empty()) {
      found.last_generation = checkpoints_.begin()->first;
    }
    for (const SegmentToRead& source : sources_) {
      if (source.is_covered) continue;
      found.uncovered_bytes += source.summary.length - kSegmentHeaderBytes;
    }
  }

  Directory* const directory_;
  const Options& options_;
  Clock* const clock_;
  std::vector<std::string> names_;
  std::set<SegmentId> hints_;  // that there are files of
  // The generations that there are files of, and whether they were whole.
  std::map<uint64_t, bool, std::greater<>> checkpoints_;
  LoadedManifest loaded_;
  std::vector<std::string> unlisted_;
  // Those that are listed, and those that are not.
  std::vector<std::unique_ptr<const Dictionary>> dictionaries_;
  std::vector<std::unique_ptr<const Dictionary>> unlisted_dictionaries_;
  bool lists_more_ = false;
  std::vector<std::string> unfinished_;  // dictionaries
  bool closed_cleanly_ = false;
  LogEnd end_;
  std::vector<SegmentToRead> sources_;
  RecoveredStore store_;
};

}  // namespace

uint64_t SegmentCapacity(uint64_t live_bytes, uint64_t segment_size_bytes) {
  constexpr uint64_t kLeastBytes = uint64_t{1} << 20;
  constexpr uint64_t kFraction = 8;
  return std::clamp(live_bytes / kFraction,
                    std::min(kLeastBytes, segment_size_bytes),
                    segment_size_bytes);
}

absl::StatusOr<RecoveredStore> Recover(Directory* directory,
                                       const Options& options, Clock* clock) {
  return Opener(directory, options, clock).Run();
}

ManifestState NewManifestState() {
  ManifestState manifest;
  // Not 0, which stands for "no store" in a manifest that is being read.
  manifest.base.store_id = RandomBits() | 1;
  HashSecret& secret = manifest.base.hash_secret;
  static_assert(kHashSecretBytes % sizeof(uint64_t) == 0);
  for (size_t at = 0; at < secret.size(); at += sizeof(uint64_t)) {
    EncodeFixed(RandomBits(), &secret[at]);
  }
  return manifest;
}

absl::StatusOr<RecoveredStore> CreateStore(Directory* directory,
                                           const Options& options,
                                           Clock* clock) {
  RecoveredStore store;
  const ManifestState manifest = NewManifestState();
  store.state = std::make_unique<State>();
  store.state->directory = directory->path();
  store.state->read_mode = options.read_mode;
  store.state->clock = std::make_unique<EngineClock>(clock, 0);
  store.state->hasher = std::make_unique<KeyHasher>(manifest.base.hash_secret);
  ASSIGN_OR_RETURN(store.state->segments, SegmentSet::Create());
  store.state->keydir = NewKeydir(options.keydir);
  ASSIGN_OR_RETURN(store.manifest, Manifest::Create(directory, manifest));
  return store;
}

}  // namespace stave
