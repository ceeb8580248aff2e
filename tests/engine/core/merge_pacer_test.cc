#include "engine/core/merge_pacer.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

constexpr absl::Duration kSecond = absl::Seconds(1);

// Works for a second a piece, and pauses as it is told.
class Worker {
 public:
  explicit Worker(uint64_t bytes_per_second) : pacer_(bytes_per_second) {}

  absl::Duration PauseAfter(uint64_t bytes, double urgency = 0,
                            bool rests = false) {
    now_ += kSecond;
    const absl::Duration pause =
        pacer_.PauseAfter({bytes, kSecond, now_, urgency, rests});
    now_ += pause;
    return pause;
  }
  void DoNothingFor(absl::Duration time) { now_ += time; }

 private:
  MergePacer pacer_;
  absl::Duration now_ = absl::Hours(5);
};

TEST(MergePacerTest, RestsAsLongAsItHasWorkedAndLessTheMoreUrgentItIs) {
  Worker worker(0);
  EXPECT_EQ(worker.PauseAfter(100, 0, /*rests=*/true), kSecond);
  EXPECT_EQ(worker.PauseAfter(100, 0.75, /*rests=*/true), kSecond / 4);
  EXPECT_EQ(worker.PauseAfter(100, 1, /*rests=*/true), absl::ZeroDuration());
}

TEST(MergePacerTest, WhatSomebodyWaitsForDoesNotRest) {
  EXPECT_EQ(Worker(0).PauseAfter(100), absl::ZeroDuration());
}

TEST(MergePacerTest, NoMoreBytesASecondThanTheLimit) {
  Worker worker(100);
  EXPECT_EQ(worker.PauseAfter(50), absl::ZeroDuration());
  EXPECT_EQ(worker.PauseAfter(100), absl::ZeroDuration());
  EXPECT_EQ(worker.PauseAfter(300), 2 * kSecond);
  EXPECT_EQ(worker.PauseAfter(150), kSecond / 2);
}

TEST(MergePacerTest, TimeThatWasNotUsedIsNotMadeUpFor) {
  Worker worker(100);
  worker.PauseAfter(100);
  worker.DoNothingFor(absl::Hours(1));
  EXPECT_EQ(worker.PauseAfter(300), 2 * kSecond);
}

TEST(MergePacerTest, TheLongerOfTwoPausesCounts) {
  EXPECT_EQ(Worker(100).PauseAfter(150, 0, /*rests=*/true), kSecond);
  EXPECT_EQ(Worker(100).PauseAfter(400, 0, /*rests=*/true), 3 * kSecond);
}

TEST(MergePacerTest, TheBoundGoesBeforeTheLimit) {
  Worker worker(100);
  EXPECT_EQ(worker.PauseAfter(1000, 1), absl::ZeroDuration());
  // That is not owed later.
  EXPECT_EQ(worker.PauseAfter(200, 0.5), kSecond);
}

}  // namespace
}  // namespace stave
