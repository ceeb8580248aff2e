#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

// A writer, and a read-only store that follows it. Segments are so small that
// the log goes through many of them.
class FollowerTest : public StoreFixture {
 protected:
  FollowerTest() {
    options.segment_size_bytes = 1024;
    options.background_merge = false;
    Open();
  }

  void Follow() {
    Options read_only = options;
    read_only.read_only = true;
    absl::StatusOr<std::unique_ptr<Store>> opened =
        Store::Open(path(), read_only);
    ASSERT_TRUE(opened.ok()) << opened.status();
    follower_ = *std::move(opened);
  }
  Store& follower() { return *follower_; }
  std::string GetThere(std::string_view key) {
    const absl::StatusOr<std::string> value = follower_->Get(key);
    return value.ok() ? *value
                      : absl::StatusCodeToString(value.status().code());
  }
  Contents AllThere(const Snapshot* snapshot = nullptr) {
    return Visit(follower_->NewIterator({.snapshot = snapshot})->get());
  }
  void Refresh() { ASSERT_EQ(follower_->Refresh(), absl::OkStatus()); }
  void Merge() { ASSERT_EQ(store().Merge({.all = true}), absl::OkStatus()); }

  // After a Refresh, the follower is what the writer is, in every way of
  // asking.
  void ExpectTheSame() {
    const Contents expected = All();
    EXPECT_EQ(AllThere(), expected);
    std::vector<std::string_view> keys;
    for (const auto& [key, value] : expected) {
      EXPECT_EQ(GetThere(key), value);
      keys.push_back(key);
    }
    follower_->MultiGet(
        keys, [&](size_t i, absl::StatusOr<std::string_view> v) {
          EXPECT_EQ(v.value_or("?"), expected.at(std::string(keys[i])));
        });
    // What the writer has removed since it expired, nobody has told it.
    EXPECT_GE(follower_->GetStatistics().live_bytes,
              store().GetStatistics().live_bytes);
  }

  std::unique_ptr<Store> follower_;
};

TEST_F(FollowerTest, SeesWhatWasAcknowledgedBeforeRefresh) {
  Put("a", "1");
  Follow();
  Put("a", "2");
  Put("b", "3");
  EXPECT_EQ(GetThere("a"), "1");
  EXPECT_EQ(GetThere("b"), "NOT_FOUND");
  Refresh();
  EXPECT_EQ(GetThere("a"), "2");
  EXPECT_EQ(GetThere("b"), "3");
  Delete("a");
  Refresh();
  EXPECT_EQ(GetThere("a"), "NOT_FOUND");
  ExpectTheSame();
}

TEST_F(FollowerTest, FollowsFromAnEmptyStoreThroughManySegments) {
  Follow();
  for (int i = 0; i < 100; ++i) {
    Put(absl::StrCat("key", i % 30), ValueOf(i, 60));
    if (i % 7 == 0) Refresh();
  }
  Refresh();
  ExpectTheSame();
  EXPECT_GT(follower().GetStatistics().segments, 3u);
}

TEST_F(FollowerTest, FollowsRecordsThatAreLargerThanWhatIsReadAtATime) {
  Follow();
  const std::string large = ValueOf(1, 3 << 20);
  WriteBatch batch;
  for (int i = 0; i < 5; ++i) {
    batch.Put(absl::StrCat("key", i), ValueOf(i, 100'000 * (i + 1)));
  }
  Put("large", large);
  Write(batch);
  Refresh();
  EXPECT_EQ(GetThere("large"), large);
  ExpectTheSame();
}

TEST_F(FollowerTest, TheLastChangeOfAKeyInABatchCounts) {
  Follow();
  WriteBatch batch;
  batch.Put("a", "1");
  batch.Put("b", "1");
  batch.Delete("a");
  batch.Put("b", "2");
  Write(batch);
  Refresh();
  EXPECT_EQ(GetThere("a"), "NOT_FOUND");
  EXPECT_EQ(GetThere("b"), "2");
  ExpectTheSame();
}

TEST_F(FollowerTest, FollowsMergesOfWhatItHasRead) {
  for (int i = 0; i < 60; ++i) Put(absl::StrCat("key", i % 20), ValueOf(i, 60));
  Follow();
  Merge();
  Put("key1", "after the merge");
  Refresh();
  ExpectTheSame();
  EXPECT_EQ(follower().GetStatistics().segments,
            store().GetStatistics().segments);
}

TEST_F(FollowerTest, FollowsMergesOfWhatItHasNotRead) {
  for (int i = 0; i < 30; ++i) Put(absl::StrCat("key", i), ValueOf(i, 60));
  Follow();
  for (int i = 0; i < 30; ++i) {
    Put(absl::StrCat("key", i), ValueOf(100 + i, 60));
  }
  // With their records, the tombstones are gone, too.
  for (int i = 0; i < 10; ++i) Delete(absl::StrCat("key", i));
  Merge();
  Put("key15", "after the merge");
  Refresh();
  EXPECT_EQ(GetThere("key3"), "NOT_FOUND");
  ExpectTheSame();
}

TEST_F(FollowerTest, KeysThatAMergeHasLeftOutSinceTheyExpiredAreGone) {
  for (int i = 0; i < 30; ++i) {
    Put(absl::StrCat("key", i), ValueOf(i, 60), {.ttl = absl::Seconds(5)});
    Put("lasts", absl::StrCat(i));  // something dead for merges
  }
  Follow();
  clock.Advance(absl::Seconds(10));
  Merge();
  Refresh();
  EXPECT_LT(follower().GetStatistics().keys, 10u);
  EXPECT_EQ(follower().GetStatistics().keys, store().GetStatistics().keys);
  ExpectTheSame();
}

TEST_F(FollowerTest, SnapshotsAndIteratorsStayWhatTheyWere) {
  for (int i = 0; i < 40; ++i) Put(absl::StrCat("key", i), ValueOf(i, 60));
  Follow();
  const Contents before = All();
  const auto snapshot = follower().GetSnapshot();
  const auto iterator = follower().NewIterator().value();
  const PinnedValue pinned = follower().GetPinned("key7").value();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 30; ++i) {
      Put(absl::StrCat("key", i), ValueOf(100 * round + i, 60));
    }
    Delete("key35");
    if (round > 0) Merge();
    Refresh();
    ExpectTheSame();
    EXPECT_EQ(AllThere(snapshot.get()), before);
    EXPECT_EQ(follower().Get("key3", {.snapshot = snapshot.get()}).value(),
              before.at("key3"));
  }
  EXPECT_EQ(Visit(iterator.get()), before);
  EXPECT_EQ(pinned.view(), before.at("key7"));
}

TEST_F(FollowerTest, FollowsAWriterThatClosesAndOneThatComesAfterIt) {
  Put("a", "1");
  Follow();
  Put("a", "2");
  Close();
  Refresh();
  EXPECT_EQ(GetThere("a"), "2");
  Open();
  Put("a", "3");
  Refresh();
  EXPECT_EQ(GetThere("a"), "3");
  ExpectTheSame();
}

TEST_F(FollowerTest, FollowsARecoveryThatKeepsWhatWasRead) {
  for (int i = 0; i < 20; ++i) Put(absl::StrCat("key", i), ValueOf(i, 60));
  Kill();
  Follow();
  Refresh();
  Open();
  Put("key3", "new");
  Refresh();
  EXPECT_EQ(GetThere("key3"), "new");
  ExpectTheSame();
}

TEST_F(FollowerTest, EndsWhereARecoveryHasCutOffWhatItHadShown) {
  Put("a", "1");
  Put("b", "lost with the machine's power");
  Kill();
  Follow();
  EXPECT_EQ(GetThere("b"), "lost with the machine's power");
  // Behind the header and the first record.
  std::filesystem::resize_file(PathOf("0000000000000001.seg"), 32 + 32);
  Open();
  Put("c", "in the place of what was lost");
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = follower().Refresh();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_NE(status.message().find("open it again"), absl::string_view::npos)
        << status;
  }
  EXPECT_EQ(GetThere("b"), "FAILED_PRECONDITION");
  EXPECT_FALSE(follower().NewIterator().ok());
  Follow();
  ExpectTheSame();
}

TEST_F(FollowerTest, EndsWhereAnotherStoreHasTakenThePlace) {
  Put("a", "1");
  Follow();
  Close();
  for (const auto& file : std::filesystem::directory_iterator(path())) {
    std::filesystem::remove(file);
  }
  const absl::Status gone = follower().Refresh();
  EXPECT_TRUE(absl::IsNotFound(gone)) << gone;
  EXPECT_EQ(GetThere("a"), "1");
  Open();
  Put("a", "2");
  const absl::Status other = follower().Refresh();
  EXPECT_TRUE(absl::IsFailedPrecondition(other)) << other;
  EXPECT_EQ(GetThere("a"), "FAILED_PRECONDITION");
}

TEST_F(FollowerTest, DamageIsReportedAndWhatWasReadStays) {
  Put("a", "1");
  Follow();
  for (int i = 0; i < 40; ++i) Put(absl::StrCat("key", i), ValueOf(i, 60));
  Sync();
  // In the body of a record of a sealed segment.
  std::FILE* const file =
      std::fopen(PathOf("0000000000000002.seg").c_str(), "r+");
  ASSERT_NE(file, nullptr);
  std::fseek(file, 100, SEEK_SET);
  std::fputc('!', file);
  std::fclose(file);
  const absl::Status status = follower().Refresh();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_EQ(GetThere("a"), "1");
}

TEST_F(FollowerTest, OnlyReadOnlyStoresAreRefreshed) {
  const absl::Status status = store().Refresh();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  Follow();
  ASSERT_EQ(follower().Close(), absl::OkStatus());
  EXPECT_TRUE(absl::IsFailedPrecondition(follower().Refresh()));
}

TEST_F(FollowerTest, ChangesNoByteOfTheStore) {
  for (int i = 0; i < 20; ++i) Put(absl::StrCat("key", i), ValueOf(i, 60));
  Follow();
  for (int i = 0; i < 20; ++i) Put(absl::StrCat("key", i), ValueOf(i, 50));
  Merge();
  const DirectoryImage before = Image();
  Refresh();
  ExpectTheSame();
  EXPECT_EQ(Difference(before, Image()), "");
}

TEST_F(FollowerTest, ABackupOfAFollowerIsWhatTheFollowerShows) {
  for (int i = 0; i < 30; ++i) Put(absl::StrCat("key", i), ValueOf(i, 60));
  Follow();
  for (int i = 0; i < 25; ++i) Put(absl::StrCat("key", i), ValueOf(i, 70));
  Merge();
  Put("last", "one");
  Refresh();
  const std::string to = path() + "-backup";
  ASSERT_EQ(follower().Backup(to), absl::OkStatus());
  Options read_only;
  read_only.read_only = true;
  const auto backup = Store::Open(to, read_only);
  ASSERT_TRUE(backup.ok()) << backup.status();
  EXPECT_EQ(Visit((*backup)->NewIterator()->get()), All());
}

TEST_F(FollowerTest, AThreadRefreshesEachInterval) {
  Options read_only = options;
  read_only.read_only = true;
  read_only.background_threads = true;
  read_only.refresh_interval = absl::Milliseconds(1);
  Put("a", "1");
  const auto reader = Store::Open(path(), read_only).value();
  Put("a", "2");
  while (reader->Get("a").value() != "2") absl::SleepFor(absl::Milliseconds(1));
  read_only.refresh_interval = absl::ZeroDuration();
  EXPECT_TRUE(absl::IsInvalidArgument(Store::Open(path(), read_only).status()));
}

TEST_F(FollowerTest, IsTheWriterAtEachRefreshWhateverThatHasDone) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    const auto below = [&](uint64_t bound) { return random() % bound; };
    Follow();
    std::shared_ptr<const Snapshot> snapshot = follower().GetSnapshot();
    Contents then = AllThere();
    for (int i = 0; i < 400; ++i) {
      const std::string key = absl::StrCat("key", below(40));
      switch (below(20)) {
        case 0:
        case 1:
        case 2:
          Delete(key);
          break;
        case 3: {
          WriteBatch batch;
          for (uint64_t n = below(8) + 1; n > 0; --n) {
            const std::string each = absl::StrCat("key", below(40));
            if (below(4) == 0) {
              batch.Delete(each);
            } else {
              batch.Put(each, ValueOf(i, below(90)));
            }
          }
          Write(batch);
          break;
        }
        case 4:
          Put(key, "brief", {.ttl = absl::Seconds(1 + below(20))});
          break;
        case 5:
          clock.Advance(absl::Seconds(below(5)));
          break;
        case 6:
          ASSERT_EQ(store().Merge({.all = below(2) == 0}), absl::OkStatus());
          break;
        case 7:
          if (below(4) == 0) Reopen();
          break;
        case 8:
        case 9:
          Refresh();
          ExpectTheSame();
          EXPECT_EQ(AllThere(snapshot.get()), then);
          if (below(3) == 0) {
            snapshot = follower().GetSnapshot();
            then = AllThere();
          }
          break;
        default:
          Put(key, ValueOf(i, below(90)));
      }
      if (HasFailure()) return;
    }
    snapshot = nullptr;
  }
}

}  // namespace
}  // namespace stave
