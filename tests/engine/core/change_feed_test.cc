#include "stave/change_feed.h"

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

class ChangeFeedTest : public StoreFixture {
 protected:
  ChangeFeedTest() {
    options.segment_size_bytes = 1024;
    options.background_merge = false;
  }

  std::unique_ptr<ChangeFeed> Feed(FeedPosition from = {}) {
    return FeedOf(store(), from);
  }
  static std::unique_ptr<ChangeFeed> FeedOf(Store& of, FeedPosition from = {}) {
    absl::StatusOr<std::unique_ptr<ChangeFeed>> feed = of.NewChangeFeed(from);
    EXPECT_TRUE(feed.ok()) << feed.status();
    return feed.ok() ? *std::move(feed) : nullptr;
  }
  absl::Status Refusal(FeedPosition from) {
    return store().NewChangeFeed(from).status();
  }

  // What the feed has yet, as "key=value" and "-key", a batch in brackets.
  static std::string Rest(ChangeFeed* feed) {
    std::string rest;
    bool in_batch = false;
    while (true) {
      const absl::StatusOr<bool> more = feed->Next();
      EXPECT_TRUE(more.ok()) << more.status();
      if (!more.value_or(false)) return rest;
      if (!rest.empty()) rest += " ";
      if (!in_batch && !feed->ends_batch()) rest += "[";
      in_batch |= !feed->ends_batch();
      absl::StrAppend(&rest, Describe(*feed));
      if (in_batch && feed->ends_batch()) {
        rest += "]";
        in_batch = false;
      }
    }
  }
  static std::string Describe(const ChangeFeed& feed) {
    return feed.kind() == ChangeKind::kDelete
               ? absl::StrCat("-", std::string(feed.key()))
               : absl::StrCat(std::string(feed.key()), "=",
                              std::string(feed.value()));
  }

  void PutMany(int count, int version) {
    for (int i = 0; i < count; ++i) {
      Put(absl::StrCat("key", i), ValueOf(version + i, 60));
    }
  }
  // Opens the copy of a process that was killed, without what it had written
  // behind `length` of the first segment.
  void LosePower(uint64_t length) {
    Kill();
    std::filesystem::resize_file(PathOf("0000000000000001.seg"), length);
    Open();
  }
};

TEST_F(ChangeFeedTest, HasEveryChangeInOrder) {
  Open();
  Put("a", "1");
  Put("a", "2");
  Delete("a");
  Delete("a");  // there was none: no change
  WriteBatch batch;
  batch.Put("b", "1");
  batch.Delete("c");
  batch.Put("b", "2");
  Write(batch);
  ASSERT_TRUE(store().Increment("n", 5).ok());
  Sync();
  Put("d", "4");
  const auto feed = Feed();
  EXPECT_EQ(Rest(feed.get()), "a=1 a=2 -a [b=1 -c b=2] n=5 d=4");
  EXPECT_EQ(Rest(feed.get()), "");
  Put("e", "5");
  EXPECT_EQ(Rest(feed.get()), "e=5");
}

TEST_F(ChangeFeedTest, TellsOfExpiriesWithThePutThatSetThem) {
  Open();
  Put("a", "1", {.expire_at = absl::FromUnixMillis(4'000'000'000'000)});
  ASSERT_EQ(store().Persist("a"), absl::OkStatus());
  const auto feed = Feed();
  ASSERT_TRUE(feed->Next().value());
  EXPECT_EQ(feed->expire_at(), absl::FromUnixMillis(4'000'000'000'000));
  ASSERT_TRUE(feed->Next().value());
  EXPECT_EQ(feed->expire_at(), absl::InfiniteFuture());
  EXPECT_EQ(feed->value(), "1");
  EXPECT_FALSE(feed->Next().value());
}

TEST_F(ChangeFeedTest, GoesOnFromAPositionAlsoInTheMidstOfABatch) {
  Open();
  PutMany(30, 0);
  WriteBatch batch;
  for (int i = 0; i < 4; ++i) batch.Put(absl::StrCat("batch", i), "x");
  Write(batch);
  PutMany(30, 100);
  const auto whole = Feed();
  std::vector<std::pair<FeedPosition, std::string>> changes;
  std::vector<bool> ends;
  while (whole->Next().value()) {
    EXPECT_EQ(whole->position().sequence, whole->sequence());
    changes.emplace_back(whole->position(), Describe(*whole));
    ends.push_back(whole->ends_batch());
  }
  ASSERT_EQ(changes.size(), 64u);
  Reopen();
  for (size_t i = 0; i < changes.size(); ++i) {
    const auto feed = Feed(changes[i].first);
    for (size_t next = i + 1; next < changes.size(); ++next) {
      ASSERT_TRUE(feed->Next().value());
      EXPECT_EQ(Describe(*feed), changes[next].second);
      EXPECT_EQ(feed->ends_batch(), ends[next]);
    }
    EXPECT_FALSE(feed->Next().value());
  }
}

TEST_F(ChangeFeedTest, AnEmptyStoreHasAPositionToo) {
  Open();
  const auto feed = Feed();
  EXPECT_FALSE(feed->Next().value());
  const FeedPosition start = feed->position();
  EXPECT_NE(start.incarnation, 0u);
  Put("a", "1");
  EXPECT_EQ(Rest(Feed(start).get()), "a=1");
  EXPECT_EQ(Rest(feed.get()), "a=1");
}

// There are marks behind the last change, which a power loss or a merge takes.
TEST_F(ChangeFeedTest, WhoHasReadAllChangesHasLostNothing) {
  Open();
  PutMany(30, 0);
  PutMany(30, 100);
  Sync();
  auto feed = Feed();
  Rest(feed.get());
  EXPECT_EQ(feed->position().sequence, feed->sequence());
  const FeedPosition position = feed->position();
  ASSERT_EQ(store().Merge({.all = true}), absl::OkStatus());
  EXPECT_EQ(Rest(Feed(position).get()), "");
  EXPECT_EQ(Rest(feed.get()), "");
  Put("a", "1");
  EXPECT_EQ(Rest(Feed(position).get()), "a=1");
  EXPECT_EQ(Rest(feed.get()), "a=1");
}

TEST_F(ChangeFeedTest, WhatIsAheadOfTheStoreIsOutOfRange) {
  Open();
  Put("a", "1");
  FeedPosition position = Feed()->position();
  position.sequence = 2;
  EXPECT_TRUE(absl::IsOutOfRange(Refusal(position))) << Refusal(position);
  position = {position.incarnation + 1, 0};
  EXPECT_TRUE(absl::IsOutOfRange(Refusal(position))) << Refusal(position);
}

TEST_F(ChangeFeedTest, WhatMergesHaveTakenIsOutOfRange) {
  Open();
  const auto early = Feed();
  const FeedPosition start = early->position();
  PutMany(30, 0);
  PutMany(30, 100);
  ASSERT_TRUE(early->Next().value());
  ASSERT_EQ(store().Merge({.all = true}), absl::OkStatus());
  const absl::Status refusal = Refusal(start);
  EXPECT_TRUE(absl::IsOutOfRange(refusal)) << refusal;
  const auto oldest = Feed();
  EXPECT_NE(
      refusal.message().find(absl::StrCat(
          "the oldest position is incarnation ", oldest->position().incarnation,
          ", sequence ", oldest->position().sequence)),
      absl::string_view::npos)
      << refusal;
  // The one that was open reads what it holds, and is told then, too.
  absl::StatusOr<bool> more = true;
  while (more.value_or(false)) more = early->Next();
  EXPECT_TRUE(absl::IsOutOfRange(more.status())) << more.status();
  EXPECT_TRUE(absl::IsOutOfRange(early->Next().status()));
  Put("later", "1");
  const std::string rest = Rest(oldest.get());
  EXPECT_EQ(rest.substr(rest.rfind(' ') + 1), "later=1");
}

TEST_F(ChangeFeedTest, AFeedHoldsNoMoreThanTheSegmentThatItIsIn) {
  Open();
  const auto feed = Feed();
  PutMany(60, 0);
  PutMany(60, 100);
  ASSERT_TRUE(feed->Next().value());
  ASSERT_EQ(store().Merge({.all = true}), absl::OkStatus());
  const uint64_t pinned = store().GetStatistics().pinned_bytes;
  EXPECT_GT(pinned, 0u);
  EXPECT_LE(pinned, options.segment_size_bytes);
  EXPECT_EQ(feed->value(), ValueOf(0, 60));
}

TEST_F(ChangeFeedTest, RetentionKeepsTheLatestOfTheLogFromMerges) {
  options.feed_retention_bytes = 4096;
  Open();
  for (int round = 0; round < 10; ++round) {
    PutMany(20, 100 * round);
    ASSERT_EQ(store().Merge({.all = true}), absl::OkStatus());
  }
  const Statistics statistics = store().GetStatistics();
  EXPECT_GE(statistics.pinned_bytes, 4096u);
  EXPECT_LE(statistics.pinned_bytes, 4096u + 1024);
  const auto feed = Feed();
  uint64_t bytes = 0;
  while (feed->Next().value()) bytes += 24 + feed->key().size() + 60;
  EXPECT_GE(bytes, 4096u * 9 / 10);
  const MergePlan plan = store().PlanMerge({.all = true}).value();
  size_t kept = 0;
  for (const SegmentChoice& choice : plan.segments) {
    kept += choice.reason == "it is kept for change feeds";
  }
  EXPECT_GE(kept, 4u);
  // Also from the first merge of a session on.
  const FeedPosition oldest = Feed()->position();
  Reopen();
  EXPECT_EQ(store().GetStatistics().pinned_bytes, statistics.pinned_bytes);
  ASSERT_EQ(store().Merge({.all = true}), absl::OkStatus());
  EXPECT_NE(Feed(oldest), nullptr);
}

TEST_F(ChangeFeedTest, AKillTakesNothingFromAReader) {
  Open();
  Put("a", "1");
  Put("b", "2");
  const auto before = Feed();
  ASSERT_TRUE(before->Next().value());
  const FeedPosition behind_a = before->position();
  ASSERT_TRUE(before->Next().value());
  const FeedPosition behind_b = before->position();
  Kill();
  Open();
  Put("c", "3");
  EXPECT_EQ(Rest(Feed(behind_a).get()), "b=2 c=3");
  EXPECT_EQ(Rest(Feed(behind_b).get()), "c=3");
  EXPECT_NE(Feed()->position().incarnation, behind_a.incarnation);
}

TEST_F(ChangeFeedTest, WhoHasReadWhatARecoveryCutIsOutOfRange) {
  Open();
  Put("a", "1");
  Put("b", "lost");
  const auto before = Feed();
  ASSERT_TRUE(before->Next().value());
  const FeedPosition behind_a = before->position();
  ASSERT_TRUE(before->Next().value());
  const FeedPosition behind_b = before->position();
  LosePower(32 + 32);
  Put("c", "in its place");
  Put("d", "and more");
  EXPECT_TRUE(absl::IsOutOfRange(Refusal(behind_b))) << Refusal(behind_b);
  EXPECT_EQ(Rest(Feed(behind_a).get()), "c=in its place d=and more");
  // However many recoveries come after that.
  Kill();
  Open();
  EXPECT_TRUE(absl::IsOutOfRange(Refusal(behind_b))) << Refusal(behind_b);
  EXPECT_EQ(Rest(Feed(behind_a).get()), "c=in its place d=and more");
}

TEST_F(ChangeFeedTest, APositionIsNoOtherStores) {
  Open();
  Put("a", "1");
  const FeedPosition position = Feed()->position();
  const std::string to = path() + "-backup";
  ASSERT_EQ(store().Backup(to), absl::OkStatus());
  Options here = options;
  const auto backup = Store::Open(to, here).value();
  const absl::Status refusal = backup->NewChangeFeed(position).status();
  EXPECT_TRUE(absl::IsOutOfRange(refusal)) << refusal;
  const auto feed = FeedOf(*backup);
  Rest(feed.get());
  ASSERT_EQ(backup->Put("b", "2"), absl::OkStatus());
  EXPECT_EQ(Rest(feed.get()), "b=2");
}

TEST_F(ChangeFeedTest, WorksOnAFollower) {
  Open();
  Put("a", "1");
  Options read_only = options;
  read_only.read_only = true;
  const auto follower = Store::Open(path(), read_only).value();
  Put("b", "2");
  const auto feed = FeedOf(*follower);
  EXPECT_EQ(Rest(feed.get()), "a=1 b=2");
  for (int i = 0; i < 50; ++i) Put("c", absl::StrCat(i));
  EXPECT_EQ(follower->Get("b").value(), "2");
  ASSERT_TRUE(feed->Next().value());
  EXPECT_EQ(Describe(*feed), "c=0");
  // It has refreshed the store, and goes on from a position of the writer's.
  EXPECT_EQ(follower->Get("c").value(), "49");
  const FeedPosition position = feed->position();
  EXPECT_EQ(Rest(Feed(position).get()).substr(0, 4), "c=1 ");
  EXPECT_EQ(Rest(feed.get()).substr(0, 4), "c=1 ");
  for (int i = 0; i < 50; ++i) Put("c", absl::StrCat(i));
  ASSERT_EQ(store().Merge({.all = true}), absl::OkStatus());
  const absl::Status lost = feed->Next().status();
  EXPECT_TRUE(absl::IsOutOfRange(lost)) << lost;
}

TEST_F(ChangeFeedTest, WaitsForAChange) {
  options.background_threads = true;
  Open();
  const auto feed = Feed();
  EXPECT_FALSE(feed->Next(absl::Milliseconds(1)).value());
  std::thread writer([this] { Put("a", "1"); });
  EXPECT_TRUE(feed->Next(absl::InfiniteDuration()).value());
  writer.join();
  EXPECT_EQ(feed->key(), "a");
}

TEST_F(ChangeFeedTest, EndsWithTheStoreButItsChangeStays) {
  Open();
  Put("a", "1");
  const auto feed = Feed();
  ASSERT_TRUE(feed->Next().value());
  Close();
  EXPECT_TRUE(absl::IsFailedPrecondition(feed->Next().status()));
  EXPECT_EQ(feed->value(), "1");
}

// Whatever is written and merged, and however far a feed is behind: it has the
// very next change, or says that it has lost it.
TEST_F(ChangeFeedTest, LeavesNothingOutWithoutSayingSo) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    const auto below = [&](uint64_t bound) { return random() % bound; };
    options.feed_retention_bytes = below(2) * below(6000);
    is_open() ? Reopen() : Open();
    // All changes since, numbered by their values.
    std::vector<std::string> changes;
    auto feed = Feed();
    while (feed->Next().value()) {
    }
    size_t next = 0;
    uint64_t read = 0;
    for (int i = 0; i < 600; ++i) {
      const std::string key = absl::StrCat("key", below(20));
      const std::string value = absl::StrCat(seed, ":", i, ":", ValueOf(i, 40));
      switch (below(12)) {
        case 0:
          if (Delete(key)) changes.push_back("-" + key);
          break;
        case 1: {
          WriteBatch batch;
          for (uint64_t n = below(5) + 1; n > 0; --n) {
            batch.Put(key, absl::StrCat(value, n));
            changes.push_back(absl::StrCat(key, "=", value, n));
          }
          Write(batch);
          break;
        }
        case 2:
          if (below(6) == 0) {
            ASSERT_EQ(store().Merge({.all = below(2) == 0}), absl::OkStatus());
          }
          break;
        case 3:
        case 4:
          for (uint64_t n = below(30); n > 0; --n) {
            const absl::StatusOr<bool> more = feed->Next();
            if (absl::IsOutOfRange(more.status())) {
              // From the oldest on again: none is missing behind that.
              feed = Feed();
              std::vector<std::string> rest;
              while (feed->Next().value()) rest.push_back(Describe(*feed));
              ASSERT_LE(rest.size(), changes.size() - next);
              next = changes.size() - rest.size();
              for (const std::string& each : rest) {
                ASSERT_EQ(each, changes[next++]);
              }
              break;
            }
            ASSERT_TRUE(more.ok()) << more.status();
            ASSERT_EQ(*more, next < changes.size());
            if (!*more) break;
            ASSERT_EQ(Describe(*feed), changes[next++]);
            ++read;
          }
          break;
        default:
          Put(key, value);
          changes.push_back(absl::StrCat(key, "=", value));
      }
    }
    EXPECT_GT(read, 0u);
  }
}

}  // namespace
}  // namespace stave
