#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/format/segment_header.h"
#include "tests/fuzz/fuzz_target.h"

// A byte that tells whether the checksum is made right, and a header.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  if (size == 0) return 0;
  std::string bytes(FuzzInput(data + 1, size - 1));
  if (data[0] % 2 == 1 && bytes.size() >= kSegmentHeaderBytes) {
    const std::string_view header = std::string_view(bytes).substr(0, 32);
    EncodeFixed(ExtendCrc32c(Crc32c(header.substr(0, 8)), header.substr(12)),
                bytes.data() + 8);
  }
  const absl::StatusOr<SegmentHeader> header = DecodeSegmentHeader(bytes);
  if (!header.ok()) {
    FUZZ_CHECK(!header.status().message().empty());
    return 0;
  }
  const absl::StatusOr<SegmentHeader> again =
      DecodeSegmentHeader(EncodeSegmentHeader(*header));
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(again->kind == header->kind && again->id == header->id &&
             again->salt == header->salt);
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  const std::string header =
      EncodeSegmentHeader({SegmentKind::kLog, 0x0102030405060708, 0x5a17});
  return {'\0' + header, '\1' + header, '\1' + header + "records"};
}
