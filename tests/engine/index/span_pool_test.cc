#include "engine/index/span_pool.h"

#include <cstdint>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace stave {
namespace {

class SpanPoolTest : public testing::Test {
 protected:
  uint32_t Take() {
    const absl::StatusOr<uint32_t> number = pool_.Take();
    EXPECT_TRUE(number.ok()) << number.status();
    return number.value_or(0);
  }
  // The spans from 0 on.
  void TakeMany(uint32_t spans) {
    for (uint32_t i = 0; i < spans; ++i) EXPECT_EQ(Take(), i);
  }

  SpanPool pool_;
};

TEST_F(SpanPoolTest, APoolBeginsWithoutMemory) { EXPECT_EQ(pool_.bytes(), 0); }

TEST_F(SpanPoolTest, SpansLieOneAfterAnother) {
  TakeMany(100);
  EXPECT_EQ(pool_.bytes(), 100 * kSpanBytes);
  Line* first = pool_.LineAt(0);
  Line* last = pool_.LineAt(100 * kLinesPerSpan - 1);
  first->slots[0].hash.store(1);
  last->slots[0].hash.store(2);
  EXPECT_EQ(last - first, 100 * kLinesPerSpan - 1);
}

TEST_F(SpanPoolTest, AReturnedSpanIsTakenBeforeNewOnes) {
  TakeMany(10);
  pool_.Return(7);
  EXPECT_EQ(Take(), 7);
  EXPECT_EQ(Take(), 10);
}

TEST_F(SpanPoolTest, MemoryOfReturnedSpansGoesBackButForAFew) {
  TakeMany(1000);
  for (uint32_t number = 0; number < 1000; ++number) pool_.Return(number);
  EXPECT_LE(pool_.bytes(), 4 * kSpanBytes);
}

TEST_F(SpanPoolTest, AllReturnedSpansCanBeTakenAgain) {
  TakeMany(1000);
  for (uint32_t number = 0; number < 1000; ++number) pool_.Return(number);
  std::set<uint32_t> taken;
  for (int i = 0; i < 1000; ++i) taken.insert(Take());
  EXPECT_EQ(taken.size(), 1000);
  EXPECT_EQ(*taken.rbegin(), 999);
  EXPECT_EQ(pool_.bytes(), 1000 * kSpanBytes);
}

}  // namespace
}  // namespace stave
