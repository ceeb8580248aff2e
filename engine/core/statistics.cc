#include "stave/statistics.h"

#include "absl/strings/str_format.h"

namespace stave {
namespace {

void AppendMetric(const char* name, const char* type, const char* help,
                  double value, std::string* text) {
  absl::StrAppendFormat(text, "# HELP stave_%s %s\n# TYPE stave_%s %s\n", name,
                        help, name, type);
  absl::StrAppendFormat(text, "stave_%s %.17g\n", name, value);
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
  gauge("reserve_bytes", "Space kept for a full disk.", number(reserve_bytes));
  gauge("disk_bytes", "Lengths of all files.", number(disk_bytes));
  gauge("segments", "Segment files.", number(segments));
  gauge("keydir_bytes", "Memory of the keydir.", number(keydir_bytes));
  gauge("snapshots", "Snapshots, iterators and transactions that live.",
        number(snapshots));
  gauge("snapshot_bytes", "Memory of what has changed since these.",
        number(snapshot_bytes));
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
  gauge("latched", "1 if a failed sync made the store read-only.",
        latched ? 1 : 0);
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
  counter("merges_total", "Merges since the store was opened.", number(merges));
  counter("merge_bytes_read_total", "Bytes of merged segments.",
          number(merge_bytes_read));
  counter("merge_bytes_written_total", "Bytes of merges' outputs.",
          number(merge_bytes_written));
  counter("write_delay_seconds_total",
          "Time by which writers were slowed for merges.",
          absl::ToDoubleSeconds(write_delay));
  counter("syncs_total", "Flushes of segments to the device.", number(syncs));
  return text;
}

}  // namespace stave
