#include "tools/stave/statistics_text.h"

#include <array>
#include <cstdint>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tools/stave/human_units.h"

namespace stave::tool {
namespace {

struct Row {
  const char* label;  // for people
  const char* name;   // in JSON
  uint64_t value;
  bool is_bytes;
};

std::array<Row, 12> RowsOf(const Statistics& s) {
  return {
      {{"keys", "keys", s.keys, false},
       {"live records", "live_bytes", s.live_bytes, true},
       {"dead records", "dead_bytes", s.dead_bytes, true},
       {"segment files", "segments", s.segments, false},
       {"in segments", "segment_bytes", s.segment_bytes, true},
       {"held by readers", "pinned_bytes", s.pinned_bytes, true},
       {"in hint files", "hint_bytes", s.hint_bytes, true},
       {"in checkpoints", "checkpoint_bytes", s.checkpoint_bytes, true},
       {"kept for a full disk", "reserve_bytes", s.reserve_bytes, true},
       {"on disk", "disk_bytes", s.disk_bytes, true},
       {"keydir in memory", "keydir_bytes", s.keydir_bytes, true},
       {"cut off at open", "bytes_cut_at_open", s.bytes_cut_at_open, true}}};
}

}  // namespace

std::string StatisticsText(const Statistics& statistics,
                           const ValueSample& values) {
  std::string text;
  for (const Row& row : RowsOf(statistics)) {
    absl::StrAppendFormat(&text, "%-21s%s\n", row.label,
                          row.is_bytes
                              ? HumanBytes(static_cast<double>(row.value))
                              : HumanCount(row.value));
  }
  absl::StrAppendFormat(&text, "%-21s%.2f\n", "space amplification",
                        statistics.space_amplification());
  if (values.compressed > 0) {
    absl::StrAppendFormat(
        &text, "%-21s%.2f, as %s of %s values are compressed\n",
        "compression ratio", values.compression_ratio(),
        HumanCount(values.compressed), HumanCount(values.values));
  }
  const absl::Time floor = absl::FromUnixMillis(statistics.clock_floor_ms);
  if (floor > absl::Now() + absl::Hours(24)) {
    absl::StrAppendFormat(
        &text, "%-21s%s, ahead of the clock: see `stave help fsck`\n",
        "no time before", absl::FormatTime(floor, absl::UTCTimeZone()));
  }
  if (statistics.latched) {
    absl::StrAppendFormat(&text, "%-21s%s\n", "read-only because",
                          statistics.first_error);
  }
  return text;
}

std::string StatisticsJson(const Statistics& statistics,
                           const ValueSample& values) {
  std::string json = "{";
  for (const Row& row : RowsOf(statistics)) {
    absl::StrAppendFormat(&json, "\"%s\":%d,", row.name, row.value);
  }
  absl::StrAppendFormat(&json, "\"space_amplification\":%.4f,",
                        statistics.space_amplification());
  absl::StrAppendFormat(&json, "\"compression_ratio\":%.4f}",
                        values.compression_ratio());
  return json;
}

}  // namespace stave::tool
