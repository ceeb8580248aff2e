#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/format/file_names.h"
#include "tests/fuzz/fuzz_target.h"

// A file's name.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  const std::string_view name = FuzzInput(data, size);
  const auto segment = ParseSegmentFileName(name);
  const auto hint = ParseHintFileName(name);
  const auto manifest = ParseManifestFileName(name);
  const auto checkpoint = ParseCheckpointFileName(name);
  const auto dictionary = ParseDictionaryFileName(name);
  // A file has one meaning, and what it means has one name.
  FUZZ_CHECK(!segment.has_value() || SegmentFileName(*segment) == name);
  FUZZ_CHECK(!manifest.has_value() || ManifestFileName(*manifest) == name);
  FUZZ_CHECK(!hint.has_value() || HintFileName(*hint) == name);
  FUZZ_CHECK(!checkpoint.has_value() ||
             CheckpointFileName(*checkpoint) == name);
  FUZZ_CHECK(!dictionary.has_value() ||
             DictionaryFileName(*dictionary) == name);
  const int meanings = segment.has_value() + hint.has_value() +
                       manifest.has_value() + checkpoint.has_value() +
                       dictionary.has_value() + (name == "LOCK") +
                       (name == "RESERVE");
  FUZZ_CHECK(meanings <= 1);
  FUZZ_CHECK(IsStoreFileName(name) == (meanings == 1));
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  return {"LOCK",
          SegmentFileName(1),
          SegmentFileName(0xfedcba9876543210),
          HintFileName(1),
          CheckpointFileName(1),
          DictionaryFileName(7),
          "RESERVE",
          ManifestFileName(1),
          ManifestFileName(18'446'744'073'709'551'615u),
          "MANIFEST-18446744073709551616",
          "000000000000000A.seg"};
}
