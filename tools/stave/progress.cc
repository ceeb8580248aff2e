#include "tools/stave/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_format.h"
#include "engine/base/clock.h"
#include "tools/stave/file_descriptor.h"
#include "tools/stave/human_units.h"

namespace stave::tool {
namespace {

constexpr absl::Duration kInterval = absl::Milliseconds(100);
constexpr uint64_t kLookRecords = 1024;
constexpr uint64_t kLookBytes = uint64_t{1} << 20;

// A line for people may be lost.
void WriteToTerminal(std::string_view text) {
  (void)WriteSome(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

Progress::Progress(std::string_view verb, uint64_t total_bytes)
    : verb_(verb),
      total_bytes_(total_bytes),
      shown_(isatty(STDERR_FILENO) == 1),
      start_(SystemClock()->Elapsed()),
      printed_(start_),
      look_at_records_(kLookRecords),
      look_at_bytes_(kLookBytes) {}

Progress::~Progress() {
  if (!has_printed_) return;
  Print(SystemClock()->Elapsed());
  WriteToTerminal("\n");
}

void Progress::Look() {
  look_at_records_ = records_ + kLookRecords;
  look_at_bytes_ = bytes_ + kLookBytes;
  if (!shown_) return;
  const absl::Duration now = SystemClock()->Elapsed();
  if (now - printed_ >= kInterval) Print(now);
}

void Progress::Print(absl::Duration now) {
  const double seconds = std::max(absl::ToDoubleSeconds(now - start_), 1e-3);
  std::string line = absl::StrFormat("\r%s ", verb_);
  if (records_ > 0) {
    absl::StrAppendFormat(&line, "%s records, ", HumanCount(records_));
  }
  absl::StrAppendFormat(&line, "%s, %s/s",
                        HumanBytes(static_cast<double>(bytes_)),
                        HumanBytes(static_cast<double>(bytes_) / seconds));
  if (total_bytes_ > 0) {
    absl::StrAppendFormat(&line, ", %d%%",
                          std::min<uint64_t>(bytes_ * 100 / total_bytes_, 100));
  }
  // What is left of a longer line before it goes; not every terminal knows a
  // sequence for that.
  const size_t size = line.size();
  line.append(printed_size_ - std::min(printed_size_, size), ' ');
  printed_size_ = size;
  WriteToTerminal(line);
  printed_ = now;
  has_printed_ = true;
}

}  // namespace stave::tool
