#include "engine/index/hash_page.h"

#include <cstdint>
#include <set>
#include <vector>

#include "gtest/gtest.h"
#include "tests/engine/index/keydir_vocabulary.h"

namespace stave {
namespace {

constexpr KeydirEntry kAbsent;

// A page, its memory and what is known of its use.
class Page {
 public:
  explicit Page(uint32_t length)
      : lines_(length), page_(lines_.data(), length), use_(length) {}

  KeydirEntry Find(const PageKey& key) const { return page_.Find(key); }
  void Put(const PageKey& key, KeydirEntry entry) {
    page_.Store(page_.Locate(key, use_), key, entry, use_);
  }
  void Remove(const PageKey& key) {
    HashPage::Remove(*page_.Locate(key, use_).slot, use_);
  }
  // Becomes a copy of `other`, whatever was here before.
  void CopyFrom(const Page& other) {
    HashPageBuilder builder(lines_.data(),
                            static_cast<uint32_t>(lines_.size()));
    other.page_.ForEachKey([&](const Slot& slot) { builder.Add(slot); });
    use_ = builder.Finish();
  }
  std::set<uint64_t> Hashes() const {
    std::set<uint64_t> hashes;
    page_.ForEachKey(
        [&](const Slot& slot) { hashes.insert(HashPage::HashOf(slot)); });
    return hashes;
  }
  const PageUse& use() const { return use_; }

 private:
  std::vector<Line> lines_;
  HashPage page_;
  PageUse use_;
};

PageKey NumberedKey(uint64_t number) {
  return PageKey{Scramble(number) >> (64 - PageKey::kHashBits),
                 static_cast<uint16_t>(number)};
}

class HashPageTest : public testing::TestWithParam<uint32_t> {
 protected:
  uint32_t Capacity() const { return HashPage::Capacity(GetParam()); }
  void Fill() {
    for (uint32_t i = 0; i < Capacity(); ++i) {
      page_.Put(NumberedKey(i), Entry(i + 1));
    }
  }
  void ExpectFull(const Page& page) const {
    for (uint32_t i = 0; i < Capacity(); ++i) {
      ASSERT_EQ(page.Find(NumberedKey(i)), Entry(i + 1));
    }
    for (uint32_t i = Capacity(); i < 3 * Capacity(); ++i) {
      ASSERT_EQ(page.Find(NumberedKey(i)), kAbsent);
    }
  }

  Page page_{GetParam()};
};

TEST_P(HashPageTest, AFullPageFindsItsKeysAndNoOthers) {
  Fill();
  ExpectFull(page_);
  EXPECT_EQ(page_.use().keys(), Capacity());
}

TEST_P(HashPageTest, ACopyHasTheSameKeysWhateverWasThere) {
  Fill();
  Page copy(GetParam());
  copy.Put(PageKey{7, 7}, Entry(7));
  copy.CopyFrom(page_);
  ExpectFull(copy);
  EXPECT_EQ(copy.Find(PageKey{7, 7}), kAbsent);
  EXPECT_EQ(copy.Hashes(), page_.Hashes());
}

TEST_P(HashPageTest, ACopyLeavesOutDeadSlotsAndTakesNewKeys) {
  Fill();
  page_.Remove(NumberedKey(0));
  Page copy(GetParam());
  copy.CopyFrom(page_);
  EXPECT_EQ(copy.use().used(), Capacity() - 1);
  EXPECT_EQ(copy.Find(NumberedKey(0)), kAbsent);
  copy.Put(NumberedKey(0), Entry(1));
  ExpectFull(copy);
}

TEST_P(HashPageTest, KeysThatAllStartInTheLastLineAreFound) {
  for (uint64_t i = 0; i < Capacity(); ++i) {
    page_.Put(PageKey{i << 32 | 0xffffffff, 0}, Entry(i + 1));
  }
  for (uint64_t i = 0; i < Capacity(); ++i) {
    ASSERT_EQ(page_.Find(PageKey{i << 32 | 0xffffffff, 0}), Entry(i + 1));
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, HashPageTest,
                         testing::Values(1, 2, 3, 12, 64, 73, kMaxPageLength));

TEST(HashPageDeadSlotTest, ADeadSlotServesKeysOfItsHashOnly) {
  Page page(1);
  page.Put(PageKey{1, 0}, Entry(1));
  page.Remove(PageKey{1, 0});
  EXPECT_EQ(page.use().dead(), 1);
  page.Put(PageKey{2, 0}, Entry(2));
  EXPECT_EQ(page.use().used(), 2);
  page.Put(PageKey{1, 5}, Entry(3));
  EXPECT_EQ(page.use().used(), 2);
  EXPECT_EQ(page.use().dead(), 0);
  EXPECT_EQ(page.Find(PageKey{1, 0}), kAbsent);
  EXPECT_EQ(page.Find(PageKey{1, 5}), Entry(3));
}

TEST(HashPageDeadSlotTest, KeysWithHashZeroAndTagZeroAreKeysLikeOthers) {
  Page page(2);
  EXPECT_EQ(page.Find(PageKey{0, 0}), kAbsent);
  page.Put(PageKey{0, 0}, Entry(1));
  EXPECT_EQ(page.Find(PageKey{0, 0}), Entry(1));
}

TEST(HashPageLengthTest, TheLengthForKeysIsTheShortestThatHasRoom) {
  for (uint32_t keys = 1; keys <= HashPage::Capacity(kMaxPageLength); ++keys) {
    const uint32_t length = HashPage::LengthFor(keys);
    EXPECT_GE(HashPage::Capacity(length), keys);
    EXPECT_LT(HashPage::Capacity(length - 1), keys);
  }
}

TEST(HashPageLengthTest, AFullPageHasASlotThatWasNeverUsed) {
  for (uint32_t length = 1; length <= kMaxPageLength; ++length) {
    EXPECT_LT(HashPage::Capacity(length), length * kSlotsPerLine);
  }
}

}  // namespace
}  // namespace stave
