#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/change_feed.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/fs/faulty_file_system.h"

namespace stave {
namespace {

constexpr auto kRead = FaultyFileSystem::kRead;
constexpr auto kReadCached = FaultyFileSystem::kReadCached;

// A store whose segments are read by calls, in each of the two orders of keys.
class ReadModeTest : public StoreFixture,
                     public testing::WithParamInterface<KeydirKind> {
 protected:
  ReadModeTest() {
    options.read_mode = ReadMode::kPread;
    options.keydir = GetParam();
    options.segment_size_bytes = 4096;
    options.background_merge = false;
    options.file_system = &files_;
    Open();
  }

  // Keys of several segments, of all sizes that are read in different ways: in
  // one call, in two, and larger than what is read at a time.
  Contents PutMany() {
    Contents all;
    for (const size_t size : {0, 100, 1000, 4000, 5000, 300'000}) {
      for (int i = 0; i < 3; ++i) {
        const std::string key = absl::StrCat("key", size, "-", i);
        all[key] = ValueOf(i, size);
        Put(key, all[key]);
      }
    }
    return all;
  }

  std::vector<std::string> GetTogether(const Contents& of) {
    std::vector<std::string_view> keys;
    for (const auto& [key, value] : of) keys.push_back(key);
    std::vector<std::string> values(keys.size());
    store().MultiGet(keys, [&](size_t i, auto value) {
      values[i] = value.ok() ? std::string(*value) : "not there";
    });
    return values;
  }

  // Runs `body` with its first read failing, then with the second, until it has
  // no more of them; each time `check` is told what came of it.
  template <typename Body, typename Check>
  static void WithEachReadFailing(FaultyFileSystem* files, const Body& body,
                                  const Check& check) {
    bool was_met = true;
    for (int nth = 1; was_met && !HasFailure(); ++nth) {
      const int before = files->calls(kRead);
      files->Fail(kRead, DiskBroken(), nth);
      const absl::Status status = body();
      files->Heal(kRead);
      was_met = files->calls(kRead) - before >= nth;
      check(status);
      if (HasFailure()) ADD_FAILURE() << "with read " << nth << " failing";
    }
  }

  FaultyFileSystem files_{PosixFileSystem()};
};

INSTANTIATE_TEST_SUITE_P(, ReadModeTest,
                         testing::Values(KeydirKind::kHash,
                                         KeydirKind::kOrdered),
                         [](const auto& kind) {
                           return kind.param == KeydirKind::kHash ? "Hash"
                                                                  : "Ordered";
                         });

TEST_P(ReadModeTest, ReadsWhatWasPut) {
  const Contents all = PutMany();
  EXPECT_EQ(All(), all);
  std::vector<std::string> values;
  for (const auto& [key, value] : all) {
    EXPECT_EQ(Get(key), value);
    values.push_back(value);
  }
  EXPECT_EQ(GetTogether(all), values);
}

TEST_P(ReadModeTest, ReadsTogetherWhatIsInMemoryAndWhatIsNot) {
  const Contents all = PutMany();
  std::vector<std::string> values;
  for (const auto& [key, value] : all) values.push_back(value);
  for (int nth = 1; nth <= 4; ++nth) {
    files_.Fail(kReadCached, DiskBroken(), nth);
    EXPECT_EQ(GetTogether(all), values);
    files_.Fail(kReadCached, DiskBroken(), nth);
    EXPECT_EQ(All(), all);
  }
  files_.FailAlways(kReadCached, DiskBroken());
  EXPECT_EQ(GetTogether(all), values);
  EXPECT_EQ(All(), all);
}

TEST_P(ReadModeTest, ReadsItAfterAnyEnd) {
  Contents all = PutMany();
  Reopen();
  EXPECT_EQ(All(), all);
  Put("one", "more");
  all["one"] = "more";
  Kill();
  Open();
  EXPECT_EQ(All(), all);
}

TEST_P(ReadModeTest, EachOpenMayChoose) {
  const Contents all = PutMany();
  for (const ReadMode mode : {ReadMode::kMap, ReadMode::kPread}) {
    options.read_mode = mode;
    Reopen();
    EXPECT_EQ(All(), all);
  }
}

TEST_P(ReadModeTest, MergesKeepAllThatIsLive) {
  PutMany();
  const Contents all = PutMany();
  const uint64_t before = store().GetStatistics().segment_bytes;
  ASSERT_TRUE(store().Merge({.all = true}).ok());
  EXPECT_LT(store().GetStatistics().segment_bytes, before);
  EXPECT_EQ(All(), all);
  Reopen();
  EXPECT_EQ(All(), all);
}

TEST_P(ReadModeTest, WhatIsHeldStaysReadable) {
  const Contents all = PutMany();
  const std::shared_ptr<const Snapshot> snapshot = store().GetSnapshot();
  const std::unique_ptr<Iterator> iterator = NewIterator();
  std::vector<PinnedValue> pinned;
  for (const auto& [key, value] : all) {
    pinned.push_back(*store().GetPinned(key));
    Put(key, "newer");
  }
  ASSERT_TRUE(store().Merge({.all = true}).ok());
  EXPECT_EQ(Visit(NewIterator({.snapshot = snapshot.get()}).get()), all);
  EXPECT_EQ(Visit(iterator.get()), all);
  Close();
  auto value = all.begin();
  for (const PinnedValue& each : pinned) {
    EXPECT_EQ(each.view(), (value++)->second);
  }
}

TEST_P(ReadModeTest, AWalkHoldsLittleOfWhatItPassesOver) {
  options.segment_size_bytes = 64 << 20;
  Reopen();
  for (int i = 0; i < 40; ++i) {
    Put(absl::StrCat("a", i), "small");
    Put(absl::StrCat("b", i), ValueOf(i, 200'000));
  }
  const auto allocated = [] {
    const struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd;
  };
  const size_t before = allocated();
  const std::unique_ptr<Iterator> iterator = NewIterator({.prefix = "a"});
  size_t visited = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    EXPECT_LT(allocated(), before + (3 << 20));
    ++visited;
  }
  EXPECT_EQ(visited, 40u);
}

TEST_P(ReadModeTest, AFeedTellsOfAllChanges) {
  WriteBatch batch;
  for (int i = 0; i < 100; ++i) batch.Put(absl::StrCat(i), ValueOf(i, 5000));
  Write(batch);
  const auto feed = store().NewChangeFeed();
  ASSERT_TRUE(feed.ok()) << feed.status();
  for (int i = 0; i < 100; ++i) {
    const absl::StatusOr<bool> found = (*feed)->Next(absl::ZeroDuration());
    ASSERT_TRUE(found.ok() && *found);
    EXPECT_EQ((*feed)->key(), absl::StrCat(i));
    EXPECT_EQ((*feed)->value(), ValueOf(i, 5000));
  }
}

TEST_P(ReadModeTest, AFollowerSeesWhatIsWritten) {
  Contents all = PutMany();
  Options follower_options = options;
  follower_options.read_only = true;
  const auto follower = Store::Open(path(), follower_options);
  ASSERT_TRUE(follower.ok()) << follower.status();
  PutMany();
  ASSERT_TRUE(store().Merge({.all = true}).ok());
  Put("one", "more");
  all["one"] = "more";
  ASSERT_TRUE((*follower)->Refresh().ok());
  EXPECT_EQ(Visit((*follower)->NewIterator()->get()), all);
}

TEST_P(ReadModeTest, ABackupHasEverything) {
  const Contents all = PutMany();
  const std::string backup = path() + "-backup";
  ASSERT_TRUE(store().Backup(backup).ok());
  const auto copy = Store::Open(backup, options);
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ(Visit((*copy)->NewIterator()->get()), all);
}

TEST_P(ReadModeTest, AReadThatFailsIsAnErrorOfThatReadAlone) {
  const Contents all = PutMany();
  files_.Fail(kRead, DiskBroken());
  const absl::StatusOr<std::string> value = store().Get("key100-0");
  EXPECT_TRUE(absl::IsDataLoss(value.status())) << value.status();
  EXPECT_TRUE(absl::StrContains(value.status().message(), "broken"));
  files_.FailAlways(kRead, DiskBroken());
  EXPECT_EQ(GetTogether({*all.begin()}), std::vector<std::string>{"not there"});
  const std::unique_ptr<Iterator> iterator = NewIterator();
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) continue;
  EXPECT_TRUE(absl::IsDataLoss(iterator->status())) << iterator->status();
  files_.Heal(kRead);
  Put("one", "more");
  Delete("one");
  EXPECT_EQ(All(), all);
}

TEST_P(ReadModeTest, AnIteratorLeavesNoKeyOutThatItCannotRead) {
  const Contents all = PutMany();
  // A third, so that merges have something to move.
  for (const auto& [key, value] : all) {
    if (key.back() == '0') Put(key, value);
  }
  const std::shared_ptr<const Snapshot> snapshot = store().GetSnapshot();
  ASSERT_TRUE(store().Merge({.all = true}).ok());
  for (const auto& [key, value] : all) Put(key, "newer");
  size_t visited = 0;
  WithEachReadFailing(
      &files_,
      [&] {
        visited = 0;
        const auto iterator = NewIterator({.snapshot = snapshot.get()});
        iterator->SeekToFirst();
        for (; iterator->Valid(); iterator->Next()) ++visited;
        return iterator->status();
      },
      [&](const absl::Status& status) {
        if (status.ok()) {
          EXPECT_EQ(visited, all.size());
        } else {
          EXPECT_TRUE(absl::IsDataLoss(status)) << status;
          EXPECT_TRUE(absl::StrContains(status.message(), "broken")) << status;
        }
      });
}

// It goes on, or says that it can't.
TEST_P(ReadModeTest, AFollowerThatCannotReadTakesNoKeyAway) {
  FaultyFileSystem its_files(PosixFileSystem());
  Options its_options = options;
  its_options.read_only = true;
  its_options.file_system = &its_files;
  std::unique_ptr<Store> follower;
  const auto put_keys = [&](int step) {
    for (int i = 0; i < 40; i += step) {
      Put(absl::StrCat("key", i), ValueOf(i, 100));
    }
  };
  // More than is read at a time.
  const auto put_batch = [&] {
    WriteBatch batch;
    for (int i = 0; i < 3; ++i) {
      batch.Put(absl::StrCat("large", i), ValueOf(i, 90'000));
    }
    Write(batch);
  };
  for (const bool jumps : {false, true}) {
    const auto prepare = [&] {
      put_keys(1);
      put_keys(2);
      follower = *Store::Open(path(), its_options);
      if (jumps) put_keys(4);
      ASSERT_TRUE(store().Merge({.all = true}).ok());
      put_batch();
      Put("last", ValueOf(0, 5000), {.sync = true});
    };
    prepare();
    WithEachReadFailing(
        &its_files, [&] { return follower->Refresh(); },
        [&](const absl::Status&) {
          for (int i = 0; i < 40; ++i) {
            const auto got = follower->Get(absl::StrCat("key", i));
            EXPECT_FALSE(absl::IsNotFound(got.status())) << got.status();
          }
          const absl::Status status = follower->Refresh();
          if (status.ok()) {
            EXPECT_EQ(Visit(follower->NewIterator()->get()), All());
          } else {
            EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
          }
          prepare();
        });
  }
}

TEST_P(ReadModeTest, AMergeThatCannotReadChangesNothing) {
  options.segment_size_bytes = 64 << 10;
  Reopen();
  WithEachReadFailing(
      &files_,
      [&] {
        for (int i = 0; i < 12; ++i) {
          const absl::Duration ttl =
              i % 3 == 0 ? absl::Seconds(1) : absl::InfiniteDuration();
          Put(absl::StrCat(i), ValueOf(i, 1500), {.ttl = ttl});
        }
        for (int i = 0; i < 12; i += 4) Put(absl::StrCat(i), "newer");
        clock.Advance(absl::Seconds(2));
        return store().Merge({.all = true});
      },
      [&](const absl::Status& status) {
        EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
        const Contents before = All();
        EXPECT_EQ(before.size(), 9u);
        Put("one", "more");  // nothing was latched
        Delete("one");
        Reopen();
        EXPECT_EQ(All(), before);
      });
}

TEST_P(ReadModeTest, KeysThatCouldNotBeReadExpireLater) {
  for (int i = 0; i < 100; ++i) {
    Put(absl::StrCat(i), ValueOf(i, 100), {.ttl = absl::Seconds(1)});
  }
  clock.Advance(absl::Seconds(2));
  files_.FailAlways(kRead, DiskBroken());
  store().Merge().IgnoreError();
  files_.Heal(kRead);
  EXPECT_EQ(store().GetStatistics().keys, 100u);
  ASSERT_TRUE(store().Merge().ok());
  EXPECT_EQ(store().GetStatistics().keys, 0u);
}

TEST_P(ReadModeTest, AnOpenThatCannotReadDoesNotMiscount) {
  const Contents all = PutMany();
  const uint64_t live_bytes = store().GetStatistics().live_bytes;
  Kill();
  const DirectoryImage image = Image();
  WithEachReadFailing(
      &files_, [&] { return TryOpen(); },
      [&](const absl::Status& status) {
        if (status.ok()) {
          EXPECT_EQ(store().GetStatistics().live_bytes, live_bytes);
          EXPECT_EQ(All(), all);
          Close();
        }
        WriteDirectory(path(), image);
      });
}

TEST_P(ReadModeTest, AMergeThatCannotReadLosesNothing) {
  PutMany();
  const Contents all = PutMany();
  files_.FailAlways(kRead, DiskBroken());
  EXPECT_TRUE(absl::IsDataLoss(store().Merge({.all = true})));
  files_.Heal(kRead);
  Put("one", "more");
  Delete("one");
  EXPECT_EQ(All(), all);
  Reopen();
  ASSERT_TRUE(store().Merge({.all = true}).ok());
  EXPECT_EQ(All(), all);
}

TEST_P(ReadModeTest, AnOpenThatCannotReadChangesNothing) {
  const Contents all = PutMany();
  Close();
  files_.FailAlways(kRead, DiskBroken(), 20);
  EXPECT_FALSE(TryOpen().ok());
  files_.Heal(kRead);
  Open();
  EXPECT_EQ(All(), all);
}

}  // namespace
}  // namespace stave
