#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/log/segment_scanner.h"
#include "tests/engine/format/segment_image.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/repair.h"

// A byte that tells what is made right, and a segment.

namespace stave {
namespace {

constexpr SegmentHeader kHeader{SegmentKind::kLog, 7, 0x5a17};

SegmentSummary Scan(std::string_view bytes, bool check_bodies,
                    SegmentScanner::Step* last) {
  SegmentScanner scanner(bytes, SegmentSeed(kHeader.salt, kHeader.id),
                         check_bodies);
  RecordView record;
  uint64_t offset = scanner.offset();
  uint64_t records = 0;
  while ((*last = scanner.Next(&record)) == SegmentScanner::Step::kRecord) {
    FUZZ_CHECK(record.offset == offset);
    FUZZ_CHECK(scanner.offset() > offset);
    FUZZ_CHECK(scanner.offset() <= bytes.size());
    FUZZ_CHECK(scanner.summary().greatest_sequence == record.header.sequence);
    FUZZ_CHECK(scanner.summary().records == ++records);
    offset = scanner.offset();
    if (check_bodies && record.header.kind != RecordKind::kBatch) {
      FUZZ_CHECK(BodyMatches(record.header, record.key, record.value));
    }
  }
  FUZZ_CHECK(scanner.offset() == offset);
  FUZZ_CHECK(scanner.summary().length == offset);
  FUZZ_CHECK((*last == SegmentScanner::Step::kBadRecord) ==
             !scanner.problem().empty());
  return scanner.summary();
}

}  // namespace
}  // namespace stave

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  if (size == 0) return 0;
  std::string bytes = EncodeSegmentHeader(kHeader);
  bytes += FuzzInput(data + 1, size - 1);
  if (data[0] % 2 == 1) RepairSegment(data[0] % 4 == 3, &bytes);
  const uint32_t seed = SegmentSeed(kHeader.salt, kHeader.id);
  SegmentScanner::Step last;
  const SegmentSummary all = Scan(bytes, /*check_bodies=*/true, &last);
  FUZZ_CHECK(HoldsRecord(bytes, seed) || all.records == 0);
  // The records that were found are a segment by themselves.
  const auto valid = std::string_view(bytes).substr(0, all.length);
  FUZZ_CHECK(Scan(valid, /*check_bodies=*/true, &last) == all);
  FUZZ_CHECK(last == SegmentScanner::Step::kCleanEnd);
  // Bodies only shorten what is found.
  FUZZ_CHECK(Scan(bytes, /*check_bodies=*/false, &last).length >= all.length);
  FindSyncedLength(bytes, all.length, seed, kHeader.id);
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  SegmentImage image(kHeader);
  image.Put("a", "1");
  image.PutExpiring("b", "22", 1'700'000'000'000);
  image.Mark(image.size());
  image.Batch([&] {
    image.Put("c", "333");
    image.Delete("a");
  });
  image.Delete("b");
  SegmentImage batch(kHeader, 1'000'000);
  batch.Batch([&] {
    for (int i = 0; i < 9; ++i) batch.Put("key", std::string(9 * i, 'v'));
  });
  batch.AddZeros(64);
  std::vector<std::string> seeds;
  for (const SegmentImage* each : {&image, &batch}) {
    for (const char repair : {'\0', '\1', '\3'}) {
      seeds.push_back(repair + each->bytes().substr(kSegmentHeaderBytes));
    }
  }
  return seeds;
}
