#include "stave/transaction.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

using TransactionPtr = std::unique_ptr<Transaction>;

class TransactionTest : public StoreFixture {
 protected:
  TransactionTest() {
    options.segment_size_bytes = 1024;
    options.background_merge = false;
    Open();
  }

  TransactionPtr Begin() { return store().Begin(); }
  static std::string Get(const TransactionPtr& transaction,
                         std::string_view key) {
    const absl::StatusOr<std::string> value = transaction->Get(key);
    const absl::StatusOr<bool> exists = transaction->Exists(key);
    EXPECT_EQ(exists.value_or(false), value.ok());
    return value.ok() ? *value
                      : absl::StatusCodeToString(value.status().code());
  }
  std::string Get(std::string_view key) { return StoreFixture::Get(key); }
  static void Put(const TransactionPtr& transaction, std::string_view key,
                  std::string_view value) {
    const absl::Status status = transaction->Put(key, value);
    EXPECT_TRUE(status.ok()) << status;
  }
  void Put(std::string_view key, std::string_view value,
           const WriteOptions& write = {}) {
    StoreFixture::Put(key, value, write);
  }
  static void Delete(const TransactionPtr& transaction, std::string_view key) {
    const absl::Status status = transaction->Delete(key);
    EXPECT_TRUE(status.ok()) << status;
  }
  bool Delete(std::string_view key) { return StoreFixture::Delete(key); }
  static Contents All(const TransactionPtr& transaction,
                      const ReadOptions& read = {}) {
    const auto iterator = transaction->NewIterator(read);
    EXPECT_TRUE(iterator.ok()) << iterator.status();
    return Visit(iterator->get());
  }
  Contents All() { return StoreFixture::All(); }

  static void ExpectCommits(const TransactionPtr& transaction) {
    const absl::Status status = transaction->Commit();
    EXPECT_TRUE(status.ok()) << status;
  }
  // Aborted, and it says for which key.
  static void ExpectAborts(const TransactionPtr& transaction,
                           std::string_view key) {
    const absl::Status status = transaction->Commit();
    EXPECT_TRUE(absl::IsAborted(status)) << status;
    EXPECT_TRUE(absl::StrContains(std::string(status.message()),
                                  absl::StrCat("\"", std::string(key), "\"")))
        << status;
  }
  void MergeAll() {
    const absl::Status status = store().Merge({.all = true});
    EXPECT_TRUE(status.ok()) << status;
  }
};

// What it shows and leaves.

TEST_F(TransactionTest, ItsWritesAppearTogetherAtCommit) {
  Put("old", "1");
  const TransactionPtr t = Begin();
  Put(t, "new", "2");
  Delete(t, "old");
  EXPECT_EQ(All(), (Contents{{"old", "1"}}));
  ExpectCommits(t);
  EXPECT_EQ(All(), (Contents{{"new", "2"}}));
  Kill();
  Open();
  EXPECT_EQ(All(), (Contents{{"new", "2"}}));
}

TEST_F(TransactionTest, ItReadsItsOwnWrites) {
  Put("a", "stored");
  Put("b", "stored");
  const TransactionPtr t = Begin();
  EXPECT_EQ(Get(t, "a"), "stored");
  Put(t, "a", "first");
  Put(t, "a", "second");
  Delete(t, "b");
  Put(t, "c", "");
  EXPECT_EQ(Get(t, "a"), "second");
  EXPECT_EQ(Get(t, "b"), "NOT_FOUND");
  EXPECT_EQ(Get(t, "c"), "");
  Put(t, "b", "again");
  EXPECT_EQ(Get(t, "b"), "again");
  ExpectCommits(t);
  EXPECT_EQ(All(), (Contents{{"a", "second"}, {"b", "again"}, {"c", ""}}));
}

TEST_F(TransactionTest, ItReadsTheStoreAsItWasAtBegin) {
  Put("k", "old");
  const TransactionPtr t = Begin();
  Put("k", "new");
  Put("added", "new");
  EXPECT_EQ(Get(t, "k"), "old");
  EXPECT_EQ(Get(t, "added"), "NOT_FOUND");
  EXPECT_EQ(All(t), (Contents{{"k", "old"}}));
  ExpectCommits(t);  // it only read
}

TEST_F(TransactionTest, ItsIteratorsSeeItsWrites) {
  for (const char* key : {"a", "b", "c", "d"}) Put(key, "stored");
  const TransactionPtr t = Begin();
  Put(t, "b", "own");
  Delete(t, "c");
  Put(t, "ab", "own");
  EXPECT_EQ(
      All(t),
      (Contents{
          {"a", "stored"}, {"ab", "own"}, {"b", "own"}, {"d", "stored"}}));
  EXPECT_EQ(All(t, {.lower_bound = "ab", .upper_bound = "d"}),
            (Contents{{"ab", "own"}, {"b", "own"}}));
  EXPECT_EQ(All(t, {.prefix = "a"}),
            (Contents{{"a", "stored"}, {"ab", "own"}}));
}

TEST_F(TransactionTest, WhatItWritesWhileItIteratesIsNotSeenByThatIterator) {
  for (int i = 0; i < 50; ++i) Put(absl::StrCat("key", i), "stored");
  const TransactionPtr t = Begin();
  Put(t, "key0", "own");
  const auto iterator = t->NewIterator().value();
  int visits = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    ++visits;
    const std::string key(iterator->key());
    EXPECT_EQ(iterator->value(), key == "key0" ? "own" : "stored");
    Put(t, key, "changed");
    Put(t, absl::StrCat("more", visits), "changed");
  }
  EXPECT_EQ(visits, 50);
  EXPECT_EQ(All(t).size(), 100u);
  ExpectCommits(t);
  EXPECT_EQ(All().size(), 100u);
}

TEST_F(TransactionTest, AnIteratorHasNoOrderAndCanBeginAgain) {
  Put("a", "1");
  const TransactionPtr t = Begin();
  Put(t, "b", "2");
  const auto iterator = t->NewIterator().value();
  const Contents both{{"a", "1"}, {"b", "2"}};
  EXPECT_EQ(Visit(iterator.get()), both);
  iterator->Seek("a");
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(absl::IsFailedPrecondition(iterator->status()));
  EXPECT_EQ(Visit(iterator.get()), both);
}

TEST_F(TransactionTest, RollbackLeavesNothing) {
  const TransactionPtr t = Begin();
  Put(t, "k", "v");
  EXPECT_TRUE(t->Rollback().ok());
  TransactionPtr forgotten = Begin();
  Put(forgotten, "k", "v");
  forgotten = nullptr;
  EXPECT_EQ(All(), Contents());
}

// Conflicts.

TEST_F(TransactionTest, AKeyThatItReadAndAnotherChangedAbortsIt) {
  Put("k", "1");
  const TransactionPtr t = Begin();
  Get(t, "k");
  Put(t, "other", "own");
  Put("k", "1");  // the same value, yet a change
  ExpectAborts(t, "k");
  EXPECT_EQ(All(), (Contents{{"k", "1"}}));
}

TEST_F(TransactionTest, ADeletedKeyIsAChangedOne) {
  Put("k", "1");
  const TransactionPtr t = Begin();
  EXPECT_TRUE(t->Exists("k").value());
  Put(t, "other", "own");
  Delete("k");
  ExpectAborts(t, "k");
}

TEST_F(TransactionTest, AKeyThatItDidNotFindMustStayAbsent) {
  const TransactionPtr t = Begin();
  EXPECT_EQ(Get(t, "k"), "NOT_FOUND");
  Put(t, "other", "own");
  Put("k", "1");
  ExpectAborts(t, "k");
}

TEST_F(TransactionTest, AKeyThatCameAndWentIsAbsentStill) {
  const TransactionPtr t = Begin();
  EXPECT_EQ(Get(t, "k"), "NOT_FOUND");
  EXPECT_EQ(All(t), Contents());
  Put(t, "other", "own");
  Put("k", "1");
  Delete("k");
  ExpectCommits(t);
}

TEST_F(TransactionTest, BlindWritesNeverAbort) {
  Put("k", "0");
  const TransactionPtr t = Begin();
  Put(t, "k", "own");
  Delete(t, "gone");
  EXPECT_EQ(Get(t, "k"), "own");  // nothing of the store's
  Put("k", "another's");
  Put("gone", "another's");
  ExpectCommits(t);
  EXPECT_EQ(All(), (Contents{{"k", "own"}}));
}

TEST_F(TransactionTest, WriteSkewAborts) {
  Put("x", "0");
  Put("y", "0");
  const TransactionPtr one = Begin(), two = Begin();
  Get(one, "x");
  Get(one, "y");
  Get(two, "x");
  Get(two, "y");
  Put(one, "x", "1");
  Put(two, "y", "1");
  ExpectCommits(one);
  ExpectAborts(two, "x");
}

TEST_F(TransactionTest, LostUpdatesAbort) {
  Put("n", "0");
  const TransactionPtr one = Begin(), two = Begin();
  for (const auto* t : {&one, &two}) {
    Put(*t, "n", Get(*t, "n") + "+1");
  }
  ExpectCommits(two);
  ExpectAborts(one, "n");
  EXPECT_EQ(Get("n"), "0+1");
}

TEST_F(TransactionTest, ANewKeyInARangeItIteratedAborts) {
  Put("a1", "stored");
  const TransactionPtr t = Begin();
  All(t, {.prefix = "a"});
  Put(t, "sum", "1");
  Put("a2", "phantom");
  ExpectAborts(t, "a2");
}

TEST_F(TransactionTest, AChangedOrDeletedKeyInARangeAborts) {
  for (const bool deletes : {false, true}) {
    Put("a1", "stored");
    const TransactionPtr t = Begin();
    All(t, {.lower_bound = "a", .upper_bound = "b"});
    Put(t, "sum", "1");
    if (deletes) {
      Delete("a1");
    } else {
      Put("a1", "changed");
    }
    ExpectAborts(t, "a1");
  }
}

TEST_F(TransactionTest, ChangesOutsideOfItsRangesDoNotAbort) {
  Put("a1", "stored");
  const TransactionPtr t = Begin();
  All(t, {.prefix = "a"});
  Put(t, "sum", "1");
  Put("b1", "another's");
  Put("sum", "another's");
  ExpectCommits(t);
  EXPECT_EQ(Get("sum"), "1");
}

TEST_F(TransactionTest, ABatchOfAnotherIsAChange) {
  const TransactionPtr t = Begin();
  Get(t, "k");
  Put(t, "other", "own");
  WriteBatch batch;
  batch.Put("j", "1");
  batch.Put("k", "1");
  Write(batch);
  ExpectAborts(t, "k");
}

TEST_F(TransactionTest, AMergeIsNoChange) {
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 40; ++i) Put(absl::StrCat("key", i), ValueOf(i, 60));
  }
  const TransactionPtr t = Begin();
  const Contents before = All(t);
  Get(t, "key3");
  MergeAll();
  EXPECT_EQ(All(t), before);
  EXPECT_EQ(Get(t, "key4"), before.at("key4"));
  Put(t, "key5", "own");
  ExpectCommits(t);
}

TEST_F(TransactionTest, ThePassingOfTimeIsNoChange) {
  Put("k", "v", {.ttl = absl::Seconds(10)});
  Put("expired", "v", {.ttl = absl::Seconds(1)});
  Put("filler", "1");
  Put("filler", "2");
  clock.Advance(absl::Seconds(5));
  const TransactionPtr t = Begin();
  EXPECT_EQ(Get(t, "k"), "v");
  EXPECT_EQ(Get(t, "expired"), "NOT_FOUND");
  All(t);
  Put(t, "own", "v");
  clock.Advance(absl::Seconds(10));
  MergeAll();
  EXPECT_EQ(store().GetStatistics().keys, 1u);
  EXPECT_EQ(Get(t, "k"), "v");
  ExpectCommits(t);
}

// Though it would be gone by now either way.
TEST_F(TransactionTest, AChangeOfWhatHasExpiredSinceIsAChange) {
  Put("k", "5", {.ttl = absl::Seconds(10)});
  Put("l", "5", {.ttl = absl::Seconds(10)});
  const TransactionPtr t = Begin();
  const TransactionPtr all = Begin();
  EXPECT_EQ(Get(t, "k"), "5");
  All(all);
  Put("k", "6", {.ttl = absl::Seconds(6)});
  Delete("l");
  clock.Advance(absl::Seconds(15));
  Put(t, "k", "6");
  ExpectAborts(t, "k");
  Put(all, "own", "v");
  EXPECT_TRUE(absl::IsAborted(all->Commit()));
}

TEST_F(TransactionTest, KeysThatAreNoTextAreNamedEscaped) {
  const TransactionPtr t = Begin();
  Get(t, std::string_view("\x00\xff", 2));
  Put(t, "other", "own");
  Put(std::string_view("\x00\xff", 2), "1");
  ExpectAborts(t, "\\x00\\xff");
}

// Expiry.

TEST_F(TransactionTest, ItsKeysMayExpire) {
  const TransactionPtr t = Begin();
  EXPECT_TRUE(t->Put("k", "v", absl::Seconds(10)).ok());
  const absl::Time passed = clock.WallNow() - absl::Seconds(1);
  EXPECT_TRUE(t->PutUntil("gone", "v", passed).ok());
  EXPECT_EQ(Get(t, "k"), "v");
  EXPECT_EQ(Get(t, "gone"), "NOT_FOUND");
  EXPECT_EQ(All(t), (Contents{{"k", "v"}}));
  EXPECT_TRUE(absl::IsInvalidArgument(t->Put("k", "v", -absl::Seconds(1))));
  clock.Advance(absl::Seconds(9));
  ExpectCommits(t);
  EXPECT_EQ(Get("k"), "v");
  EXPECT_EQ(Get("gone"), "NOT_FOUND");
  clock.Advance(absl::Seconds(1));  // since Put, not since Commit
  EXPECT_EQ(Get("k"), "NOT_FOUND");
}

// Update and View.

TEST_F(TransactionTest, UpdateCommits) {
  const absl::Status status =
      store().Update([](Transaction& t) { return t.Put("k", "v"); });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Get("k"), "v");
}

TEST_F(TransactionTest, UpdateBeginsAgainAfterAConflict) {
  Put("n", "");
  int attempts = 0;
  const absl::Status status = store().Update([&](Transaction& t) {
    const std::string before = t.Get("n").value();
    if (++attempts < 4) Put("n", absl::StrCat(attempts));
    return t.Put("n", before + "!");
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(attempts, 4);
  EXPECT_EQ(Get("n"), "3!");
}

TEST_F(TransactionTest, UpdateGivesUpInTheEnd) {
  int attempts = 0;
  const absl::Status status = store().Update([&](Transaction& t) {
    (void)t.Exists("n");
    Put("n", absl::StrCat(++attempts));
    return t.Put("other", "v");
  });
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_EQ(attempts, 100);
  EXPECT_EQ(Get("other"), "NOT_FOUND");
}

TEST_F(TransactionTest, AnErrorOfTheBodyEndsUpdate) {
  int calls = 0;
  const absl::Status status = store().Update([&](Transaction& t) {
    ++calls;
    EXPECT_TRUE(t.Put("k", "v").ok());
    return absl::UnknownError("enough");
  });
  EXPECT_EQ(status, absl::UnknownError("enough"));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(All(), Contents());
}

TEST_F(TransactionTest, ViewSeesOneInstant) {
  Put("a", "1");
  const absl::Status status = store().View([&](const Transaction& t) {
    Put("a", "2");
    Put("b", "2");
    EXPECT_EQ(t.Get("a").value(), "1");
    EXPECT_FALSE(t.Exists("b").value());
    EXPECT_EQ(Visit(t.NewIterator().value().get()), (Contents{{"a", "1"}}));
    return absl::OutOfRangeError("what the body returns");
  });
  EXPECT_TRUE(absl::IsOutOfRange(status));
}

TEST_F(TransactionTest, ThreadsThatUpdateOneKeyLoseNothing) {
  constexpr int kThreads = 4, kRounds = 250;
  Put("n", "0");
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] {
      for (int round = 0; round < kRounds; ++round) {
        const absl::Status status = store().Update([](Transaction& t) {
          const absl::StatusOr<std::string> n = t.Get("n");
          if (!n.ok()) return n.status();
          return t.Put("n", absl::StrCat(std::stoi(*n) + 1));
        });
        ASSERT_TRUE(status.ok()) << status;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Get("n"), absl::StrCat(kThreads * kRounds));
}

// Misuse.

TEST_F(TransactionTest, AfterItsEndEveryCallIsRefused) {
  const TransactionPtr committed = Begin(), aborted = Begin(), back = Begin();
  Get(aborted, "k");
  Put(aborted, "other", "v");
  Put("k", "v");
  ExpectAborts(aborted, "k");
  ExpectCommits(committed);
  EXPECT_TRUE(back->Rollback().ok());
  for (const TransactionPtr* each : {&committed, &aborted, &back}) {
    Transaction& t = **each;
    std::string value;
    for (const absl::Status& status :
         {t.Get("k").status(), t.Get("k", &value), t.Exists("k").status(),
          t.NewIterator().status(), t.Put("k", "v"),
          t.PutUntil("k", "v", absl::InfiniteFuture()), t.Delete("k"),
          t.Commit(), t.Rollback()}) {
      EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    }
  }
}

TEST_F(TransactionTest, LimitsHoldAtOnceAndDoNotEndIt) {
  const TransactionPtr t = Begin();
  EXPECT_TRUE(absl::IsInvalidArgument(t->Put("", "v")));
  EXPECT_TRUE(absl::IsInvalidArgument(t->Delete("")));
  EXPECT_TRUE(absl::IsInvalidArgument(t->Get("").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(t->Put(std::string(65'536, 'k'), "v")));
  const auto then = store().GetSnapshot();
  EXPECT_TRUE(absl::IsInvalidArgument(
      t->NewIterator({.snapshot = then.get()}).status()));
  Put(t, "k", "v");
  ExpectCommits(t);
}

TEST_F(TransactionTest, AfterCloseItIsRefused) {
  Put("k", "v");
  const TransactionPtr t = Begin();
  const auto iterator = t->NewIterator().value();
  Put(t, "own", "v");
  ASSERT_TRUE(store().Close().ok());
  EXPECT_EQ(Get(t, "k"), "FAILED_PRECONDITION");
  EXPECT_EQ(Get(t, "own"), "FAILED_PRECONDITION");
  EXPECT_TRUE(absl::IsFailedPrecondition(t->Put("k", "v")));
  EXPECT_TRUE(absl::IsFailedPrecondition(t->Commit()));
  EXPECT_TRUE(absl::IsFailedPrecondition(Begin()->Get("k").status()));
  const auto nothing = [](const Transaction&) { return absl::OkStatus(); };
  EXPECT_TRUE(absl::IsFailedPrecondition(store().View(nothing)));
  EXPECT_TRUE(absl::IsFailedPrecondition(store().Update(nothing)));
  EXPECT_EQ(Visit(iterator.get()), (Contents{{"k", "v"}}));
}

// That a key has expired is no conflict; that it was there again since, is.
TEST_F(TransactionTest, WhatOthersMadeOfAnExpiredKeyIsSeen) {
  for (const bool is_put_again : {false, true}) {
    store().Put("k", "v", {.ttl = absl::Seconds(10)}).IgnoreError();
    const TransactionPtr t = Begin();
    EXPECT_EQ(Get(t, "k"), "v");
    clock.Advance(absl::Seconds(20));
    ASSERT_EQ(store().Merge(), absl::OkStatus());
    if (is_put_again) {
      Put("k", "again");
      EXPECT_TRUE(Delete("k"));
    }
    Put(t, "n", "v");
    is_put_again ? ExpectAborts(t, "k") : ExpectCommits(t);
  }
}

TEST_F(TransactionTest, ItMayOutliveItsStore) {
  const TransactionPtr t = Begin();
  Put(t, "own", "v");
  Close();
  Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(t->Commit()));
  EXPECT_EQ(All(), Contents());
}

TEST_F(TransactionTest, InAReadOnlyStoreItMayRead) {
  Put("k", "v");
  Close();
  options.read_only = true;
  Open();
  const TransactionPtr t = Begin();
  EXPECT_EQ(Get(t, "k"), "v");
  EXPECT_TRUE(absl::IsFailedPrecondition(t->Put("k", "w")));
  EXPECT_TRUE(t->Commit().ok());
}

}  // namespace
}  // namespace stave
