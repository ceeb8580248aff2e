#include "tests/model/serializability.h"

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace stave {
namespace {

using Done = CommittedTransaction;
using Values = Done::Values;
constexpr size_t kX = 0, kY = 1;

bool IsPossible(const std::vector<Done>& transactions) {
  return CheckSerializable(2, transactions).empty();
}

TEST(SerializabilityTest, OneAfterTheOther) {
  EXPECT_TRUE(IsPossible({{0, 1, 2, {{kX, 0}}, {{kX, 7}}},
                          {0, 3, 4, {{kX, 7}}, {{kX, 0}, {kY, 8}}},
                          {1, 5, 6, {{kX, 0}, {kY, 8}}, {}}}));
}

TEST(SerializabilityTest, AValueThatNobodyWrote) {
  EXPECT_FALSE(IsPossible({{0, 1, 2, {{kX, 7}}, {}}}));
}

TEST(SerializabilityTest, AnOldValueAfterANewerOneWasCommitted) {
  const Done write{0, 1, 2, {}, {{kX, 7}}};
  EXPECT_FALSE(IsPossible({write, {1, 3, 4, {{kX, 0}}, {}}}));
  EXPECT_TRUE(IsPossible({{0, 1, 4, {}, {{kX, 7}}}, {1, 2, 3, {{kX, 0}}, {}}}));
}

TEST(SerializabilityTest, LostUpdates) {
  EXPECT_FALSE(IsPossible(
      {{0, 1, 4, {{kX, 0}}, {{kX, 7}}}, {1, 2, 3, {{kX, 0}}, {{kX, 8}}}}));
}

TEST(SerializabilityTest, WriteSkew) {
  const Values none{{kX, 0}, {kY, 0}};
  EXPECT_FALSE(
      IsPossible({{0, 1, 4, none, {{kX, 7}}}, {1, 2, 3, none, {{kY, 8}}}}));
  EXPECT_TRUE(IsPossible(
      {{0, 1, 4, none, {{kX, 7}}}, {1, 2, 3, {{kX, 7}}, {{kY, 8}}}}));
}

TEST(SerializabilityTest, APartOfATransaction) {
  EXPECT_FALSE(IsPossible(
      {{0, 1, 4, {}, {{kX, 7}, {kY, 7}}}, {1, 2, 3, {{kX, 7}, {kY, 0}}, {}}}));
}

// Fekete, O'Neil and O'Neil (2004): of three, one only reads, and only with it
// there is no order.
TEST(SerializabilityTest, AReaderOfWhatNoOrderLeaves) {
  const Done deposit{0, 2, 4, {}, {{kX, 7}}};
  const Done withdrawal{1, 1, 8, {{kX, 0}, {kY, 0}}, {{kY, 8}}};
  EXPECT_TRUE(IsPossible({deposit, withdrawal}));
  EXPECT_FALSE(
      IsPossible({deposit, withdrawal, {2, 5, 6, {{kX, 7}, {kY, 0}}, {}}}));
}

}  // namespace
}  // namespace stave
