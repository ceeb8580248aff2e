#include "stave/statistics.h"

#include "absl/strings/str_format.h"

namespace stave {
namespace {

void AppendHead(const char* name, const char* type, const char* help,
                std::string* text) {
  absl::StrAppendFormat(text, "# HELP stave_%s %s\n# TYPE stave_%s %s\n", name,
                        help, name, type);
}

void AppendMetric(const char* name, const char* type, const char* help,
                  double value, std::string* text) {
  AppendHead(name, type, help, text);
  absl::StrAppendFormat(text, "stave_%s %.17g\n", name, value);
}

// Buckets end at powers of two less one, where slots do, so that their counts
// are exact: from 127 ns to a minute.
constexpr int kFirstBucketBits = 7;
constexpr int kLastBucketBits = 36;

double Seconds(uint64_t ns) { return static_cast<double>(ns) * 1e-9; }

void AppendLatencies(const char* operation, const LatencyHistogram& latencies,
                     std::string* text) {
  const auto append_bucket = [&](int bits, uint64_t count) {
    absl::StrAppendFormat(
        text,
        "stave_latency_seconds_bucket{operation=\"%s\",le=\"%.12g\"} %d\n",
        operation, Seconds((uint64_t{1} << bits) - 1), count);
  };
  int bits = kFirstBucketBits;
  uint64_t count = 0;
  latencies.ForEachSlot([&](uint64_t largest, uint64_t slot_count) {
    for (; bits <= kLastBucketBits && largest >= uint64_t{1} << bits; ++bits) {
      append_bucket(bits, count);
    }
    count += slot_count;
  });
  for (; bits <= kLastBucketBits; ++bits) append_bucket(bits, count);
  absl::StrAppendFormat(
      text,
      "stave_latency_seconds_bucket{operation=\"%s\",le=\"+Inf\"} %d\n"
      "stave_latency_seconds_sum{operation=\"%s\"} %.12g\n"
      "stave_latency_seconds_count{operation=\"%s\"} %d\n",
      operation, latencies.count(), operation, Seconds(latencies.sum()),
      operation, latencies.count());
}

}  // namespace

std::string Statistics::PrometheusText() const {
  std::string text;
  const auto gauge = [&text](const char* name, const char* help, double value) {
    AppendMetric(name, "gauge", help, value, &text);
  };
  const auto counter = [&text](const char* name, const char* help,
                               double value) {
    AppendMetric(name, "counter", help, value, &text);
  };
  const auto number = [](uint64_t n) { return static_cast<double>(n); };
  gauge("keys", "Live keys.", number(keys));
  gauge("live_bytes", "Bytes of live records.", number(live_bytes));
  gauge("dead_bytes", "Bytes of dead records.", number(dead_bytes));
  gauge("segment_bytes", "Lengths of segment files.", number(segment_bytes));
  gauge("pinned_bytes", "Of these, kept by readers or damaged.",
        number(pinned_bytes));
  gauge("hint_bytes", "Lengths of hint files.", number(hint_bytes));
  gauge("checkpoint_bytes", "Lengths of keydir checkpoints.",
        number(checkpoint_bytes));
  gauge("dictionary_bytes", "Lengths of compression dictionaries.",
        number(dictionary_bytes));
  gauge("reserve_bytes", "Space kept for a full disk.", number(reserve_bytes));
  gauge("disk_bytes", "Lengths of all files.", number(disk_bytes));
  gauge("segments", "Segment files.", number(segments));
  gauge("mappings", "Mapped segment files.", number(mappings));
  gauge("mapped_bytes", "Addresses of these.", number(mapped_bytes));
  gauge("open_segment_files", "Segment files that are open.",
        number(open_segment_files));
  gauge("keydir_bytes", "Memory of the keydir.", number(keydir_bytes));
  gauge("snapshots", "Snapshots, iterators and transactions that live.",
        number(snapshots));
  gauge("snapshot_bytes", "Memory of what has changed since these.",
        number(snapshot_bytes));
  gauge("memory_bytes", "Memory of the keydir and of snapshots.",
        number(memory_bytes));
  gauge("memory_budget_bytes", "What these may take; 0: there is no limit.",
        number(memory_budget_bytes));
  gauge("space_amplification", "Segment bytes over live bytes.",
        space_amplification());
  gauge("clock_floor_ahead_seconds",
        "By how much the time of expiry is ahead of the clock.",
        number(clock_floor_ahead_ms) / 1000);
  gauge("clock_floor_seconds",
        "Unix time that the store never takes the present to be before.",
        static_cast<double>(clock_floor_ms) / 1000);
  gauge("bytes_cut_at_open", "Bytes of a torn tail that Open cut off.",
        number(bytes_cut_at_open));
  gauge("last_sequence", "Of the log's last record.", number(last_sequence));
  gauge("latched", "1 if a failed sync made the store read-only.",
        latched ? 1 : 0);
  counter("gets_total", "Calls of Get, GetPinned and Exists.", number(gets));
  counter("multi_gets_total", "Calls of MultiGet.", number(multi_gets));
  counter("multi_get_keys_total", "Keys that these asked for.",
          number(multi_get_keys));
  counter("puts_total", "Puts since the store was opened.", number(puts));
  counter("deletes_total", "Deletes since the store was opened.",
          number(deletes));
  counter("value_bytes_total", "Bytes of values that were put.",
          number(value_bytes));
  counter("stored_value_bytes_total", "Bytes of these, as they are stored.",
          number(stored_value_bytes));
  counter("bytes_appended_total", "Bytes appended to the log.",
          number(bytes_appended));
  counter("checkpoints_total", "Keydir checkpoints that were written.",
          number(checkpoints));
  counter("snapshot_files_total", "Snapshot files that were saved.",
          number(snapshot_files));
  counter("snapshot_file_failures_total", "Those that could not be saved.",
          number(snapshot_file_failures));
  counter("merges_total", "Merges since the store was opened.", number(merges));
  counter("merge_bytes_read_total", "Bytes of segments that merges have read.",
          number(merge_bytes_read));
  counter("merge_bytes_written_total", "Bytes of merges' outputs.",
          number(merge_bytes_written));
  counter("delayed_writes_total", "Writes that were held up for merges.",
          number(delayed_writes));
  counter("write_delay_seconds_total", "For how long, all together.",
          absl::ToDoubleSeconds(write_delay));
  gauge("longest_write_delay_seconds", "The longest time of one write.",
        absl::ToDoubleSeconds(longest_write_delay));
  counter("syncs_total", "Flushes of segments to the device.", number(syncs));
  AppendHead("latency_seconds", "histogram",
             "Of one call in 64, and of all syncs and merges.", &text);
  AppendLatencies("get", get_ns, &text);
  AppendLatencies("multi_get", multi_get_ns, &text);
  AppendLatencies("put", put_ns, &text);
  AppendLatencies("delete", delete_ns, &text);
  AppendLatencies("write", write_ns, &text);
  AppendLatencies("update", update_ns, &text);
  AppendLatencies("sync", sync_ns, &text);
  AppendLatencies("merge", merge_ns, &text);
  return text;
}

}  // namespace stave
