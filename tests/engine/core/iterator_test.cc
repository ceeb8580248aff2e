#include "stave/iterator.h"

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

class IteratorTest : public StoreFixture {
 protected:
  IteratorTest() {
    options.segment_size_bytes = 1024;
    Open();
  }

  void Set(const std::string& key, const std::string& value) {
    Put(key, value);
    contents_[key] = value;
  }
  void Remove(const std::string& key) {
    EXPECT_EQ(Delete(key), contents_.erase(key) == 1);
  }
  void SetNumbers(int begin, int end, size_t size = 40) {
    for (int i = begin; i < end; ++i) {
      Set(absl::StrCat("key", i), ValueOf(i, size));
    }
  }
  Contents Within(const ReadOptions& read) {
    return Visit(NewIterator(read).get());
  }

  Contents contents_;
};

TEST_F(IteratorTest, AnEmptyStoreHasNothingToVisit) {
  const auto iterator = NewIterator();
  EXPECT_FALSE(iterator->Valid());
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(iterator->status().ok());
}

TEST_F(IteratorTest, EachLiveKeyIsVisitedOnce) {
  SetNumbers(0, 100);
  SetNumbers(30, 60, 10);
  SetNumbers(50, 55, 100);
  for (int i = 0; i < 100; i += 7) Remove(absl::StrCat("key", i));
  SetNumbers(14, 15);
  EXPECT_EQ(All(), contents_);
  Reopen();
  EXPECT_EQ(All(), contents_);
}

TEST_F(IteratorTest, SeekToFirstBeginsAgain) {
  SetNumbers(0, 50);
  const auto iterator = NewIterator();
  iterator->SeekToFirst();
  for (int i = 0; i < 20; ++i) iterator->Next();
  EXPECT_EQ(Visit(iterator.get()), contents_);
  EXPECT_EQ(Visit(iterator.get()), contents_);
}

TEST_F(IteratorTest, ThereIsNoOrder) {
  SetNumbers(0, 5);
  const auto iterator = NewIterator();
  iterator->Seek("key3");
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(absl::IsFailedPrecondition(iterator->status()));
  iterator->SeekToFirst();
  EXPECT_TRUE(iterator->Valid());
  EXPECT_TRUE(iterator->status().ok());
  iterator->Prev();
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(absl::IsFailedPrecondition(iterator->status()));
  EXPECT_EQ(Visit(iterator.get()), contents_);
  iterator->SeekToLast();
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(absl::IsFailedPrecondition(iterator->status()));
}

// Bounds.

TEST_F(IteratorTest, BoundsAndPrefixChooseKeys) {
  for (const char* key : {"a", "aa", "ab", "b", "ba", "c"}) Set(key, key);
  const auto keys = [this](const ReadOptions& read) {
    std::string text;
    for (const auto& [key, value] : Within(read)) text += key + " ";
    return text;
  };
  EXPECT_EQ(keys({.lower_bound = "ab"}), "ab b ba c ");
  EXPECT_EQ(keys({.upper_bound = "ab"}), "a aa ");
  EXPECT_EQ(keys({.lower_bound = "aa", .upper_bound = "ba"}), "aa ab b ");
  EXPECT_EQ(keys({.prefix = "a"}), "a aa ab ");
  EXPECT_EQ(keys({.upper_bound = "ab", .prefix = "a"}), "a aa ");
  EXPECT_EQ(keys({.lower_bound = "b", .prefix = "a"}), "");
  EXPECT_EQ(keys({.lower_bound = "b", .upper_bound = "b"}), "");
  EXPECT_EQ(keys({.prefix = "abc"}), "");
  EXPECT_EQ(keys({}), "a aa ab b ba c ");
}

TEST_F(IteratorTest, BytesAreComparedWithoutASign) {
  Set("\x7f", "1");
  Set("\x80", "2");
  Set("\xff\xff", "3");
  EXPECT_EQ(Within({.lower_bound = "\x80"}).size(), 2u);
  EXPECT_EQ(Within({.upper_bound = "\xff"}).size(), 2u);
}

TEST_F(IteratorTest, BoundsAreCopied) {
  Set("a", "1");
  Set("b", "2");
  ReadOptions read;
  std::string bound = "b";
  read.lower_bound = bound;
  const auto iterator = NewIterator(read);
  bound = "a";
  EXPECT_EQ(Visit(iterator.get()), (Contents{{"b", "2"}}));
}

// One instant.

TEST_F(IteratorTest, LaterChangesAreNotSeen) {
  SetNumbers(0, 50);
  const Contents before = contents_;
  const auto iterator = NewIterator();
  SetNumbers(25, 80, 90);
  for (int i = 0; i < 60; i += 3) Remove(absl::StrCat("key", i));
  EXPECT_EQ(Visit(iterator.get()), before);
  EXPECT_EQ(All(), contents_);
}

TEST_F(IteratorTest, ChangesInMidCourseAreNotSeen) {
  SetNumbers(0, 200);
  const Contents before = contents_;
  Contents visited;
  const auto iterator = NewIterator();
  int number = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    visited.emplace(iterator->key(), iterator->value());
    SetNumbers(199 - number, 200 - number, 77);
    Remove(absl::StrCat("key", number));
    SetNumbers(1000 + number, 1001 + number);
    ++number;
  }
  EXPECT_EQ(visited, before);
}

TEST_F(IteratorTest, AKeyThatIsDeletedAndPutAgainIsSeenAsItWas) {
  Set("k", "old");
  const auto iterator = NewIterator();
  Remove("k");
  const auto without = NewIterator();
  Set("k", "new");
  EXPECT_EQ(Visit(iterator.get()), (Contents{{"k", "old"}}));
  EXPECT_EQ(Visit(without.get()), Contents());
  EXPECT_EQ(All(), (Contents{{"k", "new"}}));
}

TEST_F(IteratorTest, ABatchIsSeenWholeOrNotAtAll) {
  SetNumbers(0, 10);
  const Contents before = contents_;
  const auto iterator = NewIterator();
  WriteBatch batch;
  for (int i = 0; i < 20; ++i) batch.Put(absl::StrCat("key", i), "batch");
  batch.Delete("key3");
  Write(batch);
  EXPECT_EQ(Visit(iterator.get()), before);
  EXPECT_EQ(All().size(), 19u);
}

TEST_F(IteratorTest, ExpiryIsJudgedByTheInstant) {
  Put("k", "v", {.ttl = absl::Seconds(10)});
  const auto early = NewIterator();
  clock.Advance(absl::Seconds(10));
  const auto late = NewIterator();
  EXPECT_EQ(Visit(early.get()), (Contents{{"k", "v"}}));
  EXPECT_EQ(Visit(late.get()), Contents());
}

// Iterators of all ages at once, opened and closed in no order.
TEST_F(IteratorTest, IteratorsOfDifferentAgesEachSeeTheirInstant) {
  struct Taken {
    std::unique_ptr<Iterator> iterator;
    Contents contents;
  };
  std::mt19937 random(1);
  std::vector<Taken> taken;
  for (int step = 0; step < 4000; ++step) {
    const std::string key = absl::StrCat("key", random() % 60);
    if (random() % 3 == 0) {
      Remove(key);
    } else {
      Set(key, ValueOf(step, random() % 60));
    }
    if (random() % 40 == 0) taken.push_back({NewIterator(), contents_});
    if (!taken.empty() && random() % 50 == 0) {
      std::swap(taken[random() % taken.size()], taken.back());
      ASSERT_EQ(Visit(taken.back().iterator.get()), taken.back().contents)
          << "step " << step;
      taken.pop_back();
    }
  }
  for (const Taken& each : taken) {
    EXPECT_EQ(Visit(each.iterator.get()), each.contents);
  }
}

// Lifetime.

TEST_F(IteratorTest, AnIteratorOutlivesTheStore) {
  SetNumbers(0, 60);
  const Contents before = contents_;
  const auto begun = NewIterator();
  const auto fresh = NewIterator();
  begun->SeekToFirst();
  begun->Next();
  SetNumbers(40, 90);
  Close();
  ASSERT_TRUE(begun->Valid());
  EXPECT_EQ(before.at(std::string(begun->key())), begun->value());
  EXPECT_EQ(Visit(fresh.get()), before);
  EXPECT_EQ(Visit(begun.get()), before);
}

TEST_F(IteratorTest, AnIteratorIsGoodWhileTheStoreIsOpenedAgain) {
  SetNumbers(0, 60);
  const Contents before = contents_;
  const auto iterator = NewIterator();
  Close();
  Open();
  SetNumbers(0, 60, 99);
  Close();
  Kill();
  Open();
  EXPECT_EQ(Visit(iterator.get()), before);
}

TEST_F(IteratorTest, MovingAnIteratorOnAfterCloseWorks) {
  SetNumbers(0, 60);
  const auto iterator = NewIterator();
  ASSERT_TRUE(store().Close().ok());
  EXPECT_EQ(Visit(iterator.get()), contents_);
}

TEST_F(IteratorTest, WithoutChecksumsTheSameIsVisited) {
  SetNumbers(0, 60);
  EXPECT_EQ(Within({.verify_checksums = false}), contents_);
}

}  // namespace
}  // namespace stave
