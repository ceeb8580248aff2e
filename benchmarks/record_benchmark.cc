// Encoding and decoding records, with and without their bodies' checksums,
// beside bare checksums and copies.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "benchmarks/limits/limits.h"
#include "benchmarks/limits/register.h"
#include "engine/format/record.h"
#include "engine/log/segment_scanner.h"

namespace stave {
namespace {

constexpr uint32_t kSegmentSeed = 1;
constexpr uint64_t kOffset = 32;

RecordHeader HeaderOf(std::string_view key, std::string_view value) {
  RecordHeader header;
  header.key_size = static_cast<uint16_t>(key.size());
  header.value_size = static_cast<uint32_t>(value.size());
  header.body = BodyChecksum(key, value);
  header.sequence = 1;
  return header;
}

std::string Encode(std::string_view key, std::string_view value) {
  const RecordHeader header = HeaderOf(key, value);
  std::string bytes(header.record_size(), '\0');
  EncodeRecordHeader(header, RecordSeed(kSegmentSeed, kOffset), bytes.data());
  bytes.replace(header.header_size(), key.size(), key);
  bytes.replace(header.header_size() + key.size(), value.size(), value);
  return bytes;
}

// What a put does before it holds the append lock.
void BM_BodyChecksum(benchmark::State& state) {
  const std::string key(16, 'k');
  const std::string value(state.range(0), 'v');
  for (auto _ : state) {
    benchmark::DoNotOptimize(BodyChecksum(key, value));
  }
  state.SetBytesProcessed(state.iterations() * (16 + state.range(0)));
}
BENCHMARK(BM_BodyChecksum)->Arg(0)->Arg(100)->Arg(1024)->Arg(65536);

// What it does while it holds it, the copy apart.
void BM_EncodeHeader(benchmark::State& state) {
  RecordHeader header = HeaderOf("sixteen byte key", std::string(100, 'v'));
  char bytes[kMaxRecordHeaderBytes];
  uint64_t offset = kOffset;
  for (auto _ : state) {
    ++header.sequence;
    offset += 144;
    EncodeRecordHeader(header, RecordSeed(kSegmentSeed, offset), bytes);
    benchmark::DoNotOptimize(bytes);
  }
}
BENCHMARK(BM_EncodeHeader);

void BM_DecodeRecord(benchmark::State& state) {
  const std::string bytes =
      Encode("sixteen byte key", std::string(state.range(0), 'v'));
  const bool check_body = state.range(1) != 0;
  RecordView record;
  for (auto _ : state) {
    bool valid = ReadRecord(bytes, kOffset, kSegmentSeed, &record);
    if (check_body) {
      valid = valid && BodyMatches(record.header, record.key, record.value);
    }
    if (!valid) state.SkipWithError("the record is not valid");
    benchmark::DoNotOptimize(record);
  }
}
BENCHMARK(BM_DecodeRecord)
    ->ArgNames({"value", "body_checked"})
    ->Args({100, 0})
    ->Args({100, 1})
    ->Args({1024, 0})
    ->Args({1024, 1});

}  // namespace
}  // namespace stave

int main(int argc, char** argv) {
  stave::bench::RegisterLimits(stave::bench::ProcessorLimits());
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
