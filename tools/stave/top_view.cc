#include "tools/stave/top_view.h"

#include <cmath>
#include <cstdint>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/stave/human_units.h"
#include "tools/stave/segment_bars.h"

namespace stave::tool {
namespace {

std::string Bytes(uint64_t bytes) {
  return HumanBytes(static_cast<double>(bytes));
}

std::string Count(double count) {
  return HumanCount(static_cast<uint64_t>(std::llround(std::abs(count))));
}

// "+12/s"; nothing where nothing changes.
std::string Change(double per_second, bool is_bytes) {
  if (std::abs(per_second) < 0.5) return "";
  return absl::StrCat(
      per_second < 0 ? "-" : "+",
      is_bytes ? HumanBytes(std::abs(per_second)) : Count(per_second), "/s");
}

std::string TimeOf(absl::Time at) {
  return absl::FormatTime("%H:%M:%S", at, absl::LocalTimeZone());
}

}  // namespace

double TopView::PerSecond(double change) const {
  const double seconds = absl::ToDoubleSeconds(now.elapsed - before.elapsed);
  return seconds <= 0 ? 0 : change / seconds;
}

double TopView::PerSecond(uint64_t Statistics::*number) const {
  return PerSecond(static_cast<double>(now.statistics.*number) -
                   static_cast<double>(before.statistics.*number));
}

uint64_t TopView::WrittenBytes() const {
  std::map<uint64_t, uint64_t> known;
  for (const SegmentStatistics& each : before.statistics.segment_list) {
    known[each.id] = each.live_bytes + each.dead_bytes;
  }
  uint64_t written = 0;
  for (const SegmentStatistics& each : now.statistics.segment_list) {
    const uint64_t bytes = each.live_bytes + each.dead_bytes;
    const uint64_t had = known[each.id];
    if (bytes > had) written += bytes - had;
  }
  return written;
}

std::string TopView::Screen(const std::string& directory, size_t rows) const {
  const Statistics& s = now.statistics;
  std::string text = absl::StrFormat("%s  %s\n\n", TimeOf(now.at), directory);
  const auto row = [&text](const char* label, const std::string& value,
                           const std::string& change) {
    absl::StrAppendFormat(&text, "%-20s %12s  %s\n", label, value, change);
  };
  row("keys", HumanCount(s.keys), Change(PerSecond(&Statistics::keys), false));
  row("records written", "",
      Change(PerSecond(&Statistics::last_sequence), false));
  row("bytes written", "",
      Change(PerSecond(static_cast<double>(WrittenBytes())), true));
  row("live records", Bytes(s.live_bytes),
      Change(PerSecond(&Statistics::live_bytes), true));
  row("dead records", Bytes(s.dead_bytes),
      Change(PerSecond(&Statistics::dead_bytes), true));
  row("on disk", Bytes(s.disk_bytes),
      Change(PerSecond(&Statistics::disk_bytes), true));
  row("segment files", HumanCount(s.segments), "");
  row("space amplification", absl::StrFormat("%.2f", s.space_amplification()),
      "");
  constexpr size_t kOtherRows = 12;
  text += "\n" + SegmentBars(s.segment_list,
                             rows > kOtherRows ? rows - kOtherRows : 1);
  return text;
}

std::string TopView::Heading() {
  return absl::StrFormat("%-8s %11s %10s %10s %8s %5s %10s %11s\n", "time",
                         "keys", "live", "on disk", "segments", "amp",
                         "records/s", "written/s");
}

std::string TopView::Line() const {
  const Statistics& s = now.statistics;
  return absl::StrFormat(
      "%-8s %11s %10s %10s %8s %5.2f %10s %11s\n", TimeOf(now.at),
      HumanCount(s.keys), Bytes(s.live_bytes), Bytes(s.disk_bytes),
      HumanCount(s.segments), s.space_amplification(),
      Count(PerSecond(&Statistics::last_sequence)),
      HumanBytes(PerSecond(static_cast<double>(WrittenBytes()))));
}

std::string TopView::Json() const {
  const Statistics& s = now.statistics;
  return absl::StrFormat(
      "{\"time_ms\":%d,\"keys\":%d,\"live_bytes\":%d,\"dead_bytes\":%d,"
      "\"disk_bytes\":%d,\"segments\":%d,\"space_amplification\":%.4f,"
      "\"last_sequence\":%d,\"records_per_second\":%.1f,"
      "\"written_bytes_per_second\":%.1f}",
      absl::ToUnixMillis(now.at), s.keys, s.live_bytes, s.dead_bytes,
      s.disk_bytes, s.segments, s.space_amplification(), s.last_sequence,
      PerSecond(&Statistics::last_sequence),
      PerSecond(static_cast<double>(WrittenBytes())));
}

}  // namespace stave::tool
