#include "engine/index/page_directory.h"

#include <cstddef>
#include <cstdint>

#include "gtest/gtest.h"

namespace stave {
namespace {

// A stretched hash whose bits after the partition's begin with `bits`.
constexpr uint64_t At(uint64_t bits, int count) {
  return PartitionBegin(5) | bits << (64 - kPartitionBits - count);
}

// Has a page at offset 1 for the lower half of the partition, and pages at 2
// and 3 for the quarters of the upper one.
class PageDirectoryTest : public testing::Test {
 protected:
  PageDirectoryTest() {
    const PageDirectory whole = PageDirectory::Create();
    directory_ = whole.CopyWithDepth(2);
    PageDirectory::Destroy(whole);
    directory_.SetPage(0, PageRef(1, 64, 1), PageUse(64));
    directory_.SetPage(2, PageRef(2, 64, 2), PageUse(64));
    directory_.SetPage(3, PageRef(3, 64, 2), PageUse(64));
  }
  ~PageDirectoryTest() override { PageDirectory::Destroy(directory_); }

  static void ExpectPages(PageDirectory directory) {
    EXPECT_EQ(directory.PageAt(At(0b000, 3)).offset(), 1);
    EXPECT_EQ(directory.PageAt(At(0b011, 3)).offset(), 1);
    EXPECT_EQ(directory.PageAt(At(0b100, 3)).offset(), 2);
    EXPECT_EQ(directory.PageAt(At(0b101, 3)).offset(), 2);
    EXPECT_EQ(directory.PageAt(At(0b110, 3)).offset(), 3);
    EXPECT_EQ(directory.PageAt(At(0b111, 3)).offset(), 3);
  }

  PageDirectory directory_;
};

TEST_F(PageDirectoryTest, ADirectoryBeginsWithOneEmptyPage) {
  const PageDirectory directory = PageDirectory::Create();
  EXPECT_TRUE(directory.exists());
  EXPECT_EQ(directory.size(), 1);
  EXPECT_TRUE(directory.PageAt(At(0, 1)).empty());
  EXPECT_TRUE(directory.PageAt(At(1, 1)).empty());
  PageDirectory::Destroy(directory);
}

TEST_F(PageDirectoryTest, APageIsFoundByTheBitsThatItsKeysShare) {
  ExpectPages(directory_);
  EXPECT_EQ(directory_.IndexAt(At(0b01, 2)), 0);
  EXPECT_EQ(directory_.IndexAt(At(0b10, 2)), 2);
  EXPECT_EQ(directory_.IndexAt(At(0b11, 2)), 3);
}

TEST_F(PageDirectoryTest, ADeeperCopyHasTheSamePages) {
  const PageDirectory deeper = directory_.CopyWithDepth(4);
  ExpectPages(deeper);
  EXPECT_EQ(deeper.size(), 16);
  EXPECT_EQ(deeper.MaxPageDepth(), 2);
  const PageDirectory back = deeper.CopyWithDepth(2);
  ExpectPages(back);
  PageDirectory::Destroy(deeper);
  PageDirectory::Destroy(back);
}

TEST_F(PageDirectoryTest, ACopyKnowsTheUseOfItsPages) {
  directory_.use(2).AddUsed();
  const PageDirectory deeper = directory_.CopyWithDepth(3);
  EXPECT_EQ(deeper.use(0).used(), 0);
  EXPECT_EQ(deeper.use(4).used(), 1);
  PageDirectory::Destroy(deeper);
}

TEST_F(PageDirectoryTest, PagesFollowEachOtherUpToTheEndOfThePartition) {
  EXPECT_EQ(directory_.PageEnd(PartitionBegin(5)), At(0b10, 2));
  EXPECT_EQ(directory_.PageEnd(At(0b01, 2)), At(0b10, 2));
  EXPECT_EQ(directory_.PageEnd(At(0b10, 2)), At(0b11, 2));
  EXPECT_EQ(directory_.PageEnd(At(0b11, 2)), PartitionEnd(5));
  EXPECT_EQ(PartitionEnd(kPartitions - 1), 0);
}

TEST(PageRefTest, HoldsTheLargestValues) {
  const PageRef page(0xffffffff, kMaxPageLength, PageDirectory::kMaxDepth);
  EXPECT_EQ(page.offset(), 0xffffffff);
  EXPECT_EQ(page.length(), kMaxPageLength);
  EXPECT_EQ(page.depth(), PageDirectory::kMaxDepth);
  EXPECT_FALSE(page.empty());
}

TEST(PageRefTest, AnEmptyPageHasADepthAndNothingElse) {
  EXPECT_TRUE(PageRef::Empty(3).empty());
  EXPECT_EQ(PageRef::Empty(3).depth(), 3);
}

}  // namespace
}  // namespace stave
