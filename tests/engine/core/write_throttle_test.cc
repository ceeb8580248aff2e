#include "engine/core/write_throttle.h"

#include <atomic>
#include <thread>

#include "absl/time/time.h"
#include "engine/base/steady_time.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

// Each writer is a thread of its own, since what is owed is a thread's.
class WriteThrottleTest : public testing::Test {
 protected:
  void Write(uint64_t bytes, int times = 1) {
    std::thread writer([&] {
      for (int i = 0; i < times; ++i) throttle_.Admit(bytes);
    });
    writer.join();
  }

  WriteThrottle throttle_;
};

TEST_F(WriteThrottleTest, WhereNothingIsAskedNobodyWaits) {
  EXPECT_FALSE(throttle_.is_on());
  Write(1'000'000);
  EXPECT_EQ(throttle_.counters().writes, 0u);
  EXPECT_EQ(throttle_.counters().delayed, absl::ZeroDuration());
}

TEST_F(WriteThrottleTest, EachByteTakesItsTime) {
  throttle_.Set(/*delay_ns_per_byte=*/100, /*blocked=*/false);
  EXPECT_TRUE(throttle_.is_on());
  const int64_t begin_ns = SteadyNowNs();
  Write(10'000);
  EXPECT_GE(SteadyNowNs() - begin_ns, 1'000'000);
  EXPECT_GE(throttle_.counters().delayed, absl::Milliseconds(1));
}

// So that few writes wait, and the processor is free while one does.
TEST_F(WriteThrottleTest, SmallDelaysAreWaitedForTogether) {
  throttle_.Set(/*delay_ns_per_byte=*/1, /*blocked=*/false);
  Write(/*bytes=*/10'000, /*times=*/99);
  EXPECT_EQ(throttle_.counters().writes, 0u);
  Write(/*bytes=*/10'000, /*times=*/100);
  EXPECT_EQ(throttle_.counters().writes, 1u);
  EXPECT_GE(throttle_.counters().delayed, absl::Milliseconds(1));
}

TEST_F(WriteThrottleTest, TheLongestWaitIsThatOfOneWrite) {
  throttle_.Set(/*delay_ns_per_byte=*/1, /*blocked=*/false);
  Write(1'000'000);
  const absl::Duration first = throttle_.counters().longest;
  EXPECT_EQ(first, throttle_.counters().delayed);
  for (int i = 0; i < 5; ++i) Write(1'000'000);
  EXPECT_EQ(throttle_.counters().writes, 6u);
  EXPECT_GE(throttle_.counters().longest, first);
  EXPECT_LT(throttle_.counters().longest, throttle_.counters().delayed);
}

TEST_F(WriteThrottleTest, WhoIsBlockedWaitsUntilThatEnds) {
  throttle_.Set(/*delay_ns_per_byte=*/0, /*blocked=*/true);
  std::atomic<bool> written{false};
  std::thread writer([&] {
    throttle_.Admit(1);
    written = true;
  });
  for (int i = 0; i < 1000; ++i) {
    throttle_.Set(/*delay_ns_per_byte=*/0, /*blocked=*/true);
    EXPECT_FALSE(written);
  }
  throttle_.Release();
  writer.join();
  EXPECT_FALSE(throttle_.is_on());
}

TEST_F(WriteThrottleTest, WhoWaitsMayGiveUp) {
  throttle_.Set(/*delay_ns_per_byte=*/0, /*blocked=*/true);
  int asked = 0;
  EXPECT_FALSE(throttle_.AwaitUnblocked(absl::Milliseconds(1),
                                        [&asked] { return ++asked == 3; }));
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(throttle_.counters().writes, 1u);
  EXPECT_GE(throttle_.counters().longest, absl::Milliseconds(3));
  EXPECT_TRUE(throttle_.AwaitUnblocked(absl::Milliseconds(1), [this] {
    throttle_.Release();
    return false;
  }));
}

}  // namespace
}  // namespace stave
