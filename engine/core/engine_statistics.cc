#include <algorithm>
#include <utility>

#include "engine/core/engine.h"
#include "engine/format/file_names.h"
#include "engine/format/segment_header.h"

namespace stave {

void Store::Engine::CountSegments(Statistics* statistics) const {
  for (const std::shared_ptr<Segment>& segment : state_->segments->All()) {
    const uint64_t live = segment->live_bytes().load(std::memory_order_relaxed);
    const uint64_t end = segment->end().load(std::memory_order_relaxed);
    const uint64_t records = end - kSegmentHeaderBytes;
    SegmentStatistics use;
    use.id = segment->id();
    use.file_bytes = segment->file_bytes().load(std::memory_order_relaxed);
    // The two are read one after another, while writers go on.
    use.live_bytes = std::min(live, records);
    use.dead_bytes = records - use.live_bytes;
    statistics->dead_bytes += use.dead_bytes;
    statistics->segment_list.push_back(use);
    ++statistics->segments;
    statistics->hint_bytes +=
        segment->hint_bytes().load(std::memory_order_relaxed);
  }
  const SegmentSet::Usage usage = state_->segments->GetUsage();
  statistics->live_bytes = state_->live_bytes.load(std::memory_order_relaxed);
  statistics->segment_bytes = usage.file_bytes;
  statistics->pinned_bytes = usage.pinned_bytes;
  statistics->mappings = usage.mappings;
  statistics->mapped_bytes = usage.mapped_bytes;
  statistics->open_segment_files = usage.open_files;
}

void Store::Engine::CountCalls(Statistics* statistics) const {
  statistics->gets = call_times_.Calls(Operation::kGet);
  statistics->multi_gets = call_times_.Calls(Operation::kMultiGet);
  statistics->multi_get_keys = call_times_.Keys();
  statistics->get_ns = call_times_.Latencies(Operation::kGet);
  statistics->multi_get_ns = call_times_.Latencies(Operation::kMultiGet);
  statistics->put_ns = call_times_.Latencies(Operation::kPut);
  statistics->delete_ns = call_times_.Latencies(Operation::kDelete);
  statistics->write_ns = call_times_.Latencies(Operation::kWrite);
  statistics->update_ns = call_times_.Latencies(Operation::kUpdate);
  statistics->sync_ns = flush_latencies_.Get();
  statistics->merge_ns = merge_latencies_.Get();
}

Sequence Store::Engine::LastSequence() const {
  if (log_ != nullptr) {
    MutexLock lock(&log_->append_mutex());
    return log_->last_sequence();
  }
  if (follower_ == nullptr) return 0;
  MutexLock lock(&follower_->change_mutex());
  return follower_->last();
}

Statistics Store::Engine::GetStatistics() const {
  Statistics statistics;
  CountSegments(&statistics);
  CountCalls(&statistics);
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
  statistics.memory_bytes = keydir.bytes + overlay.bytes;
  CountOtherFiles(&statistics);
  statistics.last_sequence = LastSequence();
  SnapshotSaver::Counters saves = snapshot_saver_.counters();
  statistics.snapshot_files = saves.saved;
  statistics.snapshot_file_failures = saves.failed;
  statistics.snapshot_file_error = std::move(saves.error);
  if (log_ == nullptr) return statistics;
  statistics.memory_budget_bytes = options_.memory_budget_bytes;
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
  const WriteThrottle::Counters throttle = merger_->throttle().counters();
  statistics.delayed_writes = throttle.writes;
  statistics.write_delay = throttle.delayed;
  statistics.longest_write_delay = throttle.longest;
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
    if (ParseDictionaryFileName(name)) statistics->dictionary_bytes += bytes;
  }
}

}  // namespace stave
