#include <cstdint>
#include <limits>
#include <optional>
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

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

class ReadModifyWriteTest : public StoreFixture {
 protected:
  ReadModifyWriteTest() { Open(); }

  // "OK", or the error's name.
  std::string Set(std::string_view key,
                  std::optional<std::string_view> expected,
                  std::string_view desired, const WriteOptions& write = {}) {
    return NameOf(store().CompareAndSet(key, expected, desired, write));
  }
  // The sum, or the error's name.
  std::string Add(std::string_view key, int64_t delta,
                  const WriteOptions& write = {}) {
    const auto sum = store().Increment(key, delta, write);
    return sum.ok() ? absl::StrCat(*sum) : NameOf(sum.status());
  }
  static std::string NameOf(const absl::Status& status) {
    return absl::StatusCodeToString(status.code());
  }
  uint64_t Appended() { return store().GetStatistics().bytes_appended; }
  void Recover() {
    Kill();
    Open();
  }
};

TEST_F(ReadModifyWriteTest, AValueIsReplacedOnlyIfItIsTheExpectedOne) {
  Put("k", "old");
  EXPECT_EQ(Set("k", "other", "new"), "ABORTED");
  EXPECT_EQ(Set("k", "", "new"), "ABORTED");
  EXPECT_EQ(Get("k"), "old");
  EXPECT_EQ(Set("k", "old", "new"), "OK");
  EXPECT_EQ(Get("k"), "new");
  EXPECT_EQ(Set("k", "old", "newer"), "ABORTED");
  Recover();
  EXPECT_EQ(Get("k"), "new");
}

TEST_F(ReadModifyWriteTest, NothingExpectedMeansAbsent) {
  EXPECT_EQ(Set("k", "", "v"), "ABORTED");
  EXPECT_EQ(Get("k"), "NOT_FOUND");
  EXPECT_EQ(Set("k", std::nullopt, ""), "OK");
  EXPECT_EQ(Get("k"), "");
  EXPECT_EQ(Set("k", std::nullopt, "v"), "ABORTED");
  EXPECT_EQ(Set("k", "", "v"), "OK");
  Delete("k");
  EXPECT_EQ(Set("k", "v", "w"), "ABORTED");
  EXPECT_EQ(Set("k", std::nullopt, "w"), "OK");
}

TEST_F(ReadModifyWriteTest, AbortedWritesNothing) {
  Put("k", "v");
  const uint64_t before = Appended();
  Set("k", "w", "x");
  Set("l", "w", "x");
  EXPECT_EQ(Appended(), before);
}

TEST_F(ReadModifyWriteTest, AnExpiredKeyIsAbsent) {
  Put("k", "v", {.ttl = absl::Seconds(1)});
  Put("n", "7", {.ttl = absl::Seconds(1)});
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(Set("k", "v", "w"), "ABORTED");
  EXPECT_EQ(Set("k", std::nullopt, "w"), "OK");
  EXPECT_EQ(Add("n", 1), "1");
  clock.Advance(absl::Hours(1));
  EXPECT_EQ(All(), (Contents{{"k", "w"}, {"n", "1"}}));
}

TEST_F(ReadModifyWriteTest, ComparingClearsTheExpiryUnlessItSetsOne) {
  Put("a", "v", {.ttl = absl::Seconds(1)});
  EXPECT_EQ(Set("a", "v", "v"), "OK");
  Put("b", "v");
  EXPECT_EQ(Set("b", "v", "w", {.ttl = absl::Seconds(2)}), "OK");
  clock.Advance(absl::Seconds(2));
  EXPECT_EQ(All(), (Contents{{"a", "v"}}));
}

TEST_F(ReadModifyWriteTest, AnAbsentKeyCountsAsZero) {
  EXPECT_EQ(Add("n", 5), "5");
  EXPECT_EQ(Add("n", -7), "-2");
  EXPECT_EQ(Add("n", 0), "-2");
  EXPECT_EQ(Get("n"), "-2");
  Recover();
  EXPECT_EQ(Get("n"), "-2");
  Delete("n");
  EXPECT_EQ(Add("n", 0), "0");
  EXPECT_EQ(Get("n"), "0");
}

TEST_F(ReadModifyWriteTest, IncrementKeepsTheExpiryUnlessItSetsOne) {
  Put("a", "1", {.ttl = absl::Seconds(2)});
  Put("b", "1", {.ttl = absl::Seconds(2)});
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(Add("a", 1), "2");
  EXPECT_EQ(Add("b", 1, {.ttl = absl::Seconds(2)}), "2");
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(All(), (Contents{{"b", "2"}}));
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(All(), Contents());
}

TEST_F(ReadModifyWriteTest, OnlyDecimalTextIsANumber) {
  for (const char* text :
       {"", " 1", "1 ", "+1", "0x1", "1.0", "1e3", "-", "--1", "one", "1\n"}) {
    Put("n", text);
    EXPECT_EQ(Add("n", 1), "INVALID_ARGUMENT") << text;
    EXPECT_EQ(Get("n"), text);
  }
  Put("n", "-0");
  EXPECT_EQ(Add("n", 1), "1");
  Put("n", "007");
  EXPECT_EQ(Add("n", 1), "8");
}

TEST_F(ReadModifyWriteTest, AnOverflowChangesNothing) {
  Put("most", absl::StrCat(kMost));
  Put("least", absl::StrCat(kLeast));
  Put("more", "9223372036854775808");
  const Contents before = All();
  const uint64_t appended = Appended();
  EXPECT_EQ(Add("most", 1), "OUT_OF_RANGE");
  EXPECT_EQ(Add("least", -1), "OUT_OF_RANGE");
  EXPECT_EQ(Add("least", kLeast), "OUT_OF_RANGE");
  EXPECT_EQ(Add("more", -1), "OUT_OF_RANGE");
  EXPECT_EQ(All(), before);
  EXPECT_EQ(Appended(), appended);
  EXPECT_EQ(Add("most", kLeast), "-1");
  EXPECT_EQ(Add("least", kMost), "-1");
}

TEST_F(ReadModifyWriteTest, LimitsAreThoseOfPut) {
  const std::string long_key(kMaxKeyBytes + 1, 'k');
  for (const std::string& key : {std::string(), long_key}) {
    EXPECT_EQ(Set(key, std::nullopt, "v"), "INVALID_ARGUMENT");
    EXPECT_EQ(Add(key, 1), "INVALID_ARGUMENT");
  }
  const WriteOptions negative = {.ttl = absl::Seconds(-1)};
  EXPECT_EQ(Set("k", std::nullopt, "v", negative), "INVALID_ARGUMENT");
  EXPECT_EQ(Add("k", 1, negative), "INVALID_ARGUMENT");
  EXPECT_EQ(All(), Contents());
}

TEST_F(ReadModifyWriteTest, NotInAReadOnlyStoreNorAfterClose) {
  Put("k", "1");
  Close();
  options.read_only = true;
  Open();
  EXPECT_EQ(Set("k", "1", "2"), "FAILED_PRECONDITION");
  EXPECT_EQ(Add("k", 1), "FAILED_PRECONDITION");
  EXPECT_EQ(Get("k"), "1");
  ASSERT_TRUE(store().Close().ok());
  EXPECT_EQ(Set("k", "1", "2"), "FAILED_PRECONDITION");
  EXPECT_EQ(Add("k", 1), "FAILED_PRECONDITION");
}

// All threads change the same few keys, each in its way, and merges move them.
class RacingReadModifyWriteTest : public StoreFixture {
 protected:
  static constexpr int kThreads = 4;
  static constexpr int kRounds = 2000;

  RacingReadModifyWriteTest() {
    options.background_threads = true;
    options.segment_size_bytes = 4096;
    Open();
  }

  template <typename Body>
  void InThreads(Body body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back(body, i);
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_F(RacingReadModifyWriteTest, NoIncrementIsLost) {
  InThreads([this](int thread) {
    for (int i = 0; i < kRounds; ++i) {
      const absl::StatusOr<int64_t> sum = store().Increment("n", 1);
      ASSERT_TRUE(sum.ok()) << sum.status();
      Put(absl::StrCat("other", thread), ValueOf(i, 50));
    }
  });
  EXPECT_EQ(Get("n"), absl::StrCat(kThreads * kRounds));
}

// Each replaces what it has just seen, so only one of two that saw the same may
// succeed; and one of them does.
TEST_F(RacingReadModifyWriteTest, OneOfThoseWhoExpectTheSameSucceeds) {
  std::vector<int> taken(kThreads);
  InThreads([&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      const std::string key = absl::StrCat("k", round % 100, "/", round / 100);
      const absl::Status status = store().CompareAndSet(
          key, std::nullopt, absl::StrCat("thread ", thread));
      ASSERT_TRUE(status.ok() || absl::IsAborted(status)) << status;
      if (status.ok()) ++taken[static_cast<size_t>(thread)];
    }
  });
  int sum = 0;
  for (const int each : taken) sum += each;
  EXPECT_EQ(sum, kRounds);
}

// Puts of the same value make a comparison begin again, and never fail it.
TEST_F(RacingReadModifyWriteTest, AbortedIsNeverSpurious) {
  Put("k", "v");
  InThreads([this](int thread) {
    for (int i = 0; i < kRounds; ++i) {
      if (thread % 2 == 0) {
        Put("k", "v");
      } else {
        const absl::Status status = store().CompareAndSet("k", "v", "v");
        ASSERT_TRUE(status.ok()) << status;
      }
    }
  });
}

}  // namespace
}  // namespace stave
