#include "engine/core/engine.h"

#include <algorithm>
#include <utility>

#include "engine/base/clock.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/core/damage_map.h"
#include "engine/core/dictionary_file.h"
#include "engine/core/log_history.h"
#include "engine/core/log_iterator.h"
#include "engine/core/open_store.h"
#include "engine/core/options_check.h"
#include "engine/core/ordered_iterator.h"
#include "engine/format/segment_header.h"

namespace stave {
namespace {

// Stores of small segments are for small disks: the reserve for deletes is at
// most so many of them.
constexpr uint64_t kReserveSegments = 16;

}  // namespace

absl::StatusOr<std::unique_ptr<Store::Engine>> Store::Engine::Open(
    std::string_view path, const Options& given) {
  Options options = given;
  options.read_only |= options.open_damaged;
  ASSIGN_OR_RETURN(OpenedStore opened, OpenStore(path, options));
  std::unique_ptr<Engine> engine(new Engine(options, std::move(opened)));
  if (engine->follower_ != nullptr && options.background_threads &&
      options.refresh_interval != absl::InfiniteDuration()) {
    RETURN_IF_ERROR(engine->follower_->Start(options.refresh_interval));
  }
  if (!options.snapshot_file.empty() && !options.read_only) {
    const absl::Status started = engine->snapshot_saver_.Start(
        options.snapshot_file, options.snapshot_format,
        options.snapshot_interval);
    if (!started.ok()) {
      engine->Close().IgnoreError();
      return started;
    }
  }
  return engine;
}

Store::Engine::Engine(const Options& options, OpenedStore opened)
    : options_(options),
      directory_(std::move(opened.directory)),
      lock_(std::move(opened.lock)),
      manifest_(std::move(opened.recovered.manifest)),
      state_(std::move(opened.recovered.state)),
      reader_(state_.get()),
      bytes_cut_at_open_(opened.recovered.bytes_cut),
      snapshot_saver_(SaverSettings()) {
  RecoveredStore& recovered = opened.recovered;
  if (options.read_only) {
    if (state_->damage != nullptr) return;
    LoadWhatTheWriterMakes();
    follower_ = std::make_unique<Follower>(
        directory_.get(), state_.get(), std::move(recovered.listed),
        recovered.last_sequence, [this] { closed_.store(true); });
    return;
  }
  incarnation_ = IncarnationOf(manifest_->state());
  hints_ = std::make_unique<HintWriter>(
      directory_.get(), state_->hasher.get(), options.background_threads,
      std::move(recovered.without_hint),
      [this] { return !log_->LacksReserve(); });
  space_ = std::make_unique<SpaceLedger>(
      state_.get(), [this] { return NextSegmentCapacity(); },
      options.max_space_amplification);
  space_->Lift(!options.background_merge);
  Log::Settings settings;
  settings.directory = directory_.get();
  settings.manifest = manifest_.get();
  settings.segments = state_->segments.get();
  settings.clock = state_->clock.get();
  settings.next_capacity = [this] { return NextSegmentCapacity(); };
  settings.reserve_bytes = std::min(
      options.reserve_bytes, options.segment_size_bytes * kReserveSegments);
  settings.on_growth = [this] {
    merger_->OnGrowth();
    memory_budget_->Look();
  };
  settings.space = space_.get();
  settings.make_space = [this](uint64_t needed) {
    return merger_->MakeSpace(needed);
  };
  settings.sealed = [this](const std::shared_ptr<Segment>& segment,
                           const SegmentSummary& summary) {
    hints_->Add({segment, summary});
    merger_->OnSeal();
    checkpoints_->OnSeal();
    trainer_->OnSeal(segment->id());
  };
  settings.flushed = [this](uint64_t ns) { flush_latencies_.Add(ns); };
  settings.sync_interval = options.sync_interval;
  settings.background_threads = options.background_threads;
  settings.mapped = directory_->SupportsMappedAppends();
  settings.read_mode = options.read_mode;
  log_ = std::make_unique<Log>(std::move(settings), std::move(recovered.active),
                               recovered.last_sequence);
  merger_ = std::make_unique<Merger>(MergerSettings());
  checkpoints_ = std::make_unique<CheckpointKeeper>(CheckpointSettings(),
                                                    recovered.checkpoint);
  memory_budget_ =
      std::make_unique<MemoryBudget>(state_.get(), options.memory_budget_bytes);
  compressor_ = std::make_unique<Compressor>(options);
  trainer_ = std::make_unique<DictionaryTrainer>(TrainerSettings(), options);
  commit_ = std::make_unique<Commit>(
      state_.get(), log_.get(), merger_.get(), checkpoints_.get(),
      memory_budget_.get(), compressor_.get(), trainer_.get(),
      options.sync_interval == absl::ZeroDuration());
  read_modify_write_ =
      std::make_unique<ReadModifyWrite>(&reader_, commit_.get());
  // I12: reads alone may find that keys have expired.
  if (options.background_threads && state_->has_expiries) {
    log_->Start();
    merger_->OnExpiry();
  }
}

// Also for iterators that outlive the store.
void Store::Engine::LoadWhatTheWriterMakes() {
  state_->dictionaries->SetLoad(
      [directory =
           directory_](uint32_t id) -> std::unique_ptr<const Dictionary> {
        auto dictionary = ReadDictionary(directory.get(), id);
        return dictionary.ok() ? *std::move(dictionary) : nullptr;
      });
}

Merger::Settings Store::Engine::MergerSettings() {
  Merger::Settings settings;
  settings.state = state_.get();
  settings.directory = directory_.get();
  settings.manifest = manifest_.get();
  settings.log = log_.get();
  settings.hints = hints_.get();
  settings.space = space_.get();
  settings.capacity = [this] { return NextSegmentCapacity(); };
  settings.merged = [this](uint64_t ns) { merge_latencies_.Add(ns); };
  settings.max_amplification = options_.max_space_amplification;
  settings.feed_retention_bytes = options_.feed_retention_bytes;
  settings.bytes_per_second = options_.merge_bytes_per_second;
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

DictionaryTrainer::Settings Store::Engine::TrainerSettings() {
  DictionaryTrainer::Settings settings;
  settings.directory = directory_.get();
  settings.manifest = manifest_.get();
  settings.state = state_.get();
  settings.log = log_.get();
  settings.compressor = compressor_.get();
  return settings;
}

SnapshotSaver::Settings Store::Engine::SaverSettings() {
  SnapshotSaver::Settings settings;
  settings.file_system = FileSystemOf(options_);
  settings.clock = options_.clock != nullptr ? options_.clock : SystemClock();
  settings.new_iterator = [this] { return NewIterator({}); };
  settings.last_change = [this] {
    MutexLock lock(&log_->append_mutex());
    return log_->last_change();
  };
  settings.may_take_space = [this] { return !log_->LacksReserve(); };
  settings.closed = &closed_;
  return settings;
}

Store::Engine::~Engine() = default;

absl::Status Store::Engine::Close() {
  MutexLock lock(&close_mutex_);
  if (close_called_) return close_status_;
  close_called_ = true;
  closed_.store(true);
  snapshot_saver_.Stop();
  if (follower_ != nullptr) follower_->Stop();
  if (merger_ != nullptr) merger_->Stop();
  { MutexLock wait_for_backup(&backup_mutex_); }
  if (log_ != nullptr) close_status_ = CloseLog();
  lock_ = nullptr;
  return close_status_;
}

absl::Status Store::Engine::CloseLog() {
  trainer_->Stop();
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
  const TimedCall timed(&call_times_, Operation::kMultiGet);
  call_times_.AddKeys(keys.size());
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
      const bool is_all_live = log_ != nullptr && segment->IsAllLive(end);
      parts.push_back(
          {std::move(segment), {kSegmentHeaderBytes, end}, is_all_live});
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

absl::Status Store::Engine::Backup(std::string_view path,
                                   const BackupOptions& options) {
  RETURN_IF_ERROR(CheckPath(path));
  MutexLock lock(&backup_mutex_);
  if (closed_.load(std::memory_order_acquire)) return ClosedError();
  if (state_->damage != nullptr) {
    return absl::FailedPreconditionError(
        "a store that was opened damaged can't be backed up: repair it");
  }
  ASSIGN_OR_RETURN(StoreInstant instant, CaptureInstant());
  return WriteBackup(*state_, directory_.get(), std::move(instant),
                     FileSystemOf(options_), path, options, closed_);
}

absl::Status Store::Engine::SaveSnapshot(std::string_view path,
                                         SnapshotFormat format) {
  RETURN_IF_ERROR(CheckSnapshotFormat(format));
  RETURN_IF_ERROR(ForReading().status());
  return snapshot_saver_.Save(path, format);
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

}  // namespace stave
