#include "engine/core/copied_puts.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/base/types.h"
#include "engine/index/keydir.h"
#include "gtest/gtest.h"
#include "stave/limits.h"

namespace stave {
namespace {

// Offsets and sizes up to the greatest.
CopiedPut PutOf(uint64_t number, const std::string& key) {
  const bool is_last = number == 9;
  const uint64_t size = is_last ? kMaxValueBytes : 24 + 8 * number;
  return {{key, {~number, static_cast<uint16_t>(number * 7000)}},
          KeydirEntry::Live(Location{number << 30}, size, number % 2 == 0),
          is_last ? kMaxSegmentSizeBytes - size : 32 + number * 1000,
          size};
}

std::string KeyOf(uint64_t number) {
  return absl::StrCat("key", std::string(number, 'x'));
}

void ExpectAll(const CopiedPuts& puts, bool has_keys) {
  uint64_t number = 0;
  std::vector<size_t> groups;
  puts.Visit(4, [&](absl::Span<const CopiedPut> group) {
    groups.push_back(group.size());
    for (const CopiedPut& put : group) {
      const std::string key = has_keys ? KeyOf(number) : "";
      const CopiedPut expected = PutOf(number++, key);
      EXPECT_EQ(put.key.bytes, key);
      EXPECT_EQ(put.key.hash, expected.key.hash);
      EXPECT_EQ(put.from, expected.from);
      EXPECT_EQ(put.offset, expected.offset);
      EXPECT_EQ(put.size, expected.size);
    }
  });
  EXPECT_EQ(groups, (std::vector<size_t>{4, 4, 2}));
}

TEST(CopiedPutsTest, AllAreVisitedInTheirOrderSoManyTogether) {
  for (const bool keeps_keys : {false, true}) {
    CopiedPuts puts(keeps_keys);
    for (uint64_t i = 0; i < 10; ++i) puts.Add(PutOf(i, KeyOf(i)));
    ExpectAll(puts, keeps_keys);
  }
}

TEST(CopiedPutsTest, WhereThereAreNoneNothingIsVisited) {
  CopiedPuts(true).Visit(4, [](absl::Span<const CopiedPut>) { FAIL(); });
}

}  // namespace
}  // namespace stave
