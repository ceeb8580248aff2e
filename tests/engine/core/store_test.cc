#include "stave/store.h"

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

using std::string_literals::operator""s;

class StoreTest : public StoreFixture {
 protected:
  StoreTest() { Open(); }
};

TEST_F(StoreTest, WhatWasPutIsGot) {
  Put("user:1", "Alice");
  Put("user:2", "Bob");
  EXPECT_EQ(Get("user:1"), "Alice");
  EXPECT_EQ(Get("user:2"), "Bob");
}

TEST_F(StoreTest, AnAbsentKeyIsNotFound) {
  Put("user:1", "Alice");
  EXPECT_EQ(Get("user:2"), "NOT_FOUND");
  EXPECT_EQ(Get("user:"), "NOT_FOUND");
  EXPECT_EQ(Get("user:1 "), "NOT_FOUND");
}

TEST_F(StoreTest, TheLastPutCounts) {
  for (const char* value : {"1", "22", "", "4444"}) {
    Put("k", value);
    EXPECT_EQ(Get("k"), value);
  }
  Reopen();
  EXPECT_EQ(Get("k"), "4444");
}

TEST_F(StoreTest, DeleteTellsWhetherThereWasAKey) {
  EXPECT_FALSE(Delete("k"));
  Put("k", "v");
  EXPECT_TRUE(Delete("k"));
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  EXPECT_FALSE(Delete("k"));
  Put("k", "w");
  EXPECT_TRUE(Delete("k"));
}

TEST_F(StoreTest, ADeleteOfNothingWritesNothing) {
  Put("k", "v");
  const uint64_t appended = store().GetStatistics().bytes_appended;
  EXPECT_FALSE(Delete("absent"));
  EXPECT_EQ(store().GetStatistics().bytes_appended, appended);
}

TEST_F(StoreTest, DeletedKeysStayAwayAfterAReopen) {
  Put("gone", "1");
  Put("back", "1");
  Delete("gone");
  Delete("back");
  Put("back", "2");
  for (int i = 0; i < 3; ++i) {
    Reopen();
    EXPECT_EQ(All(), (Contents{{"back", "2"}}));
  }
}

TEST_F(StoreTest, KeysAndValuesAreAnyBytes) {
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  const Contents contents = {{"\0"s, "\0"s},
                             {"\0\0"s, "\n"},
                             {"\n", "\r\n"},
                             {"\xff", "\xff\xff"},
                             {"k", ""},
                             {"k\0"s, "\0\0\0"s},
                             {every_byte, every_byte + every_byte}};
  for (const auto& [key, value] : contents) Put(key, value);
  for (const auto& [key, value] : contents) EXPECT_EQ(Get(key), value);
  Reopen();
  EXPECT_EQ(All(), contents);
}

TEST_F(StoreTest, KeysOfEveryOneByteAreDifferent) {
  for (int i = 0; i < 256; ++i) {
    Put(std::string(1, static_cast<char>(i)), std::to_string(i));
  }
  Reopen();
  for (int i = 0; i < 256; ++i) {
    EXPECT_EQ(Get(std::string(1, static_cast<char>(i))), std::to_string(i));
  }
}

TEST_F(StoreTest, ValuesOfEverySizeComeBack) {
  for (int size = 0; size < 2200; size += size < 64 ? 1 : 37) {
    Put(std::to_string(size), ValueOf(size, static_cast<size_t>(size)));
  }
  Kill();
  Open();
  for (int size = 0; size < 2200; size += size < 64 ? 1 : 37) {
    EXPECT_EQ(Get(std::to_string(size)),
              ValueOf(size, static_cast<size_t>(size)));
  }
}

TEST_F(StoreTest, TheLongestKeyIsKept) {
  const std::string longest(kMaxKeyBytes, 'k');
  Put(longest, "v");
  Put(longest.substr(1), "w");
  Reopen();
  EXPECT_EQ(Get(longest), "v");
  EXPECT_EQ(Get(longest.substr(1)), "w");
  EXPECT_TRUE(Delete(longest));
}

// Every call with a key must turn `key` down, and name the limit.
void ExpectKeyIsRefused(Store& store, std::string_view key) {
  std::string value;
  WriteBatch puts, deletes;
  puts.Put("good", "v");
  puts.Put(key, "v");
  deletes.Delete(key);
  for (const absl::Status& status :
       {store.Put(key, "v"), store.Delete(key).status(),
        store.Get(key).status(), store.Get(key, &value),
        store.GetPinned(key).status(), store.Exists(key).status(),
        store.Write(puts), store.Write(deletes)}) {
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_NE(std::string(status.message()).find("65535"), std::string::npos)
        << status;
  }
}

TEST_F(StoreTest, KeysOutsideTheLimitsAreRefused) {
  Put("present", "v");
  ExpectKeyIsRefused(store(), "");
  ExpectKeyIsRefused(store(), std::string(kMaxKeyBytes + 1, 'k'));
  ExpectKeyIsRefused(store(), std::string(3 * kMaxKeyBytes, 'k'));
  EXPECT_EQ(All(), (Contents{{"present", "v"}}));
}

TEST_F(StoreTest, AValueMayBeLargerThanASegment) {
  Close();
  options.segment_size_bytes = kMinSegmentSizeBytes;
  Open();
  const std::string large = ValueOf(1, 1'000'000);
  Put("small", "s");
  Put("large", large);
  Put("after", "a");
  EXPECT_EQ(Get("large"), large);
  Reopen();
  EXPECT_EQ(All(),
            (Contents{{"after", "a"}, {"large", large}, {"small", "s"}}));
  EXPECT_TRUE(Delete("large"));
}

TEST_F(StoreTest, ReadOptionsCanLeaveTheChecksumOut) {
  Put("k", "v");
  ReadOptions unchecked;
  unchecked.verify_checksums = false;
  EXPECT_EQ(store().Get("k", unchecked).value(), "v");
  EXPECT_TRUE(absl::IsNotFound(store().Get("l", unchecked).status()));
}

TEST_F(StoreTest, DurableWritesAreOnTheDeviceBeforeTheyReturn) {
  const uint64_t before = store().GetStatistics().syncs;
  Put("k", "v", {.sync = true});
  EXPECT_EQ(store().GetStatistics().syncs, before + 1);
  Put("k", "w");
  EXPECT_EQ(store().GetStatistics().syncs, before + 1);
  EXPECT_TRUE(Delete("k", {.sync = true}));
  EXPECT_EQ(store().GetStatistics().syncs, before + 2);
  Sync();
  EXPECT_EQ(store().GetStatistics().syncs, before + 2);
}

// What an unsynced Delete took away must not come back after the answer.
TEST_F(StoreTest, ADurableDeleteOfNothingSyncsWhatItsAnswerDependsOn) {
  Put("k", "v", {.sync = true});
  const uint64_t before = store().GetStatistics().syncs;
  EXPECT_TRUE(Delete("k"));
  EXPECT_EQ(store().GetStatistics().syncs, before);
  EXPECT_FALSE(Delete("k", {.sync = true}));
  EXPECT_EQ(store().GetStatistics().syncs, before + 1);
}

TEST_F(StoreTest, WithoutASyncIntervalEveryWriteIsDurable) {
  Close();
  options.sync_interval = absl::ZeroDuration();
  Open();
  for (uint64_t i = 1; i <= 5; ++i) {
    Put("k", std::to_string(i));
    EXPECT_EQ(store().GetStatistics().syncs, i);
  }
}

// After Close.

TEST_F(StoreTest, CloseIsIdempotent) {
  Put("k", "v");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(store().Close().ok());
}

TEST_F(StoreTest, EveryCallAfterCloseIsAFailedPrecondition) {
  Put("k", "v");
  ASSERT_TRUE(store().Close().ok());
  std::string value;
  WriteBatch batch;
  batch.Put("k", "w");
  for (const absl::Status& status :
       {store().Put("k", "w"), store().Delete("k").status(),
        store().Delete("absent").status(), store().Write(batch),
        store().Write(WriteBatch()), store().Sync(), store().Get("k").status(),
        store().Get("k", &value), store().GetPinned("k").status(),
        store().Exists("k").status(), store().NewIterator().status()}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  }
  EXPECT_EQ(store().GetStatistics().keys, 1u);
  Reopen();
  EXPECT_EQ(All(), (Contents{{"k", "v"}}));
}

TEST_F(StoreTest, TheDestructorCloses) {
  Put("k", "v");
  ASSERT_TRUE(TryOpen().ok());
  EXPECT_EQ(Get("k"), "v");
  EXPECT_EQ(store().GetStatistics().bytes_cut_at_open, 0u);
}

TEST_F(StoreTest, ThreadsMayCloseAtTheSameTime) {
  Close();
  options.background_threads = true;
  options.segment_size_bytes = 4096;
  Open();
  for (int i = 0; i < 200; ++i) Put(std::to_string(i), ValueOf(i, 100));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] { EXPECT_TRUE(store().Close().ok()); });
  }
  for (std::thread& thread : threads) thread.join();
  Open();
  EXPECT_EQ(All().size(), 200u);
}

}  // namespace
}  // namespace stave
