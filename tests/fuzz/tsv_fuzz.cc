#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/fuzz/fuzz_target.h"
#include "tools/stave/escape.h"
#include "tools/stave/record.h"
#include "tools/stave/tsv.h"

// A line of tab-separated text.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  using namespace stave::tool;
  const std::string_view bytes = FuzzInput(data, size);
  std::string unescaped;
  FUZZ_CHECK(Unescape(Escaped(bytes), &unescaped).ok());
  FUZZ_CHECK(unescaped == bytes);
  TsvDecoder decoder;
  const absl::StatusOr<Record> record = decoder.Decode(bytes);
  if (!record.ok()) return 0;
  FUZZ_CHECK(CheckKey(record->key).ok() && CheckValue(record->value).ok());
  std::string line;
  AppendTsv(*record, &line);
  FUZZ_CHECK(line.find('\n') == line.npos);
  TsvDecoder other;
  const absl::StatusOr<Record> again = other.Decode(line);
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(again->key == record->key && again->value == record->value &&
             again->expire_at == record->expire_at);
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  return {"user:1\tAlice",
          "a\t\texpire_at_ms=1789000000000",
          "\\x00\\xff\\n\\t\\r\\\\\tb",
          "a\tb\tc",
          "\xc3\xa4\t\xf0\x9f\x98\x80",
          "a\\xc2\\x85\tb\r"};
}
