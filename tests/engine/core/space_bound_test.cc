#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "stave/options.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "stave/write_batch.h"
#include "tests/engine/core/merge_fixture.h"

namespace stave {
namespace {

constexpr uint64_t kMiB = 1 << 20;

struct Shape {
  int keys;
  size_t value_bytes;
  uint64_t segment_size_bytes;
  int puts;
};
void PrintTo(const Shape& shape, std::ostream* out) {
  *out << shape.keys << " keys, values of " << shape.value_bytes
       << " bytes, segments of " << shape.segment_size_bytes;
}

enum class Threads { kNone, kBackground };

// Small stores, in which a few segments are all there is between the live bytes
// and the bound. It holds after each overwrite, whatever merges are doing.
class SpaceBoundTest
    : public MergeTest,
      public testing::WithParamInterface<std::tuple<Shape, Threads, ReadMode>> {
 protected:
  SpaceBoundTest() {
    Close();
    options.background_merge = true;
    options.background_threads =
        std::get<Threads>(GetParam()) != Threads::kNone;
    options.read_mode = std::get<ReadMode>(GetParam());
    options.segment_size_bytes = shape().segment_size_bytes;
    Open();
  }

  static const Shape& shape() { return std::get<Shape>(GetParam()); }
  static std::string KeyOf(int number) { return absl::StrCat("key", number); }

  void Overwrite(int number, int version) {
    Put(KeyOf(number), ValueOf(version, shape().value_bytes));
    largest_record_ = std::max<uint64_t>(
        largest_record_, 24 + KeyOf(number).size() + shape().value_bytes);
  }
  void Load() {
    for (int i = 0; i < shape().keys; ++i) Overwrite(i, i);
  }
  // As Options::max_space_amplification has it.
  void ExpectBoundNow() {
    const Statistics now = store().GetStatistics();
    const uint64_t segment = std::clamp(
        now.live_bytes / 8, std::min(kMiB, shape().segment_size_bytes),
        shape().segment_size_bytes);
    ASSERT_LE(now.segment_bytes - now.pinned_bytes,
              now.live_bytes * 3 / 2 + 2 * std::max(segment, largest_record_))
        << "with " << now.live_bytes << " live bytes in " << now.segments
        << " segments";
  }

  uint64_t largest_record_ = 0;
};

TEST_P(SpaceBoundTest, HoldsAfterEachOverwrite) {
  std::mt19937 random(5);
  Load();
  for (int i = 0; i < shape().puts; ++i) {
    Overwrite(static_cast<int>(random() % shape().keys), i);
    ASSERT_NO_FATAL_FAILURE(ExpectBoundNow()) << "put " << i;
  }
  EXPECT_GT(Stat().merges, 0u);
}

// All that is dead is in the segments that were written last.
TEST_P(SpaceBoundTest, HoldsWhereOneKeyIsHot) {
  Load();
  for (int i = 0; i < shape().puts; ++i) {
    Overwrite(0, i);
    ASSERT_NO_FATAL_FAILURE(ExpectBoundNow()) << "put " << i;
  }
}

TEST_P(SpaceBoundTest, HoldsWhereKeysAreOverwrittenInTheirOrder) {
  Load();
  for (int i = 0; i < shape().puts; ++i) {
    Overwrite(i % shape().keys, i);
    ASSERT_NO_FATAL_FAILURE(ExpectBoundNow()) << "put " << i;
  }
}

const uint64_t kDefault = Options().segment_size_bytes;

INSTANTIATE_TEST_SUITE_P(
    Mapped, SpaceBoundTest,
    testing::Combine(testing::Values(
                         // A few hundred kilobytes in segments of a megabyte.
                         Shape{280, 1000, kDefault, 3000},
                         // As much as a segment, and some.
                         Shape{1050, 1000, kDefault, 3000},
                         Shape{500, 10, 4096, 700},  //
                         Shape{500, 10, 65536, 3000},
                         // Records as large as a segment, and larger.
                         Shape{10, 4000, 4096, 100},  //
                         Shape{20, 100'000, 4096, 40},
                         Shape{30, 100'000, kDefault, 60},
                         // More than half of one.
                         Shape{4, 700'000, kDefault, 16}),
                     testing::Values(Threads::kNone, Threads::kBackground),
                     testing::Values(ReadMode::kMap)));
INSTANTIATE_TEST_SUITE_P(
    Written, SpaceBoundTest,
    testing::Combine(testing::Values(Shape{100, 1000, 65536, 500},
                                     Shape{20, 100'000, 4096, 40}),
                     testing::Values(Threads::kNone, Threads::kBackground),
                     testing::Values(ReadMode::kPread)));

// Merges and writers that wait for one another would do so for ever.
class SpaceWaitTest : public MergeTest,
                      public testing::WithParamInterface<Threads> {
 protected:
  SpaceWaitTest() {
    Close();
    options.background_merge = true;
    options.background_threads = GetParam() != Threads::kNone;
    Open();
  }
};

TEST_P(SpaceWaitTest, BatchThatIsLargerThanTheBoundIsWritten) {
  for (int round = 0; round < 5; ++round) {
    WriteBatch batch;
    for (int i = 0; i < 1000; ++i) {
      batch.Put(absl::StrCat("key", i), ValueOf(round, 100));
    }
    Write(batch);
    PutNumbers(0, 50);
  }
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Get(absl::StrCat("key", i)), ValueOf(i, 100));
  }
  EXPECT_EQ(Get("key999"), ValueOf(4, 100));
}

TEST_P(SpaceWaitTest, WritersOfAllSizesGoOn) {
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([this, writer] {
      std::mt19937 random(static_cast<unsigned>(writer));
      for (int i = 0; i < 500; ++i) {
        const size_t size = random() % 100 == 0 ? 10'000 : random() % 300;
        Put(absl::StrCat("key", random() % 40), ValueOf(i, size));
        if (random() % 4 == 0) Delete(absl::StrCat("key", random() % 40));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_GT(Stat().merges, 0u);
}

TEST_P(SpaceWaitTest, PausesAndMergesByHandGoOn) {
  std::thread other([this] {
    for (int i = 0; i < 50; ++i) {
      store().PauseMerge();
      store().ResumeMerge();
      EXPECT_TRUE(store().Merge({.all = i % 2 == 0}).ok());
    }
  });
  for (int i = 0; i < 40; ++i) PutNumbers(0, 50);
  other.join();
  ExpectContents();
}

// The tombstones alone are more than one merge takes, so it frees nothing: what
// it writes has more headers than what it reads.
TEST_P(SpaceWaitTest, DeletesOfNearlyAllKeysFreeWhatTheyHide) {
  constexpr int kKeys = 500'000;
  Close();
  options.segment_size_bytes = kMiB;
  Open();
  store().PauseMerge();
  const auto key = [](int i) { return absl::StrCat("key", i); };
  for (int i = 0; i < kKeys; ++i) {
    ASSERT_TRUE(store().Put(key(i), "0123456789").ok());
  }
  for (int i = 0; i < kKeys; ++i) {
    if (i % 100 == 0) continue;
    ASSERT_TRUE(store().Delete(key(i)).ok());
  }
  Close();
  options.segment_size_bytes = 65536;
  Open();
  const uint64_t bound =
      Stat().live_bytes * 3 / 2 + 2 * options.segment_size_bytes;
  Put("one more", "value");
  while (Stat().segment_bytes > bound) {
    if (GetParam() == Threads::kNone) FAIL() << Stat().segment_bytes;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(Stat().keys, static_cast<uint64_t>(kKeys / 100 + 1));
}

INSTANTIATE_TEST_SUITE_P(Each, SpaceWaitTest,
                         testing::Values(Threads::kNone, Threads::kBackground));

}  // namespace
}  // namespace stave
