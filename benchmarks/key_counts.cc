#include "benchmarks/key_counts.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace stave {

std::vector<int64_t> KeyCounts(std::vector<int64_t> usual) {
  const char* const asked = std::getenv("STAVE_BENCHMARK_KEYS");
  if (asked == nullptr) return usual;
  std::vector<int64_t> counts;
  for (const std::string& each :
       std::vector<std::string>(absl::StrSplit(asked, ','))) {
    int64_t count = 0;
    if (!absl::SimpleAtoi(each, &count) || count <= 0) {
      std::fprintf(stderr,
                   "STAVE_BENCHMARK_KEYS is \"%s\": numbers of keys are "
                   "wanted, with commas between them\n",
                   asked);
      std::exit(2);
    }
    counts.push_back(count);
  }
  return counts;
}

}  // namespace stave
