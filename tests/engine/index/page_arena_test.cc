#include "engine/index/page_arena.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace stave {
namespace {

class PageArenaTest : public testing::Test {
 protected:
  PageArena::Block Allocate(uint32_t min_length) {
    const absl::StatusOr<PageArena::Block> block = arena_.Allocate(min_length);
    EXPECT_TRUE(block.ok()) << block.status();
    return block.value_or(PageArena::Block{0, 0});
  }
  // Allocates so many blocks, and returns their offsets.
  std::vector<uint32_t> AllocateMany(uint32_t length, size_t count) {
    std::vector<uint32_t> offsets;
    for (size_t i = 0; i < count; ++i) {
      offsets.push_back(Allocate(length).offset);
    }
    return offsets;
  }

  PageArena arena_;
};

TEST_F(PageArenaTest, ABlockIsAsLongAsItWasAskedToBeOrALittleLonger) {
  for (uint32_t length = 1; length <= kMaxPageLength; ++length) {
    const PageArena::Block block = Allocate(length);
    EXPECT_GE(block.length, length);
    EXPECT_LE(block.length, length < 64 ? 2 * length : length * 5 / 4);
  }
}

TEST_F(PageArenaTest, BlocksOfAnyLengthsDoNotOverlap) {
  std::mt19937 random(1);
  std::map<uint32_t, uint32_t> ends;  // by offset
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 3 == 0 && !ends.empty()) {
      auto any = ends.lower_bound(random() % (ends.rbegin()->first + 1));
      arena_.Free(any->first);
      ends.erase(any);
      continue;
    }
    const PageArena::Block block = Allocate(random() % kMaxPageLength + 1);
    const auto [it, inserted] =
        ends.emplace(block.offset, block.offset + block.length);
    ASSERT_TRUE(inserted);
    if (it != ends.begin()) {
      ASSERT_LE(std::prev(it)->second, block.offset);
    }
    if (std::next(it) != ends.end()) {
      ASSERT_LE(it->second, std::next(it)->first);
    }
  }
}

TEST_F(PageArenaTest, AFreeSpanServesBlocksOfOtherLengths) {
  const std::vector<uint32_t> offsets = AllocateMany(3, 10'000);
  const uint64_t bytes = arena_.bytes();
  for (const uint32_t offset : offsets) arena_.Free(offset);
  EXPECT_LT(arena_.bytes(), bytes / 2);
  AllocateMany(64, 10'000 * 3 / 64 * 9 / 10);
  EXPECT_LE(arena_.bytes(), bytes);
}

TEST_F(PageArenaTest, AFreeBlockOfTheNextLengthIsTakenBeforeANewSpan) {
  const std::vector<uint32_t> longer = AllocateMany(73, 2);
  arena_.Free(longer[0]);
  const PageArena::Block block = Allocate(64);
  EXPECT_EQ(block.offset, longer[0]);
  EXPECT_EQ(block.length, 73);
}

TEST_F(PageArenaTest, ScatteredFreeBlocksHaveSpansEvacuated) {
  const std::vector<uint32_t> offsets = AllocateMany(128, 800);
  EXPECT_TRUE(arena_.BeginEvacuation().empty());
  for (size_t i = 0; i < offsets.size(); i += 2) arena_.Free(offsets[i]);
  const std::vector<uint32_t> spans = arena_.BeginEvacuation();
  EXPECT_GE(spans.size(), 45);
  for (const uint32_t span : spans) {
    EXPECT_TRUE(arena_.IsEvacuated(span * kLinesPerSpan));
  }
}

TEST_F(PageArenaTest, EvacuatedSpansBecomeFreeAndAreUsedForOthersThen) {
  const std::vector<uint32_t> offsets = AllocateMany(128, 800);
  for (size_t i = 0; i < offsets.size(); i += 2) arena_.Free(offsets[i]);
  const uint64_t bytes = arena_.bytes();
  for (const uint32_t span : arena_.BeginEvacuation()) {
    for (size_t i = 1; i < offsets.size(); i += 2) {
      if (PageArena::SpanOf(offsets[i]) != span) continue;
      const uint32_t moved = Allocate(128).offset;
      EXPECT_FALSE(arena_.IsEvacuated(moved));
      arena_.Free(offsets[i]);
    }
  }
  EXPECT_LT(arena_.bytes(), bytes * 6 / 10);
}

}  // namespace
}  // namespace stave
