#include "tools/stave/segment_bars.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/stave/human_units.h"

namespace stave::tool {
namespace {

constexpr uint64_t kBarWidth = 32;

struct Row {
  std::string label;
  uint64_t live_bytes = 0;
  uint64_t dead_bytes = 0;

  uint64_t bytes() const { return live_bytes + dead_bytes; }
};

std::vector<Row> RowsOf(const std::vector<SegmentStatistics>& segments,
                        size_t most) {
  const size_t per_row = (segments.size() + most - 1) / most;
  std::vector<Row> rows;
  for (size_t i = 0; i < segments.size(); i += per_row) {
    const size_t end = std::min(i + per_row, segments.size());
    Row row;
    // The order is that of the log, in which ids need not be.
    row.label = end - i == 1
                    ? absl::StrCat("segment ", segments[i].id)
                    : absl::StrFormat("%d from %d on", end - i, segments[i].id);
    for (size_t each = i; each < end; ++each) {
      row.live_bytes += segments[each].live_bytes;
      row.dead_bytes += segments[each].dead_bytes;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

// How many characters stand for these bytes; what is there is seen.
uint64_t Characters(uint64_t bytes, uint64_t longest) {
  if (bytes == 0) return 0;
  const double share =
      static_cast<double>(bytes) / static_cast<double>(longest) * kBarWidth;
  return std::max<uint64_t>(1, static_cast<uint64_t>(share + 0.5));
}

}  // namespace

std::string SegmentBars(const std::vector<SegmentStatistics>& segments,
                        size_t most_lines) {
  const std::vector<Row> rows = RowsOf(segments, most_lines);
  uint64_t longest = 1;
  for (const Row& row : rows) longest = std::max(longest, row.bytes());
  std::string text;
  for (const Row& row : rows) {
    // Rounded down, so that all of it is live where it says 100.
    const uint64_t percent =
        row.bytes() == 0
            ? 0
            : static_cast<uint64_t>(static_cast<double>(row.live_bytes) * 100 /
                                    static_cast<double>(row.bytes()));
    absl::StrAppendFormat(
        &text, "%-20s %10s %3d%% live  %s%s\n", row.label,
        HumanBytes(static_cast<double>(row.bytes())), percent,
        std::string(Characters(row.live_bytes, longest), '#'),
        std::string(Characters(row.dead_bytes, longest), '-'));
  }
  return text;
}

}  // namespace stave::tool
