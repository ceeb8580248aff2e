#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/iterator.h"
#include "stave/snapshot.h"
#include "stave/store.h"
#include "stave/transaction.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

using Keys = std::vector<std::string>;

class OrderedStoreTest : public StoreFixture {
 protected:
  OrderedStoreTest() {
    options.keydir = KeydirKind::kOrdered;
    options.segment_size_bytes = 2048;
    Open();
  }

  void PutAll(const Keys& keys) {
    for (const std::string& key : keys) Put(key, "value of " + key);
  }
  void PutNumbers(int begin, int end) {
    for (int i = begin; i < end; ++i) Put(Name(i), ValueOf(i, 40));
  }
  static std::string Name(int number) {
    return absl::StrCat("key", 1000 + number);
  }
  static Keys Forward(Iterator* iterator) {
    Keys keys;
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      keys.emplace_back(iterator->key());
    }
    EXPECT_TRUE(iterator->status().ok()) << iterator->status();
    return keys;
  }
  static Keys Backward(Iterator* iterator) {
    Keys keys;
    for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) {
      keys.emplace_back(iterator->key());
    }
    EXPECT_TRUE(iterator->status().ok()) << iterator->status();
    return keys;
  }
  // What an iterator visits, which must be the same both ways.
  static Keys Visited(Iterator* iterator) {
    const Keys forward = Forward(iterator);
    const Keys backward = Backward(iterator);
    EXPECT_EQ(Keys(backward.rbegin(), backward.rend()), forward);
    return forward;
  }
  Keys Visited(const ReadOptions& read = {}) {
    return Visited(NewIterator(read).get());
  }
  static std::unique_ptr<Iterator> IteratorOf(const Transaction& transaction,
                                              const ReadOptions& read = {}) {
    auto iterator = transaction.NewIterator(read);
    EXPECT_TRUE(iterator.ok()) << iterator.status();
    return *std::move(iterator);
  }
};

TEST_F(OrderedStoreTest, AnEmptyStoreHasNothingToVisit) {
  EXPECT_EQ(Visited(), Keys());
  const auto iterator = NewIterator();
  iterator->Seek("a");
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(iterator->status().ok());
}

TEST_F(OrderedStoreTest, KeysAreVisitedInByteOrder) {
  PutAll({"b", "a", "\xff", "aa", std::string("a\0", 2), "\x80", "B"});
  EXPECT_EQ(Visited(),
            Keys({"B", "a", std::string("a\0", 2), "aa", "b", "\x80", "\xff"}));
}

TEST_F(OrderedStoreTest, SeekGoesToTheFirstKeyThatIsNotLess) {
  PutAll({"a", "c", "e"});
  const auto iterator = NewIterator();
  for (const auto& [key, found] : std::map<std::string, std::string>{
           {"", "a"}, {"a", "a"}, {"b", "c"}, {"c", "c"}, {"d", "e"}}) {
    iterator->Seek(key);
    ASSERT_TRUE(iterator->Valid());
    EXPECT_EQ(iterator->key(), found);
    EXPECT_EQ(iterator->value(), "value of " + found);
  }
  iterator->Seek("f");
  EXPECT_FALSE(iterator->Valid());
}

TEST_F(OrderedStoreTest, AnIteratorTurnsRoundAnywhere) {
  PutNumbers(0, 300);
  const auto iterator = NewIterator();
  std::mt19937 random(7);
  int at = 150;
  iterator->Seek(Name(at));
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(iterator->Valid());
    ASSERT_EQ(iterator->key(), Name(at));
    const bool forward = at == 0 || (at < 299 && (random() + i / 64) % 8 < 5);
    forward ? iterator->Next() : iterator->Prev();
    at += forward ? 1 : -1;
  }
}

TEST_F(OrderedStoreTest, BoundsAndPrefixHoldBothWays) {
  PutAll({"a", "b", "b1", "b2", "b3", "c", "\xff\xff", "\xff\xff\x01"});
  EXPECT_EQ(Visited({.lower_bound = "b1"}),
            Keys({"b1", "b2", "b3", "c", "\xff\xff", "\xff\xff\x01"}));
  EXPECT_EQ(Visited({.upper_bound = "b2"}), Keys({"a", "b", "b1"}));
  EXPECT_EQ(Visited({.prefix = "b"}), Keys({"b", "b1", "b2", "b3"}));
  EXPECT_EQ(Visited({.prefix = "\xff\xff"}),
            Keys({"\xff\xff", "\xff\xff\x01"}));
  EXPECT_EQ(Visited({.lower_bound = "b2", .upper_bound = "z", .prefix = "b"}),
            Keys({"b2", "b3"}));
  EXPECT_EQ(Visited({.lower_bound = "c", .upper_bound = "b"}), Keys());
  EXPECT_EQ(Visited({.upper_bound = "b", .prefix = "c"}), Keys());
  const auto iterator = NewIterator({.lower_bound = "b", .upper_bound = "c"});
  iterator->Seek("a");
  EXPECT_EQ(iterator->key(), "b");
  iterator->Seek("c");
  EXPECT_FALSE(iterator->Valid());
}

TEST_F(OrderedStoreTest, WhatHasChangedSinceIsVisitedAsItWas) {
  PutNumbers(0, 500);
  const Keys then = Visited();
  const auto before = store().GetSnapshot();
  const auto iterator = NewIterator();
  for (int i = 0; i < 500; ++i) {
    if (i % 3 == 0) Delete(Name(i));
    if (i % 3 == 1) Put(Name(i), "new");
    Put(absl::StrCat(Name(i), "x"), "new");
  }
  const auto between = store().GetSnapshot();
  const Keys middle = Visited();
  for (int i = 0; i < 500; ++i) {
    Delete(absl::StrCat(Name(i), "x"));
    Put(Name(i), "newer");
  }
  EXPECT_EQ(Visited(iterator.get()), then);
  EXPECT_EQ(Visited({.snapshot = before.get()}), then);
  EXPECT_EQ(Visited({.snapshot = between.get()}), middle);
  EXPECT_EQ(Visited(), then);
  iterator->Seek(Name(3));
  EXPECT_EQ(iterator->value(), ValueOf(3, 40));
}

TEST_F(OrderedStoreTest, ADroppedSnapshotLeavesItsKeysToAnEarlierOne) {
  PutNumbers(0, 50);
  const Keys then = Visited();
  auto first = store().GetSnapshot();
  auto second = store().GetSnapshot();
  for (int i = 0; i < 50; ++i) Delete(Name(i));
  second = nullptr;
  EXPECT_EQ(Visited({.snapshot = first.get()}), then);
  EXPECT_EQ(Visited(), Keys());
}

TEST_F(OrderedStoreTest, MergesGoOnUnderAnIterator) {
  PutNumbers(0, 300);
  const auto iterator = NewIterator();
  const auto late = NewIterator();
  const Keys then = Visited();
  iterator->SeekToFirst();
  Keys visited;
  for (int i = 0; iterator->Valid(); ++i, iterator->Next()) {
    EXPECT_EQ(iterator->value(), ValueOf(i, 40));
    visited.emplace_back(iterator->key());
    Delete(Name((i * 7) % 300));
    if (i % 50 == 0) {
      EXPECT_TRUE(store().Merge({.all = true}).ok());
    }
  }
  EXPECT_TRUE(iterator->status().ok()) << iterator->status();
  EXPECT_EQ(visited, then);
  EXPECT_EQ(Visited(late.get()), then);
}

TEST_F(OrderedStoreTest, AnIteratorOutlivesItsStore) {
  PutNumbers(0, 100);
  const Keys then = Visited();
  const auto iterator = NewIterator();
  Close();
  EXPECT_EQ(Visited(iterator.get()), then);
}

TEST_F(OrderedStoreTest, ExpiredKeysAreNotVisited) {
  PutAll({"a", "c"});
  Put("b", "short", {.ttl = absl::Seconds(5)});
  const auto before = store().GetSnapshot();
  clock.Advance(absl::Seconds(10));
  EXPECT_EQ(Visited(), Keys({"a", "c"}));
  EXPECT_EQ(Visited({.snapshot = before.get()}), Keys({"a", "b", "c"}));
  EXPECT_TRUE(store().Merge({.all = true}).ok());
  EXPECT_EQ(Visited({.snapshot = before.get()}), Keys({"a", "b", "c"}));
}

TEST_F(OrderedStoreTest, TheStoreIsTheSameWithEitherKeydir) {
  options.checkpoint_min_keys = 1;
  PutNumbers(0, 200);
  for (int i = 0; i < 200; i += 3) Delete(Name(i));
  const Contents contents = All();
  for (int i = 0; i < 6; ++i) {
    options.keydir = i % 2 == 0 ? KeydirKind::kHash : KeydirKind::kOrdered;
    i < 3 ? Reopen() : (Kill(), Open());
    EXPECT_EQ(All(), contents);
    EXPECT_EQ(Get(Name(1)), ValueOf(1, 40));
    EXPECT_EQ(store().GetStatistics().keys, contents.size());
  }
}

TEST_F(OrderedStoreTest, WithTheHashKeydirThereIsNoOrder) {
  PutNumbers(0, 3);
  options.keydir = KeydirKind::kHash;
  Reopen();
  const auto iterator = NewIterator();
  iterator->Seek("a");
  EXPECT_TRUE(absl::IsFailedPrecondition(iterator->status()));
  iterator->SeekToLast();
  EXPECT_TRUE(absl::IsFailedPrecondition(iterator->status()));
}

TEST_F(OrderedStoreTest, ATransactionSeesItsOwnWritesInTheirPlaces) {
  PutAll({"b", "d", "f", "h"});
  const auto transaction = store().Begin();
  for (const char* key : {"a", "d", "e", "i"}) {
    ASSERT_TRUE(transaction->Put(key, "mine").ok());
  }
  ASSERT_TRUE(transaction->Delete("f").ok());
  ASSERT_TRUE(transaction->Delete("g").ok());
  ASSERT_TRUE(transaction->Delete("h").ok());
  const auto iterator = IteratorOf(*transaction);
  EXPECT_EQ(Visited(iterator.get()), Keys({"a", "b", "d", "e", "i"}));
  iterator->Seek("c");
  EXPECT_EQ(iterator->key(), "d");
  EXPECT_EQ(iterator->value(), "mine");
  iterator->Prev();
  EXPECT_EQ(iterator->key(), "b");
  EXPECT_EQ(iterator->value(), "value of b");
  iterator->Next();
  iterator->Next();
  EXPECT_EQ(iterator->key(), "e");
  EXPECT_EQ(
      Visited(IteratorOf(*transaction, {.lower_bound = "b", .upper_bound = "i"})
                  .get()),
      Keys({"b", "d", "e"}));
}

TEST_F(OrderedStoreTest, ATransactionsIteratorTurnsRoundAnywhere) {
  std::map<std::string, std::string> model;
  std::mt19937 random(3);
  for (int i = 0; i < 60; i += 2) {
    Put(Name(i), "stored");
    model[Name(i)] = "stored";
  }
  const auto transaction = store().Begin();
  for (int i = 0; i < 60; ++i) {
    if (random() % 3 != 0) continue;
    if (random() % 2 == 0) {
      ASSERT_TRUE(transaction->Put(Name(i), "mine").ok());
      model[Name(i)] = "mine";
    } else {
      ASSERT_TRUE(transaction->Delete(Name(i)).ok());
      model.erase(Name(i));
    }
  }
  const auto iterator = IteratorOf(*transaction);
  auto at = model.begin();
  iterator->SeekToFirst();
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(iterator->Valid());
    ASSERT_EQ(iterator->key(), at->first);
    ASSERT_EQ(iterator->value(), at->second);
    const bool is_last = std::next(at) == model.end();
    const bool forward = at == model.begin() || (!is_last && random() % 2 == 0);
    forward ? iterator->Next() : iterator->Prev();
    forward ? ++at : --at;
  }
}

TEST_F(OrderedStoreTest, PhantomsInARangeAreConflicts) {
  PutAll({"a1", "a3", "b1"});
  const auto commit_after = [this](auto change) {
    const auto transaction = store().Begin();
    EXPECT_FALSE(
        Forward(IteratorOf(*transaction, {.prefix = "a"}).get()).empty());
    EXPECT_TRUE(transaction->Put("result", "x").ok());
    change();
    return transaction->Commit();
  };
  EXPECT_TRUE(commit_after([] {}).ok());
  EXPECT_TRUE(commit_after([this] { Put("b2", "new"); }).ok());
  EXPECT_TRUE(absl::IsAborted(commit_after([this] { Put("a2", "new"); })));
  EXPECT_TRUE(absl::IsAborted(commit_after([this] { Put("a1", "new"); })));
  EXPECT_TRUE(absl::IsAborted(commit_after([this] { Delete("a3"); })));
  // It was not there, and is not there.
  EXPECT_TRUE(commit_after([this] {
                Put("a4", "new");
                Delete("a4");
              }).ok());
  EXPECT_TRUE(commit_after([this] {
                EXPECT_TRUE(store().Merge({.all = true}).ok());
              }).ok());
}

TEST_F(OrderedStoreTest, AnyKeyAndManyOfThem) {
  std::map<std::string, std::string> model;
  std::mt19937 random(11);
  for (int i = 0; i < 400; ++i) {
    std::string key(1 + random() % (i % 50 == 0 ? 65535 : 20),
                    static_cast<char>(random() % 3 * 127));
    key.append(absl::StrCat(random() % 9))
        .resize(std::min<size_t>(key.size(), 65535));
    if (random() % 4 == 0) {
      EXPECT_EQ(Delete(key), model.erase(key) == 1);
    } else {
      Put(key, ValueOf(i, 10));
      model[key] = ValueOf(i, 10);
    }
  }
  EXPECT_EQ(All(), model);
  Keys keys;
  for (const auto& [key, value] : model) keys.push_back(key);
  EXPECT_EQ(Visited(), keys);
  Reopen();
  EXPECT_EQ(Visited(), keys);
}

}  // namespace
}  // namespace stave
