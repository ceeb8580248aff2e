#include "engine/core/value_sample.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/format/compression.h"
#include "engine/log/segment_scanner.h"

namespace stave {
namespace {

constexpr uint64_t kBytes = uint64_t{16} << 20;  // of all segments
constexpr uint64_t kLeastOfEach = uint64_t{16} << 10;

void Add(const RecordView& record, ValueSample* sample) {
  const absl::StatusOr<size_t> size = PlainSize(record.stored());
  if (!size.ok()) return;
  ++sample->values;
  sample->compressed += record.header.compression != Compression::kNone;
  sample->value_bytes += *size;
  sample->stored_bytes += record.value.size();
}

}  // namespace

ValueSample SampleValues(const Instant& instant) {
  ValueSample sample;
  if (instant.parts.empty()) return sample;
  const uint64_t of_each =
      std::max(kBytes / instant.parts.size(), kLeastOfEach);
  for (const Instant::Part& part : instant.parts) {
    SegmentScanner scanner(*part.segment, part.bytes.end,
                           /*check_bodies=*/false, part.bytes.begin);
    RecordView record;
    while (scanner.offset() - part.bytes.begin < of_each &&
           scanner.Next(&record) == SegmentScanner::Step::kRecord) {
      if (record.header.kind == RecordKind::kPut) Add(record, &sample);
    }
  }
  return sample;
}

}  // namespace stave
