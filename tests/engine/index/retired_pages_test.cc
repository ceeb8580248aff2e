#include "engine/index/retired_pages.h"

#include <cstdint>
#include <optional>

#include "engine/base/epoch.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

class RetiredPagesTest : public testing::Test {
 protected:
  // Retires so many pages of the greatest length, one after another.
  void RetirePages(int pages) {
    for (int i = 0; i < pages; ++i) {
      const auto block = arena_.Allocate(kMaxPageLength);
      ASSERT_TRUE(block.ok()) << block.status();
      retired_.Add(PageRef(block->offset, block->length, 0));
      retired_.Reclaim();
    }
  }

  PageArena arena_;
  RetiredPages retired_{&arena_};
};

TEST_F(RetiredPagesTest, WhatNobodyReadsIsFreedSoon) {
  RetirePages(10'000);
  EXPECT_LT(arena_.bytes(), uint64_t{1} << 20);
}

TEST_F(RetiredPagesTest, WhatSomebodyMayReadIsKept) {
  std::optional<EpochGuard> guard(std::in_place);
  RetirePages(1'000);
  EXPECT_GE(arena_.bytes(), 1'000 * kMaxPageLength * sizeof(Line));
  guard.reset();
  RetirePages(1'000);
  EXPECT_LT(arena_.bytes(), uint64_t{2} << 20);
}

TEST_F(RetiredPagesTest, DirectoriesCountUntilTheyAreFreed) {
  const PageDirectory small = PageDirectory::Create();
  const PageDirectory directory = small.CopyWithDepth(12);
  const uint64_t bytes = directory.bytes();
  std::optional<EpochGuard> guard(std::in_place);
  retired_.Add(small);
  retired_.Add(directory);
  retired_.Reclaim();
  EXPECT_GT(retired_.directory_bytes(), bytes);
  guard.reset();
  RetirePages(1'000);
  EXPECT_EQ(retired_.directory_bytes(), 0);
}

}  // namespace
}  // namespace stave
