#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

class BatchTest : public StoreFixture {
 protected:
  BatchTest() { Open(); }

  uint64_t Appended() { return store().GetStatistics().bytes_appended; }
};

TEST_F(BatchTest, PutsAndDeletesAreAllApplied) {
  Put("old", "1");
  Put("kept", "1");
  WriteBatch batch;
  batch.Put("new", "2");
  batch.Delete("old");
  batch.Put("empty", "");
  batch.Delete("never there");
  Write(batch);
  const Contents expected = {{"empty", ""}, {"kept", "1"}, {"new", "2"}};
  EXPECT_EQ(All(), expected);
  Reopen();
  EXPECT_EQ(All(), expected);
  Kill();
  Open();
  EXPECT_EQ(All(), expected);
}

TEST_F(BatchTest, OfTheSameKeyTheLastOperationCounts) {
  WriteBatch batch;
  batch.Put("put twice", "1");
  batch.Put("put twice", "2");
  batch.Put("deleted", "1");
  batch.Delete("deleted");
  batch.Delete("put after all");
  batch.Put("put after all", "1");
  Write(batch);
  const Contents expected = {{"put after all", "1"}, {"put twice", "2"}};
  EXPECT_EQ(All(), expected);
  EXPECT_EQ(Get("deleted"), "NOT_FOUND");
  Kill();
  Open();
  EXPECT_EQ(All(), expected);
}

TEST_F(BatchTest, AnEmptyBatchWritesNothing) {
  const uint64_t before = Appended();
  Write(WriteBatch());
  EXPECT_EQ(Appended(), before);
}

TEST_F(BatchTest, ADurableEmptyBatchSyncsWhatWasBefore) {
  Put("k", "v");
  Write(WriteBatch(), {.sync = true});
  EXPECT_EQ(store().GetStatistics().syncs, 1u);
}

TEST_F(BatchTest, ABatchCanBeUsedAgain) {
  WriteBatch batch;
  batch.Put("a", "1");
  Write(batch);
  Write(batch);
  batch.Clear();
  EXPECT_EQ(batch.size(), 0u);
  EXPECT_EQ(batch.byte_size(), 0u);
  batch.Put("b", "2");
  Write(batch);
  EXPECT_EQ(All(), (Contents{{"a", "1"}, {"b", "2"}}));
}

TEST_F(BatchTest, ABatchKnowsWhatItHolds) {
  WriteBatch batch;
  batch.Put("key", "value", absl::Seconds(1));
  batch.Delete("gone");
  batch.PutUntil("k", "", absl::UnixEpoch());
  EXPECT_EQ(batch.size(), 3u);
  EXPECT_EQ(batch.byte_size(), 13u);
  EXPECT_EQ(batch.operation(0).key, "key");
  EXPECT_EQ(batch.operation(0).value, "value");
  EXPECT_EQ(batch.operation(0).ttl, absl::Seconds(1));
  EXPECT_TRUE(batch.operation(1).is_delete);
  EXPECT_EQ(batch.operation(1).key, "gone");
  EXPECT_EQ(batch.operation(2).expire_at, absl::UnixEpoch());
}

TEST_F(BatchTest, ABatchKeepsCopies) {
  WriteBatch batch;
  {
    std::string key = "key", value = "value";
    batch.Put(key, value);
    key = "xxx";
    value = "xxxxx";
  }
  const WriteBatch copy = batch;
  batch.Clear();
  Write(copy);
  EXPECT_EQ(All(), (Contents{{"key", "value"}}));
}

TEST_F(BatchTest, ARefusedOperationRefusesTheWholeBatch) {
  WriteBatch no_key, long_key, bad_ttl;
  for (WriteBatch* batch : {&no_key, &long_key, &bad_ttl}) {
    batch->Put("good", "v");
  }
  no_key.Delete("");
  long_key.Put(std::string(kMaxKeyBytes + 1, 'k'), "v");
  bad_ttl.Put("k", "v", absl::ZeroDuration());
  for (WriteBatch* batch : {&no_key, &long_key, &bad_ttl}) {
    batch->Put("good too", "v");
    const absl::Status status = store().Write(*batch);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  }
  EXPECT_EQ(All(), Contents());
  EXPECT_EQ(Appended(), 0u);
}

TEST_F(BatchTest, ABatchThatDoesNotFitGoesToTheNextSegment) {
  options.segment_size_bytes = 1024;
  Reopen();
  Contents expected;
  for (int i = 0; i < 50; ++i) {
    WriteBatch batch;
    for (int j = 0; j < 5; ++j) {
      const std::string key = absl::StrCat("k", (i + j * 13) % 60);
      batch.Put(key, ValueOf(i, 40));
      expected[key] = ValueOf(i, 40);
    }
    Write(batch);
  }
  EXPECT_EQ(All(), expected);
  for (const std::string& name : SegmentNames(Image())) {
    EXPECT_LE(Image().at(name).size(), 1024u);
  }
  Kill();
  Open();
  EXPECT_EQ(All(), expected);
  EXPECT_EQ(store().GetStatistics().bytes_cut_at_open, 0u);
}

TEST_F(BatchTest, ABatchMayBeLargerThanASegment) {
  options.segment_size_bytes = kMinSegmentSizeBytes;
  Reopen();
  WriteBatch batch;
  Contents expected;
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = absl::StrCat("key", i);
    expected[key] = std::to_string(i);
    batch.Put(key, expected[key]);
  }
  Put("before", "");
  Write(batch);
  Put("after", "");
  expected["before"] = expected["after"] = "";
  EXPECT_EQ(SegmentNames(Image()).size(), 3u);
  Kill();
  Open();
  EXPECT_EQ(All(), expected);
}

// Readers beside a writer of batches that give all keys the same value. Who
// has seen a batch in one key must see it, or a later one, in the others.
TEST_F(BatchTest, ReadersSeeAllOfABatchOrNothingOfIt) {
  constexpr int kKeys = 8;
  constexpr int kBatches = 3000;
  const auto write = [this](int number) {
    WriteBatch batch;
    for (int i = 0; i < kKeys; ++i) {
      batch.Put(absl::StrCat("key", i), std::to_string(number));
    }
    Write(batch);
  };
  write(0);
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&] {
      int seen = 0;
      for (int i = 0; !done; i = (i + 3) % kKeys) {
        const int now = std::stoi(store().Get(absl::StrCat("key", i)).value());
        ASSERT_GE(now, seen);
        seen = now;
      }
    });
  }
  for (int number = 1; number <= kBatches; ++number) write(number);
  done = true;
  for (std::thread& reader : readers) reader.join();
}

// One of two keys is there at any time.
TEST_F(BatchTest, IteratorsSeeAKeyThatABatchMovesOnce) {
  Put("left", "v");
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) ASSERT_EQ(All().size(), 1u);
  });
  for (int i = 0; i < 2000; ++i) {
    WriteBatch batch;
    const bool to_right = i % 2 == 0;
    batch.Delete(to_right ? "left" : "right");
    batch.Put(to_right ? "right" : "left", "v");
    Write(batch);
  }
  done = true;
  reader.join();
}

}  // namespace
}  // namespace stave
