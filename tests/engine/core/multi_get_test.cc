#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
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

class MultiGetTest : public StoreFixture {
 protected:
  MultiGetTest() { Open(); }

  // The values in the order of the keys, or the errors' names.
  std::vector<std::string> GetAll(const std::vector<std::string>& keys) {
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    std::vector<std::string> answers(keys.size());
    std::vector<int> visits(keys.size());
    store().MultiGet(views, [&](size_t i,
                                absl::StatusOr<std::string_view> value) {
      ++visits[i];
      answers[i] = value.ok() ? std::string(*value)
                              : absl::StatusCodeToString(value.status().code());
    });
    EXPECT_EQ(visits, std::vector<int>(keys.size(), 1));
    return answers;
  }
  using Answers = std::vector<std::string>;

  template <typename IsDeleted>
  void ReadWhileBatchesGoOn(IsDeleted is_deleted);
};

TEST_F(MultiGetTest, EachKeyHasItsAnswer) {
  Put("a", "1");
  Put("b", "");
  Put("gone", "x");
  Delete("gone");
  Put("expired", "x", {.ttl = absl::Seconds(1)});
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(GetAll({"b", "none", "a", "gone", "a", "expired"}),
            (Answers{"", "NOT_FOUND", "1", "NOT_FOUND", "1", "NOT_FOUND"}));
  EXPECT_EQ(GetAll({}), Answers());
}

TEST_F(MultiGetTest, AWrongKeySpoilsNoOther) {
  Put("a", "1");
  EXPECT_EQ(GetAll({"", "a", std::string(kMaxKeyBytes + 1, 'k')}),
            (Answers{"INVALID_ARGUMENT", "1", "INVALID_ARGUMENT"}));
}

TEST_F(MultiGetTest, AnswersAsGetDoesWhateverTheNumber) {
  options.segment_size_bytes = 4096;
  Reopen();
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    Put(absl::StrCat(i), ValueOf(i, random() % 300));
    if (i % 3 == 0) Delete(absl::StrCat(i / 2));
  }
  for (const size_t count : {1, 15, 16, 17, 33, 700}) {
    Answers keys, expected;
    for (size_t i = 0; i < count; ++i) {
      keys.push_back(absl::StrCat(random() % 600));
      const auto value = store().Get(keys.back());
      expected.push_back(value.ok() ? *value : "NOT_FOUND");
    }
    EXPECT_EQ(GetAll(keys), expected);
  }
}

TEST_F(MultiGetTest, AfterCloseEachKeyIsToldSo) {
  Put("a", "1");
  ASSERT_TRUE(store().Close().ok());
  EXPECT_EQ(GetAll({"a", "b"}),
            (Answers{"FAILED_PRECONDITION", "FAILED_PRECONDITION"}));
}

TEST_F(MultiGetTest, TheVisitorMayCallTheStore) {
  options.segment_size_bytes = 512;
  Reopen();
  for (int i = 0; i < 50; ++i) Put(absl::StrCat(i), ValueOf(i, 100));
  std::vector<std::string> keys;
  for (int i = 0; i < 50; ++i) keys.push_back(absl::StrCat(i));
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  store().MultiGet(views,
                   [&](size_t i, absl::StatusOr<std::string_view> value) {
                     // What comes later in the row is what it was at first.
                     for (const std::string& key : keys) Put(key, "new");
                     ASSERT_TRUE(store().Merge({.all = true}).ok());
                     ASSERT_TRUE(value.ok()) << value.status();
                     EXPECT_EQ(*value, ValueOf(static_cast<int>(i), 100));
                   });
  EXPECT_EQ(Get("7"), "new");
}

// A writer changes all keys by batches, of which batch n deletes the keys whose
// number `is_deleted(n, number)` says: whoever reads them together sees one
// batch's.
template <typename IsDeleted>
void MultiGetTest::ReadWhileBatchesGoOn(IsDeleted is_deleted) {
  Close();
  options.background_threads = true;
  options.segment_size_bytes = 8192;
  Open();
  constexpr int kBatches = 3000;
  std::vector<std::string> keys;
  for (int i = 0; i < 40; ++i) keys.push_back(absl::StrCat("key", i));
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int number = 0; number < kBatches; ++number) {
      WriteBatch batch;
      for (int i = 0; const std::string& key : keys) {
        is_deleted(number, i++) ? batch.Delete(key)
                                : batch.Put(key, absl::StrCat(number));
      }
      Write(batch);
    }
    stop = true;
  });
  while (!stop && !HasFailure()) {
    const Answers answers = GetAll(keys);
    std::set<std::string> numbers(answers.begin(), answers.end());
    numbers.erase("NOT_FOUND");
    EXPECT_LE(numbers.size(), 1u);
    if (numbers.empty()) continue;  // before the first batch
    const int number = std::stoi(*numbers.begin());
    for (int i = 0; const std::string& answer : answers) {
      EXPECT_EQ(answer == "NOT_FOUND", is_deleted(number, i)) << number;
      ++i;
    }
  }
  writer.join();
}

TEST_F(MultiGetTest, SeesOneInstantWhileBatchesPut) {
  ReadWhileBatchesGoOn([](int, int) { return false; });
}

TEST_F(MultiGetTest, SeesOneInstantWhileBatchesPutAndDelete) {
  ReadWhileBatchesGoOn([](int number, int i) { return (number + i) % 3 == 0; });
}

// Single writes, too: each key is put only when the one before it has been, so
// a key without the one before it was never there.
TEST_F(MultiGetTest, SeesOneInstantWhileSingleWritesGoOn) {
  Close();
  options.background_threads = true;
  Open();
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int round = 0; round < 3000; ++round) {
      for (const char* key : {"a", "b", "c", "d"}) Put(key, "v");
      for (const char* key : {"d", "c", "b", "a"}) Delete(key);
    }
    stop = true;
  });
  while (!stop && !HasFailure()) {
    const Answers answers = GetAll({"d", "a", "c", "b"});
    const bool d = answers[0] == "v", a = answers[1] == "v",
               c = answers[2] == "v", b = answers[3] == "v";
    ASSERT_TRUE((a || !b) && (b || !c) && (c || !d)) << a << b << c << d;
  }
  writer.join();
}

}  // namespace
}  // namespace stave
