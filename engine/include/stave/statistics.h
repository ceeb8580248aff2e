#ifndef STAVE_STATISTICS_H_
#define STAVE_STATISTICS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "stave/latency_histogram.h"

namespace stave {

// How values are stored, as a look at some of them tells.
struct ValueSample {
  uint64_t values = 0;      // that were looked at
  uint64_t compressed = 0;  // of these
  uint64_t value_bytes = 0;
  uint64_t stored_bytes = 0;  // of the same values

  // value_bytes / stored_bytes; 1 if there is nothing to compare.
  double compression_ratio() const {
    if (stored_bytes == 0) return 1;
    return static_cast<double>(value_bytes) / static_cast<double>(stored_bytes);
  }
};

// What one segment holds.
struct SegmentStatistics {
  uint64_t id = 0;
  uint64_t file_bytes = 0;  // length of the file, preallocated space included
  uint64_t live_bytes = 0;  // as Statistics has them
  uint64_t dead_bytes = 0;
};

// A store's state at one moment. Bytes are bytes, counts are counts since the
// store was opened unless said otherwise.
struct Statistics {
  // Live. Those that have expired count until a thread has found them, within
  // seconds, or Store::Merge; their bytes are live until then.
  uint64_t keys = 0;
  uint64_t live_bytes = 0;     // live records with headers and padding
  uint64_t dead_bytes = 0;     // all other bytes of records in segments
  uint64_t segment_bytes = 0;  // lengths of segment files, preallocated too
  // Part of segment_bytes: of segments that were merged and that only a
  // snapshot, an iterator, a pinned value, a change feed or a backup keeps, or
  // that Options::feed_retention_bytes keeps, or that are damaged.
  uint64_t pinned_bytes = 0;
  uint64_t hint_bytes = 0;        // lengths of hint files
  uint64_t checkpoint_bytes = 0;  // lengths of keydir checkpoints
  uint64_t dictionary_bytes = 0;  // lengths of compression dictionaries
  uint64_t reserve_bytes = 0;     // space kept for a full disk, see Options
  uint64_t disk_bytes = 0;        // lengths of all files of the store
  uint64_t segments = 0;          // segment files
  // Each of these, from old to new.
  std::vector<SegmentStatistics> segment_list;
  // With ReadMode::kMap segments are mapped, in one range of addresses each,
  // and complete ones are kept without an open file; with kPread each keeps its
  // file open. Those that were merged and that only readers keep are among
  // these.
  uint64_t mappings = 0;
  uint64_t mapped_bytes = 0;
  uint64_t open_segment_files = 0;
  uint64_t keydir_bytes = 0;  // memory reserved by the keydir, all of it
  // Snapshots, iterators and transactions that live, but for iterators of one
  // of the others, and the memory that remembers for them what has changed.
  uint64_t snapshots = 0;
  uint64_t snapshot_bytes = 0;
  // keydir_bytes and snapshot_bytes, and Options::memory_budget_bytes for them:
  // where that is not 0 and not more, new keys are refused.
  uint64_t memory_bytes = 0;
  uint64_t memory_budget_bytes = 0;

  // Calls: of Get, GetPinned and Exists, in transactions too, and of MultiGet,
  // whatever they returned; and the keys that these asked for.
  uint64_t gets = 0;
  uint64_t multi_gets = 0;
  uint64_t multi_get_keys = 0;
  // Records of the log, of whatever call.
  uint64_t puts = 0;
  uint64_t deletes = 0;
  // Of the values that were put: what was given, and what is stored of it.
  uint64_t value_bytes = 0;
  uint64_t stored_value_bytes = 0;
  // How long calls took, in nanoseconds, whatever they returned: one in 64 of
  // each kind and thread, since a clock takes 27 ns to read.
  // Transactions' commits are writes. Of flushes and merges it is all of them.
  LatencyHistogram get_ns;        // Get, GetPinned, Exists
  LatencyHistogram multi_get_ns;  // MultiGet, its visits included
  LatencyHistogram put_ns;        // Put
  LatencyHistogram delete_ns;     // Delete
  LatencyHistogram write_ns;      // Write
  LatencyHistogram update_ns;  // CompareAndSet, Increment, those about expiry
  LatencyHistogram sync_ns;    // flushes of segments to the device
  LatencyHistogram merge_ns;   // merges, each of some segments
  // Of the log's last record. Each has one more than the one before it, so by
  // its growth one can tell how much is written, also by another process.
  uint64_t last_sequence = 0;
  uint64_t bytes_appended = 0;     // to the log, all kinds of records
  uint64_t syncs = 0;              // flushes of segments to the device
  uint64_t bytes_cut_at_open = 0;  // torn tail that Open cut off, see Store

  // Snapshot files: saves that have succeeded, of Store::SaveSnapshot and by
  // Options::snapshot_file; those that have failed, but for those that Close
  // ended; and why the last one failed, empty if it did not.
  uint64_t snapshot_files = 0;
  uint64_t snapshot_file_failures = 0;
  std::string snapshot_file_error;

  // By how much the time by which keys expire is ahead of the system's clock:
  // it never goes back, so a clock that was set forward and back leaves it
  // there until the clock has caught up. More than a day is worth a look.
  uint64_t clock_floor_ahead_ms = 0;
  uint64_t checkpoints = 0;  // that were written
  uint64_t merges = 0;
  uint64_t merge_bytes_read = 0;  // of segments, counted while a merge runs
  uint64_t merge_bytes_written = 0;
  // Writes that were held up so that merges could follow; for how long, all of
  // them together; and the longest time of one.
  uint64_t delayed_writes = 0;
  absl::Duration write_delay = absl::ZeroDuration();
  absl::Duration longest_write_delay = absl::ZeroDuration();
  // The time, in Unix milliseconds, that the store has seen and never takes the
  // present to be before; 0: none yet. ResetClock sets back one that is ahead.
  int64_t clock_floor_ms = 0;

  // True once a failed sync made the store read-only; first_error says why.
  bool latched = false;
  std::string first_error;

  // segment_bytes / live_bytes; 0 for a store without live records.
  double space_amplification() const {
    if (live_bytes == 0) return 0;
    return static_cast<double>(segment_bytes) / static_cast<double>(live_bytes);
  }

  // All numbers above, but those of single segments, in Prometheus' text format
  // (version 0.0.4), names starting with "stave_". Latencies are histograms in
  // seconds, "stave_latency_seconds" with a label "operation".
  std::string PrometheusText() const;
};

}  // namespace stave

#endif  // STAVE_STATISTICS_H_
