#include "tests/fuzz/seed_dictionary.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/base/coding.h"
#include "engine/format/compression.h"
#include "stave/options.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/repair.h"

namespace stave {

std::string SeedText(int number) {
  return "Name: n" + std::to_string(number * 7919 % 1009) +
         "\nKind: value\nOf: everybody\nSection: what values have in "
         "common\nSize: as small as this one\nColour: none\n";
}

// Offsets of fields are those of FORMAT.md.
std::unique_ptr<const Dictionary> SeedDictionary(uint32_t id) {
  std::string samples;
  std::vector<size_t> sizes;
  for (int i = 0; i < 400; ++i) {
    const std::string sample = SeedText(i);
    samples += sample;
    sizes.push_back(sample.size());
  }
  const auto learnt = Dictionary::Train(samples, sizes, 512);
  FUZZ_CHECK(learnt.ok());
  std::string file((*learnt)->file());
  EncodeFixed(id, &file[16]);
  EncodeFixed(id, &file[kDictionaryHeaderBytes + 4]);
  RepairDictionary(&file);
  auto dictionary = Dictionary::Decode(std::move(file));
  FUZZ_CHECK(dictionary.ok());
  return *std::move(dictionary);
}

std::string CompressedBy(const Dictionary& dictionary, std::string_view value) {
  Options options;
  options.compression = Compression::kZstd;
  options.compression_threshold_bytes = 1;
  Compressor compressor(options);
  compressor.Use(dictionary);
  std::unique_ptr<char[]> buffer;
  const StoredValue stored = compressor.Compress(value, &buffer);
  FUZZ_CHECK(DictionaryOf(stored) == dictionary.id());
  return std::string(stored.bytes);
}

}  // namespace stave
