#include "tools/stave/statistics_text.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/base/json_text.h"
#include "tools/stave/human_units.h"
#include "tools/stave/segment_bars.h"

namespace stave::tool {
namespace {

// Of segments, so that the text fits a screen.
constexpr size_t kMostSegmentLines = 12;
constexpr size_t kScreenColumns = 80;

struct Row {
  const char* label;  // for people
  const char* name;   // in JSON
  uint64_t value;
  bool is_bytes;
};

std::array<Row, 15> RowsOf(const Statistics& s) {
  return {
      {{"keys", "keys", s.keys, false},
       {"live records", "live_bytes", s.live_bytes, true},
       {"dead records", "dead_bytes", s.dead_bytes, true},
       {"segment files", "segments", s.segments, false},
       {"in segments", "segment_bytes", s.segment_bytes, true},
       {"held by readers", "pinned_bytes", s.pinned_bytes, true},
       {"in hint files", "hint_bytes", s.hint_bytes, true},
       {"in checkpoints", "checkpoint_bytes", s.checkpoint_bytes, true},
       {"in dictionaries", "dictionary_bytes", s.dictionary_bytes, true},
       {"kept for a full disk", "reserve_bytes", s.reserve_bytes, true},
       {"on disk", "disk_bytes", s.disk_bytes, true},
       {"mapped files", "mappings", s.mappings, false},
       {"mapped addresses", "mapped_bytes", s.mapped_bytes, true},
       {"keydir in memory", "keydir_bytes", s.keydir_bytes, true},
       {"cut off at open", "bytes_cut_at_open", s.bytes_cut_at_open, true}}};
}

// In lines that fit the screen.
std::string Wrapped(const std::string& sentence) {
  std::string text;
  size_t column = 0;
  const std::vector<std::string> words = absl::StrSplit(sentence, ' ');
  for (const std::string& word : words) {
    const bool fits = column + 1 + word.size() <= kScreenColumns;
    if (column > 0) text += fits ? " " : "\n";
    column = column == 0 || !fits ? word.size() : column + 1 + word.size();
    text += word;
  }
  return text + "\n";
}

struct NamedLatencies {
  const char* name;
  const LatencyHistogram* latencies;
};

std::string LatencyTable(const Statistics& s) {
  std::string text;
  for (const auto& [name, latencies] : {NamedLatencies{"get", &s.get_ns},
                                        {"multi-get", &s.multi_get_ns},
                                        {"put", &s.put_ns},
                                        {"delete", &s.delete_ns},
                                        {"write", &s.write_ns},
                                        {"update", &s.update_ns},
                                        {"sync", &s.sync_ns},
                                        {"merge", &s.merge_ns}}) {
    if (latencies->count() == 0) continue;
    absl::StrAppendFormat(&text, "%-20s %10s %10s %10s %10s\n", name,
                          HumanNanoseconds(latencies->Quantile(0.5)),
                          HumanNanoseconds(latencies->Quantile(0.99)),
                          HumanNanoseconds(latencies->Quantile(0.999)),
                          HumanNanoseconds(latencies->max()));
  }
  if (text.empty()) return text;
  return absl::StrFormat("\n%-20s %10s %10s %10s %10s\n", "calls took", "p50",
                         "p99", "p99.9", "at most") +
         text;
}

}  // namespace

std::string StatisticsText(const Statistics& statistics,
                           const ValueSample& values,
                           const std::vector<std::string>& advice) {
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
  if (statistics.delayed_writes > 0) {
    const auto time = [](absl::Duration duration) {
      return HumanNanoseconds(
          static_cast<uint64_t>(absl::ToInt64Nanoseconds(duration)));
    };
    absl::StrAppendFormat(
        &text, "%-21s%s, for %s in all, %s at most\n", "waited for merges",
        HumanCount(statistics.delayed_writes) + " writes",
        time(statistics.write_delay), time(statistics.longest_write_delay));
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
  text += LatencyTable(statistics);
  const std::string bars =
      SegmentBars(statistics.segment_list, kMostSegmentLines);
  if (!bars.empty()) text += "\n" + bars;
  for (const std::string& each : advice) {
    text += "\n" + Wrapped("Advice: " + each);
  }
  return text;
}

std::string StatisticsJson(const Statistics& statistics,
                           const ValueSample& values,
                           const std::vector<std::string>& advice) {
  std::string json = "{";
  for (const Row& row : RowsOf(statistics)) {
    absl::StrAppendFormat(&json, "\"%s\":%d,", row.name, row.value);
  }
  absl::StrAppendFormat(&json, "\"space_amplification\":%.4f,",
                        statistics.space_amplification());
  absl::StrAppendFormat(&json, "\"compression_ratio\":%.4f",
                        values.compression_ratio());
  const char* separator = ",\"segment_list\":[";
  for (const SegmentStatistics& segment : statistics.segment_list) {
    absl::StrAppendFormat(&json,
                          "%s{\"id\":%d,\"file_bytes\":%d,\"live_bytes\":%d,"
                          "\"dead_bytes\":%d}",
                          separator, segment.id, segment.file_bytes,
                          segment.live_bytes, segment.dead_bytes);
    separator = ",";
  }
  if (statistics.segment_list.empty()) json += separator;
  separator = "],\"advice\":[";
  for (const std::string& each : advice) {
    json += separator;
    AppendJsonString(each, &json);
    separator = ",";
  }
  if (advice.empty()) json += separator;
  return json + "]}";
}

}  // namespace stave::tool
