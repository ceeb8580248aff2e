#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/fuzz/fuzz_target.h"
#include "tools/stave/json_lines.h"
#include "tools/stave/record.h"

// A line of JSON.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  using namespace stave::tool;
  JsonLineDecoder decoder;
  const absl::StatusOr<Record> record = decoder.Decode(FuzzInput(data, size));
  if (!record.ok()) return 0;
  FUZZ_CHECK(CheckKey(record->key).ok() && CheckValue(record->value).ok());
  std::string line;
  AppendJsonLine(*record, &line);
  FUZZ_CHECK(line.find('\n') == line.npos);
  JsonLineDecoder other;
  const absl::StatusOr<Record> again = other.Decode(line);
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(again->key == record->key && again->value == record->value &&
             again->expire_at == record->expire_at);
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  return {R"({"key":"user:1","value":"Alice"})",
          R"({"key":"a","value":"","expire_at_ms":1789000000000})",
          R"({"value":"\u00e4\n\t\"\\\/","key":"\ud83d\ude00"})",
          R"({"key_base64":"AP8=","value_base64":"gIGC","expire_at_ms":1})",
          R"( { "key" : "a" , "value" : "b" } )",
          R"({"key":["a"],"value":{"b":1.5e-7}})",
          R"({"key":null,"value":true})"};
}
