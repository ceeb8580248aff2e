#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/fuzz/fuzz_target.h"
#include "tools/stave/shell_parser.h"

// A line of the shell.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  using namespace stave::tool;
  const std::string_view line = FuzzInput(data, size);
  const absl::StatusOr<SetArguments> set = ParseSet(line);
  FUZZ_CHECK(!set.ok() || set->ttl > absl::ZeroDuration());
  const auto words = SplitWords(line);
  if (!words.ok()) return 0;
  // One word at a time, they are the same.
  std::string_view rest = line;
  std::string in_single_quotes;
  for (const std::string& word : *words) {
    const absl::StatusOr<std::string> taken = TakeWord(&rest);
    FUZZ_CHECK(taken.ok() && *taken == word);
    in_single_quotes += '\'';
    for (const char byte : word) {
      if (byte == '\'') in_single_quotes += '\\';
      in_single_quotes += byte;
    }
    in_single_quotes += "' ";
  }
  FUZZ_CHECK(rest.empty() || words->empty());
  // Quoted they are too, unless a backslash comes to stand before a quote.
  if (line.find('\\') != line.npos) return 0;
  FUZZ_CHECK(SplitWords(in_single_quotes) == words);
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  return {"get user:1",
          "set key a value of words",
          "key \"a \\n \\x00\\\"b\" EX 10",
          "key 'it\\'s' PX 1500",
          "key value EX 10",
          "\"\" ''",
          "  scan   'a*'  10 ",
          "key \"not closed",
          "key 'a'b"};
}
