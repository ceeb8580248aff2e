#include "engine/core/engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/clock.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/core/damage_map.h"
#include "engine/core/foreign_directory.h"
#include "engine/core/log_history.h"
#include "engine/core/log_iterator.h"
#include "engine/core/ordered_iterator.h"
#include "engine/core/salvage.h"
#include "engine/format/file_names.h"
#include "engine/format/segment_header.h"
#include "engine/fs/posix_file_system.h"
#include "engine/log/reserve.h"

namespace stave {
namespace {

// A writer may replace files while a read-only open looks at them.
constexpr int kReadOnlyTries = 100;
// Stores of small segments are for small disks: the reserve for deletes is at
// most so many of them.
constexpr uint64_t kReserveSegments = 16;

absl::Status CheckPath(std::string_view path) {
  if (path.empty()) {
    return absl::InvalidArgumentError("the store's directory has no name");
  }
  if (path.find('\0') != path.npos) {
    return absl::InvalidArgumentError(
        "the name of the store's directory has a zero byte");
  }
  return absl::OkStatus();
}

absl::Status CheckOptions(std::string_view path, const Options& options) {
  RETURN_IF_ERROR(CheckPath(path));
  if (options.segment_size_bytes < kMinSegmentSizeBytes ||
      options.segment_size_bytes > kMaxSegmentSizeBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "segment_size_bytes is ", options.segment_size_bytes, ", not from ",
        kMinSegmentSizeBytes, " to ", kMaxSegmentSizeBytes));
  }
  if (options.sync_interval < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("sync_interval is negative");
  }
  // Also false for what is not a number.
  if (!(options.max_space_amplification >= kMinSpaceAmplification)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "max_space_amplification is ", options.max_space_amplification,
        ", less than ", kMinSpaceAmplification));
  }
  if (options.recovery_threads < 0 ||
      options.recovery_threads > kMaxRecoveryThreads) {
    return absl::InvalidArgumentError(
        absl::StrCat("recovery_threads is ", options.recovery_threads,
                     ", not from 0 to ", kMaxRecoveryThreads));
  }
  if (options.compression > Compression::kLz4) {
    return absl::InvalidArgumentError(
        absl::StrCat("compression is ", static_cast<int>(options.compression),
                     ", which is no method"));
  }
  if (options.compression_level < 0 ||
      options.compression_level > kMaxCompressionLevel) {
    return absl::InvalidArgumentError(
        absl::StrCat("compression_level is ", options.compression_level,
                     ", not from 0 to ", kMaxCompressionLevel));
  }
  if (options.refresh_interval <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("refresh_interval is not positive");
  }
  return absl::OkStatus();
}

FileSystem* FileSystemOf(const Options& options) {
  return options.file_system != nullptr ? options.file_system
                                        : PosixFileSystem();
}

absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
    FileSystem* file_system, std::string_view path, const Options& options) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      file_system->OpenDirectory(path);
  if (!absl::IsNotFound(directory.status())) return directory;
  if (!options.create_if_missing || options.read_only) {
    return absl::NotFoundError(
        absl::StrCat("there is no store in ", ToAbsl(path)));
  }
  const absl::Status made = file_system->CreateDirectory(path);
  // Another process may make it at the same moment.
  if (!absl::IsAlreadyExists(made)) RETURN_IF_ERROR(made);
  directory = file_system->OpenDirectory(path);
  if (!absl::IsNotFound(directory.status())) return directory;
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(path), " is a symbolic link that leads nowhere"));
}

// Before anything is made or recovered: the directory stays as it is if this
// is an error.
absl::Status CheckExists(Directory* directory, const Options& options) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, directory->List());
  const bool exists =
      std::any_of(names.begin(), names.end(), [](const std::string& name) {
        return ParseManifestFileName(name).has_value() ||
               ParseSegmentFileName(name).has_value();
      });
  if (exists && options.error_if_exists) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is a store in ", directory->path(), " already"));
  }
  if (!exists && !options.create_if_missing) {
    return absl::NotFoundError(
        absl::StrCat("there is no store in ", directory->path()));
  }
  return absl::OkStatus();
}

// What tells whether a writer has changed the list of segments.
std::pair<uint64_t, uint64_t> ManifestEnd(Directory* directory) {
  const absl::StatusOr<LoadedManifest> manifest = Manifest::Load(directory);
  if (!manifest.ok()) return {0, 0};
  return {manifest->number, manifest->length};
}

// Files that a writer replaces meanwhile look as if they were missing or
// damaged. They are if the manifest stayed the same.
absl::StatusOr<RecoveredStore> RecoverReadOnly(Directory* directory,
                                               const Options& options,
                                               Clock* clock) {
  for (int tries = 1;; ++tries) {
    const auto before = ManifestEnd(directory);
    absl::StatusOr<RecoveredStore> recovered =
        Recover(directory, options, clock);
    if (recovered.ok() || tries == kReadOnlyTries ||
        ManifestEnd(directory) == before) {
      return recovered;
    }
  }
}

// A directory that will be refused gets no file, and no byte into one: where
// that may be, it is looked at first, as by those who only read.
absl::Status LookBeforeLocking(Directory* directory, Options options,
                               Clock* clock) {
  ASSIGN_OR_RETURN(const bool may_be_foreign, MayBeForeign(directory));
  if (!may_be_foreign) return absl::OkStatus();
  options.read_only = true;
  const absl::Status status =
      RecoverReadOnly(directory, options, clock).status();
  return absl::IsNotFound(status) ? CheckNotForeign(directory) : status;
}

// A directory may be left from a process that was killed before its name was
// durable. Who may not read the parent has not made it, nor seen it made.
absl::Status MakeNameDurable(FileSystem* file_system, std::string_view path) {
  const absl::Status made = file_system->CreateDirectory(path);
  const bool is_there =
      absl::IsAlreadyExists(made) || absl::IsPermissionDenied(made);
  return is_there ? absl::OkStatus() : made;
}

absl::StatusOr<RecoveredStore> RecoverOrCreate(FileSystem* file_system,
                                               Directory* directory,
                                               const Options& options,
                                               Clock* clock) {
  absl::StatusOr<RecoveredStore> recovered = Recover(directory, options, clock);
  if (absl::IsNotFound(recovered.status()) && options.create_if_missing) {
    RETURN_IF_ERROR(MakeNameDurable(file_system, directory->path()));
    return CreateStore(directory, options.keydir, clock);
  }
  return recovered;
}

// Open stops at the first damage, and changes nothing.
absl::Status WithAdvice(const absl::Status& status) {
  if (!absl::IsDataLoss(status)) return status;
  return absl::DataLossError(
      absl::StrCat(status.message(),
                   "; `stave fsck` lists all damage, and with --repair copies "
                   "what is sound into a new store"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store::Engine>> Store::Engine::Open(
    std::string_view path, const Options& given) {
  RETURN_IF_ERROR(CheckOptions(path, given));
  Options options = given;
  options.read_only |= options.open_damaged;
  FileSystem* const file_system = FileSystemOf(options);
  Clock* const clock = options.clock != nullptr ? options.clock : SystemClock();
  ASSIGN_OR_RETURN(std::unique_ptr<Directory> directory,
                   OpenDirectory(file_system, path, options));
  std::unique_ptr<File> lock;
  absl::StatusOr<RecoveredStore> recovered = absl::UnknownError("");
  if (options.read_only) {
    recovered = RecoverReadOnly(directory.get(), options, clock);
    if (options.open_damaged && absl::IsDataLoss(recovered.status())) {
      recovered = RecoverDamaged(directory.get(), options, clock);
    }
  } else {
    RETURN_IF_ERROR(CheckExists(directory.get(), options));
    RETURN_IF_ERROR(
        WithAdvice(LookBeforeLocking(directory.get(), options, clock)));
    ASSIGN_OR_RETURN(lock, directory->Lock(kLockFileName, ThisProcess()));
    recovered = RecoverOrCreate(file_system, directory.get(), options, clock);
    // I7: a store can be opened on a full disk, for who wants to delete.
    if (absl::IsResourceExhausted(recovered.status()) &&
        Reserve(directory.get()).GiveUp()) {
      recovered = RecoverOrCreate(file_system, directory.get(), options, clock);
    }
  }
  if (!recovered.ok()) return WithAdvice(recovered.status());
  std::unique_ptr<Engine> engine(new Engine(
      options, std::move(directory), std::move(lock), *std::move(recovered)));
  if (engine->follower_ != nullptr && options.background_threads &&
      options.refresh_interval != absl::InfiniteDuration()) {
    RETURN_IF_ERROR(engine->follower_->Start(options.refresh_interval));
  }
  return engine;
}

Store::Engine::Engine(const Options& options,
                      std::unique_ptr<Directory> directory,
                      std::unique_ptr<File> lock, RecoveredStore recovered)
    : options_(options),
      directory_(std::move(directory)),
      lock_(std::move(lock)),
      manifest_(std::move(recovered.manifest)),
      state_(std::move(recovered.state)),
      reader_(state_.get()),
      bytes_cut_at_open_(recovered.bytes_cut) {
  if (options.read_only) {
    if (state_->damage != nullptr) return;
    follower_ = std::make_unique<Follower>(
        directory_.get(), state_.get(), std::move(recovered.listed),
        recovered.last_sequence, [this] { closed_.store(true); });
    return;
  }
  incarnation_ = IncarnationOf(manifest_->state());
  hints_ = std::make_unique<HintWriter>(directory_.get(), state_->hasher.get(),
                                        options.background_threads,
                                        std::move(recovered.without_hint));
  Log::Settings settings;
  settings.directory = directory_.get();
  settings.manifest = manifest_.get();
  settings.segments = state_->segments.get();
  settings.clock = state_->clock.get();
  settings.next_capacity = [this] { return NextSegmentCapacity(); };
  settings.reserve_bytes = std::min(
      options.reserve_bytes, options.segment_size_bytes * kReserveSegments);
  settings.on_growth = [this] { merger_->OnGrowth(); };
  settings.may_prepare = [this] { return merger_->AllowsGrowth(); };
  settings.sealed = [this](const std::shared_ptr<Segment>& segment,
                           const SegmentSummary& summary) {
    hints_->Add({segment, summary});
    merger_->OnSeal();
    checkpoints_->OnSeal();
  };
  settings.sync_interval = options.sync_interval;
  settings.background_threads = options.background_threads;
  settings.mapped = directory_->SupportsMappedAppends();
  log_ = std::make_unique<Log>(std::move(settings), std::move(recovered.active),
                               recovered.last_sequence);
  merger_ = std::make_unique<Merger>(MergerSettings());
  checkpoints_ = std::make_unique<CheckpointKeeper>(CheckpointSettings(),
                                                    recovered.checkpoint);
  commit_ = std::make_unique<Commit>(
      state_.get(), log_.get(), merger_.get(), checkpoints_.get(),
      Compressor(options), options.sync_interval == absl::ZeroDuration());
  read_modify_write_ =
      std::make_unique<ReadModifyWrite>(&reader_, commit_.get());
  // I12: reads alone may find that keys have expired.
  if (options.background_threads && state_->has_expiries) {
    log_->Start();
    merger_->OnExpiry();
  }
}

Merger::Settings Store::Engine::MergerSettings() {
  Merger::Settings settings;
  settings.state = state_.get();
  settings.directory = directory_.get();
  settings.manifest = manifest_.get();
  settings.log = log_.get();
  settings.hints = hints_.get();
  settings.capacity = [this] { return NextSegmentCapacity(); };
  settings.max_amplification = options_.max_space_amplification;
  settings.feed_retention_bytes = options_.feed_retention_bytes;
  settings.background_merge = options_.background_merge;
  settings.background_threads = options_.background_threads;
  return settings;
}

CheckpointKeeper::Settings Store::Engine::CheckpointSettings() {
  CheckpointKeeper::Settings settings;
  settings.directory = directory_.get();
  settings.manifest = manifest_.get();
  settings.state = state_.get();
  settings.log = log_.get();
  settings.written_bytes = [this] {
    return log_->bytes_appended() + merger_->counters().bytes_written;
  };
  settings.min_keys = options_.checkpoint_min_keys;
  settings.interval_bytes = options_.checkpoint_interval_bytes;
  settings.background_threads = options_.background_threads;
  if (options_.background_threads) {
    settings.threads_at_close = ThreadCount(options_.recovery_threads);
  }
  return settings;
}

Store::Engine::~Engine() = default;

absl::Status Store::Engine::Close() {
  MutexLock lock(&close_mutex_);
  if (close_called_) return close_status_;
  close_called_ = true;
  closed_.store(true);
  if (follower_ != nullptr) follower_->Stop();
  if (merger_ != nullptr) merger_->Stop();
  { MutexLock wait_for_backup(&backup_mutex_); }
  if (log_ != nullptr) close_status_ = CloseLog();
  lock_ = nullptr;
  return close_status_;
}

absl::Status Store::Engine::CloseLog() {
  checkpoints_->Stop();
  merger_->Stop();
  const bool wants_checkpoint = checkpoints_->IsWantedAtClose();
  // Then a checkpoint covers everything; its hint file is made meanwhile. If
  // this fails, Close does.
  if (wants_checkpoint) log_->SealActive().IgnoreError();
  const absl::Status status = log_->Close();
  if (status.ok() && wants_checkpoint) checkpoints_->WriteAtClose();
  hints_->Close();
  return status;
}

absl::Status Store::Engine::ClosedError() const {
  if (follower_ != nullptr) RETURN_IF_ERROR(follower_->failure());
  return absl::FailedPreconditionError("the store is closed");
}

absl::StatusOr<Commit*> Store::Engine::ForWriting() {
  if (closed_.load(std::memory_order_acquire)) return ClosedError();
  if (commit_ == nullptr) {
    return absl::FailedPreconditionError("the store was opened read-only");
  }
  return commit_.get();
}

absl::StatusOr<ReadModifyWrite*> Store::Engine::ForReadModifyWrite() {
  RETURN_IF_ERROR(ForWriting().status());
  return read_modify_write_.get();
}

absl::StatusOr<Merger*> Store::Engine::ForMerging() {
  RETURN_IF_ERROR(ForWriting().status());
  return merger_.get();
}

absl::StatusOr<MergePlan> Store::Engine::PlanMerge(
    const MergeOptions& options) const {
  RETURN_IF_ERROR(ForReading().status());
  return stave::PlanMerge(*state_, Listed(), options_.feed_retention_bytes,
                          options_.max_space_amplification, options.all);
}

void Store::Engine::PauseMerge() {
  if (merger_ != nullptr) merger_->Pause();
}

void Store::Engine::ResumeMerge() {
  if (merger_ != nullptr) merger_->Resume();
}

absl::StatusOr<const Reader*> Store::Engine::ForReading(
    const ReadOptions& options) const {
  if (closed_.load(std::memory_order_acquire)) return ClosedError();
  if (options.refresh_ttl < absl::ZeroDuration()) [[unlikely]] {
    return absl::InvalidArgumentError("refresh_ttl is negative");
  }
  return &reader_;
}

absl::Status Store::Engine::MultiGet(absl::Span<const std::string_view> keys,
                                     const ReadOptions& options,
                                     stave::MultiGet::Visit visit) {
  ASSIGN_OR_RETURN(const Reader* const reader, ForReading(options));
  ASSIGN_OR_RETURN(const Instant* const then, reader->InstantOf(options));
  stave::MultiGet(state_.get(), reader, change_mutex(), then, keys, options)
      .Run(visit);
  return absl::OkStatus();
}

std::shared_ptr<const Instant> Store::Engine::NewInstant() {
  const auto instant = std::make_shared<Instant>(state_);
  const auto capture = [this, &parts = instant->parts] {
    if (state_->damage != nullptr) {
      for (const DamageMap::Stretch& stretch : state_->damage->stretches) {
        parts.push_back({stretch.segment, stretch.bytes});
      }
      return;
    }
    for (std::shared_ptr<Segment>& segment : state_->segments->All()) {
      const uint64_t end = segment->end().load(std::memory_order_acquire);
      parts.push_back({std::move(segment), {kSegmentHeaderBytes, end}});
    }
  };
  if (change_mutex() == nullptr) {
    capture();
    instant->now_ms = state_->clock->NowMs();
  } else {
    // With this lock held nothing changes keydir or log.
    MutexLock lock(change_mutex());
    instant->layer = state_->overlay.NewLayer();
    capture();
    // Before anything changes: what is written from now on may have been
    // written because time has gone on.
    instant->now_ms = state_->clock->NowMs();
  }
  return instant;
}

absl::StatusOr<std::unique_ptr<Iterator>> Store::Engine::NewIterator(
    const ReadOptions& options) {
  if (closed_.load(std::memory_order_acquire)) return ClosedError();
  std::shared_ptr<const Instant> instant;
  if (options.snapshot == nullptr) {
    instant = NewInstant();
  } else {
    ASSIGN_OR_RETURN(const Instant* const then,
                     Instant::Of(*options.snapshot, *state_));
    instant = then->shared_from_this();
  }
  if (state_->keydir->order() != nullptr) {
    return std::make_unique<OrderedIterator>(std::move(instant), options);
  }
  return std::make_unique<LogIterator>(std::move(instant), options);
}

absl::Status Store::Engine::Backup(std::string_view path) {
  RETURN_IF_ERROR(CheckPath(path));
  MutexLock lock(&backup_mutex_);
  if (closed_.load(std::memory_order_acquire)) return ClosedError();
  if (state_->damage != nullptr) {
    return absl::FailedPreconditionError(
        "a store that was opened damaged can't be backed up: repair it");
  }
  ASSIGN_OR_RETURN(StoreInstant instant, CaptureInstant());
  return WriteBackup(*state_, directory_.get(), std::move(instant),
                     FileSystemOf(options_), path, closed_);
}

absl::Status Store::Engine::Refresh() {
  if (closed_.load(std::memory_order_acquire)) return ClosedError();
  if (follower_ != nullptr) return follower_->Refresh();
  return absl::FailedPreconditionError(
      state_->damage != nullptr
          ? "a store that was opened damaged stays as it was"
          : "only a store that was opened read-only is refreshed");
}

absl::StatusOr<Store::Engine::LogView> Store::Engine::ViewLog() {
  if (closed_.load(std::memory_order_acquire)) return ClosedError();
  if (state_->damage != nullptr) {
    return absl::FailedPreconditionError(
        "a store that was opened damaged has no change feed");
  }
  LogView view;
  MutexLock lock(change_mutex());
  for (std::shared_ptr<Segment>& segment : state_->segments->All()) {
    const uint64_t end = segment->end().load(std::memory_order_acquire);
    if (segment->header().kind != SegmentKind::kLog ||
        end == kSegmentHeaderBytes) {
      continue;
    }
    view.parts.push_back({std::move(segment), {kSegmentHeaderBytes, end}});
  }
  if (log_ != nullptr) {
    log_->append_mutex().AssertHeld();
    view.last = log_->last_sequence();
    view.incarnation = incarnation_;
  } else {
    follower_->change_mutex().AssertHeld();
    view.last = follower_->last();
    view.incarnation = IncarnationOf(follower_->listed());
  }
  return view;
}

ManifestState Store::Engine::Listed() const {
  if (log_ != nullptr) return manifest_->state();
  MutexLock lock(&follower_->change_mutex());
  return follower_->listed();
}

absl::StatusOr<StoreInstant> Store::Engine::CaptureInstant() {
  StoreInstant instant;
  const auto capture = [this, &instant] {
    for (std::shared_ptr<Segment>& segment : state_->segments->All()) {
      const uint64_t end = segment->end().load(std::memory_order_acquire);
      instant.parts.push_back({std::move(segment), end});
    }
    instant.now_ms = state_->clock->NowMs();
  };
  if (log_ == nullptr) {
    RETURN_IF_ERROR(follower_->BetweenRefreshes([&] {
      follower_->change_mutex().AssertHeld();
      instant.manifest = follower_->listed();
      capture();
    }));
    return instant;
  }
  // Between a merge's edit and the new list of segments the manifest would not
  // know what is listed.
  merger_->BetweenMerges([&] {
    instant.manifest = manifest_->state();
    MutexLock lock(&log_->append_mutex());
    capture();
  });
  return instant;
}

uint64_t Store::Engine::NextSegmentCapacity() const {
  return SegmentCapacity(state_->live_bytes.load(std::memory_order_relaxed),
                         options_.segment_size_bytes);
}

void Store::Engine::CountSegments(Statistics* statistics) const {
  for (const std::shared_ptr<Segment>& segment : state_->segments->All()) {
    const uint64_t live = segment->live_bytes().load(std::memory_order_relaxed);
    const uint64_t end = segment->end().load(std::memory_order_relaxed);
    const uint64_t records = end - kSegmentHeaderBytes;
    ++statistics->segments;
    // The two are read one after another, while writers go on.
    statistics->dead_bytes += records - std::min(live, records);
    statistics->hint_bytes +=
        segment->hint_bytes().load(std::memory_order_relaxed);
  }
  const SegmentSet::Usage usage = state_->segments->GetUsage();
  statistics->live_bytes = state_->live_bytes.load(std::memory_order_relaxed);
  statistics->segment_bytes = usage.file_bytes;
  statistics->pinned_bytes = usage.pinned_bytes;
}

Statistics Store::Engine::GetStatistics() const {
  Statistics statistics;
  CountSegments(&statistics);
  const Keydir::Statistics keydir = state_->keydir->GetStatistics();
  statistics.keys = keydir.keys;
  statistics.keydir_bytes = keydir.bytes;
  statistics.bytes_cut_at_open = bytes_cut_at_open_;
  statistics.clock_floor_ahead_ms =
      static_cast<uint64_t>(state_->clock->AheadMs());
  statistics.clock_floor_ms = state_->clock->floor_ms();
  const VersionOverlay::Usage overlay = state_->overlay.GetUsage();
  statistics.snapshots = overlay.layers;
  statistics.snapshot_bytes = overlay.bytes;
  CountOtherFiles(&statistics);
  if (log_ == nullptr) return statistics;
  statistics.puts = commit_->puts();
  statistics.deletes = commit_->deletes();
  statistics.value_bytes = commit_->value_bytes();
  statistics.stored_value_bytes = commit_->stored_value_bytes();
  statistics.bytes_appended = log_->bytes_appended();
  statistics.syncs = log_->syncs();
  statistics.checkpoints = checkpoints_->written();
  const Merger::Counters merges = merger_->counters();
  statistics.merges = merges.merges;
  statistics.merge_bytes_read = merges.bytes_read;
  statistics.merge_bytes_written = merges.bytes_written;
  statistics.write_delay = merges.delayed;
  const absl::Status failure = log_->failure();
  statistics.latched = !failure.ok();
  statistics.first_error = std::string(failure.message());
  return statistics;
}

void Store::Engine::CountOtherFiles(Statistics* statistics) const {
  statistics->disk_bytes = statistics->segment_bytes + statistics->hint_bytes;
  const absl::StatusOr<std::vector<std::string>> names = directory_->List();
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    if (!IsStoreFileName(name) || ParseSegmentFileName(name) ||
        ParseHintFileName(name)) {
      continue;
    }
    const auto file = directory_->OpenFile(name, /*writable=*/false);
    if (!file.ok()) continue;  // removed meanwhile
    const uint64_t bytes = (*file)->Size().value_or(0);
    statistics->disk_bytes += bytes;
    if (name == kReserveFileName) statistics->reserve_bytes = bytes;
    if (ParseCheckpointFileName(name)) statistics->checkpoint_bytes += bytes;
  }
}

}  // namespace stave
