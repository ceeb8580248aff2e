#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/format/checkpoint.h"
#include "engine/format/ordered_checkpoint_page.h"
#include "tests/fuzz/fuzz_target.h"

// A byte that tells whether the checksum is made right, a checkpoint's header,
// and rows of its tables; all of that is taken for an ordered page, too.

namespace {

void VisitOrderedPage(std::string_view bytes, uint32_t keys) {
  size_t visited = 0;
  size_t size = 0;
  const absl::Status status = stave::VisitOrderedCheckpointPage(
      bytes, keys, [&](const stave::OrderedCheckpointKey& key) {
        ++visited;
        size += stave::kOrderedCheckpointRowBytes + key.rest.size();
        FUZZ_CHECK(key.entry >> 48 == 0);
        return absl::OkStatus();
      });
  FUZZ_CHECK(size <= bytes.size());
  FUZZ_CHECK(!status.ok() || (visited == keys && size == bytes.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  if (size == 0) return 0;
  std::string bytes(FuzzInput(data + 1, size - 1));
  if (data[0] % 2 == 1 && bytes.size() >= kCheckpointHeaderBytes) {
    const std::string_view header =
        std::string_view(bytes).substr(0, kCheckpointHeaderBytes);
    EncodeFixed(ExtendCrc32c(Crc32c(header.substr(0, 8)), header.substr(12)),
                bytes.data() + 8);
  }
  const absl::StatusOr<CheckpointHeader> header = DecodeCheckpointHeader(bytes);
  if (!header.ok()) {
    FUZZ_CHECK(!header.status().message().empty());
  } else {
    FUZZ_CHECK(header->segments_offset() <= header->keys_offset());
    FUZZ_CHECK(header->keys_offset() <= header->pages_offset());
    FUZZ_CHECK(header->pages_offset() <= header->file_bytes());
    FUZZ_CHECK(EncodeCheckpointHeader(*header) ==
               bytes.substr(0, kCheckpointHeaderBytes));
  }
  std::string_view rows = bytes;
  while (rows.size() >= kCheckpointSegmentBytes) {
    const CheckpointSegment segment = DecodeCheckpointSegment(rows);
    std::string again;
    AppendCheckpointSegment(segment, &again);
    FUZZ_CHECK(DecodeCheckpointSegment(again) == segment);
    FUZZ_CHECK(CheckpointGranules(segment.summary.length) <=
               segment.summary.length / 1024 + 1);
    const CheckpointPage page = DecodeCheckpointPage(rows);
    again.clear();
    AppendCheckpointPage(page, &again);
    FUZZ_CHECK(DecodeCheckpointPage(again) == page);
    const OrderedCheckpointPage ordered = DecodeOrderedCheckpointPage(rows);
    again.clear();
    AppendCheckpointPage(ordered, &again);
    FUZZ_CHECK(DecodeOrderedCheckpointPage(again) == ordered);
    rows.remove_prefix(kCheckpointPageBytes);
  }
  VisitOrderedPage(bytes, data[0]);
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  CheckpointHeader header;
  header.generation = 1;
  header.store_id = 0x0102030405060708;
  header.end_sequence = 2;
  header.keys = 3;
  header.segments = 1;
  header.pages = 2;
  std::string bytes = EncodeCheckpointHeader(header);
  AppendCheckpointSegment({2, 0x5a17, {640, 1, 9, 9, 0x1234}, 96}, &bytes);
  AppendCheckpointPage({uint64_t{3} << 54, 0x12345678, 2, 10}, &bytes);
  OrderedCheckpointPageBuilder page;
  page.Add("a key", 0x0102030405);
  page.Add("a key behind it", 0x0203040506);
  std::string ordered;
  page.AppendTo(&ordered);
  return {'\0' + bytes, '\1' + bytes, '\2' + ordered,
          '\1' + EncodeCheckpointHeader(CheckpointHeader())};
}
