#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/format/compression.h"
#include "engine/format/dictionary.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/repair.h"
#include "tests/fuzz/seed_dictionary.h"

// A byte that tells whether the checksum is made right, the size of a value
// that is compressed with zstd, that value as it is stored, and the dictionary
// that may restore it.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  if (size < 2) return 0;
  std::string_view rest = FuzzInput(data + 2, size - 2);
  const std::string_view stored = rest.substr(0, data[1]);
  rest.remove_prefix(stored.size());
  std::string file(rest);
  if (data[0] % 2 == 1) RepairDictionary(&file);
  absl::StatusOr<std::unique_ptr<const Dictionary>> read =
      Dictionary::Decode(file);
  FUZZ_CHECK(read.ok() || absl::IsDataLoss(read.status()) ||
             absl::IsInvalidArgument(read.status()));
  if (!read.ok()) return 0;
  FUZZ_CHECK((*read)->file() == file);
  DictionarySet dictionaries;
  FUZZ_CHECK(dictionaries.Add(*std::move(read)) != nullptr);
  const StoredValue value{Compression::kZstd, stored};
  const absl::StatusOr<size_t> plain_size = PlainSize(value);
  if (!plain_size.ok() || *plain_size > size_t{1} << 20) return 0;
  const auto plain = std::make_unique<char[]>(*plain_size);
  const absl::Status status =
      Restore(value, dictionaries, *plain_size, plain.get());
  FUZZ_CHECK(status.ok() || absl::IsDataLoss(status));
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  const std::unique_ptr<const Dictionary> dictionary = SeedDictionary(7);
  const std::string stored = CompressedBy(*dictionary, SeedText(0));
  std::string seed(1, '\1');
  seed += static_cast<char>(stored.size());
  seed += stored;
  seed += dictionary->file();
  std::string unchecked = seed;
  unchecked[0] = '\0';
  return {seed, unchecked};
}
