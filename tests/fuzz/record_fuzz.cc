#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/format/compression.h"
#include "engine/format/dictionary.h"
#include "engine/format/record.h"
#include "tests/engine/format/segment_image.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/repair.h"

// A byte that tells whether checksums are made right, and a record.

namespace stave {
namespace {

// A forged value may be restored to any bytes, but to so many as it says.
void TryToRestore(const StoredValue& stored) {
  constexpr size_t kMostBytes = 1 << 16;  // larger ones take too long
  const absl::StatusOr<size_t> size = PlainSize(stored);
  if (!size.ok() || *size > kMostBytes) return;
  const auto plain = std::make_unique<char[]>(*size);
  const absl::Status status =
      Restore(stored, DictionarySet(), *size, plain.get());
  FUZZ_CHECK(status.ok() || absl::IsDataLoss(status));
}

std::string Compressed(Compression method, const std::string& value) {
  std::unique_ptr<char[]> buffer;
  Options options;
  options.compression = method;
  const StoredValue stored = Compressor(options).Compress(value, &buffer);
  FUZZ_CHECK(stored.compression == method);
  return std::string(stored.bytes);
}

}  // namespace
}  // namespace stave

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  constexpr uint32_t kSeed = 0x5a17;
  if (size == 0) return 0;
  std::string bytes(FuzzInput(data + 1, size - 1));
  if (data[0] % 2 == 1) RepairRecord(0, kSeed, &bytes);
  RecordHeader header;
  if (!DecodeRecordHeader(bytes, RecordSeed(kSeed, 0), &header)) return 0;
  FUZZ_CHECK(header.record_size() <= bytes.size());
  FUZZ_CHECK(header.header_size() + header.body_size() <= bytes.size());
  // What was read is all that there was.
  std::string again(header.header_size(), '\0');
  EncodeRecordHeader(header, RecordSeed(kSeed, 0), again.data());
  FUZZ_CHECK(bytes.starts_with(again));
  // It is a record at this place alone.
  RecordHeader other;
  FUZZ_CHECK(!DecodeRecordHeader(bytes, RecordSeed(kSeed, 8), &other));
  if (header.compression != Compression::kNone) {
    TryToRestore(
        {header.compression,
         std::string_view(bytes).substr(header.header_size() + header.key_size,
                                        header.value_size)});
  }
  SyncMark mark;
  const std::string_view body =
      std::string_view(bytes).substr(header.header_size(), header.body_size());
  if (DecodeSyncMark(body, &mark)) {
    char encoded[kSyncMarkBytes];
    EncodeSyncMark(mark, encoded);
    FUZZ_CHECK(body == std::string_view(encoded, sizeof(encoded)));
  }
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  std::vector<std::string> seeds;
  const auto add = [&seeds](const auto& append) {
    SegmentImage image;
    const uint64_t offset = image.size();
    append(image);
    for (const char repair : {'\0', '\1'}) {
      seeds.push_back(repair + image.bytes().substr(offset));
    }
  };
  add([](SegmentImage& image) { image.Put("key", "value"); });
  add([](SegmentImage& image) { image.PutExpiring("key", "", 1'700'000'000); });
  for (const Compression method : {Compression::kZstd, Compression::kLz4}) {
    for (const int repeated : {200, 3}) {
      std::string value = "0123456789abcdefghijklmnopqrstuvwxyz";
      for (int i = 0; i < repeated; ++i) value += "value, ";
      value += value;
      value += value;
      add([&](SegmentImage& image) {
        RecordHeader header;
        header.compression = method;
        image.Append(header, "key", Compressed(method, value));
      });
    }
  }
  add([](SegmentImage& image) { image.Delete("key"); });
  add([](SegmentImage& image) { image.Mark(4096); });
  add([](SegmentImage& image) { image.Batch([&] { image.Put("a", "b"); }); });
  return seeds;
}
