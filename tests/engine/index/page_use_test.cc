#include "engine/index/page_use.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace stave {
namespace {

TEST(PageUseTest, LinesAreVacantUntilTheyAreFull) {
  PageUse use(100);
  EXPECT_EQ(use.VacantLine(70), 70);
  use.SetFull(70);
  EXPECT_EQ(use.VacantLine(70), 71);
  EXPECT_EQ(use.VacantLine(69), 69);
}

TEST(PageUseTest, TheSearchForAVacantLineGoesRound) {
  PageUse use(100);
  for (uint32_t line = 40; line < 100; ++line) use.SetFull(line);
  EXPECT_EQ(use.VacantLine(40), 0);
  for (uint32_t line = 0; line < 39; ++line) use.SetFull(line);
  for (const uint32_t start : {0, 38, 40, 99}) {
    EXPECT_EQ(use.VacantLine(start), 39);
  }
}

TEST(PageUseTest, TheLongestPageHasAllItsLines) {
  PageUse use(kMaxPageLength);
  for (uint32_t line = 0; line + 1 < kMaxPageLength; ++line) use.SetFull(line);
  EXPECT_EQ(use.VacantLine(0), kMaxPageLength - 1);
}

TEST(PageUseTest, KeysAreTheUsedSlotsThatAreNotDead) {
  PageUse use(1);
  for (int i = 0; i < 3; ++i) use.AddUsed();
  for (int i = 0; i < 2; ++i) use.AddDead();
  use.RemoveDead();
  EXPECT_EQ(use.used(), 3);
  EXPECT_EQ(use.dead(), 1);
  EXPECT_EQ(use.keys(), 2);
}

}  // namespace
}  // namespace stave
