#include "tests/model/linearizability.h"

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace stave {
namespace {

constexpr uint32_t kAbsent = Access::kAbsent;
constexpr uint32_t kPresent = Access::kPresent;

Access Put(size_t thread, uint64_t begin, uint64_t end, uint32_t value) {
  return {.thread = thread, .begin = begin, .end = end, .written = value};
}
Access Get(size_t thread, uint64_t begin, uint64_t end, uint32_t value) {
  return {.thread = thread, .begin = begin, .end = end, .found = value};
}
Access Delete(size_t thread, uint64_t begin, uint64_t end, uint32_t found) {
  Access access = {.thread = thread, .begin = begin, .end = end};
  access.found = found;
  if (found == kPresent) access.written = kAbsent;
  return access;
}
Access Maybe(Access access) {
  access.maybe = true;
  return access;
}
Access InBatch(size_t batch, Access access) {
  access.batch = batch;
  return access;
}

bool IsPossible(const std::vector<Access>& accesses) {
  return CheckKey(accesses).empty();
}
bool ArePossible(const std::vector<std::vector<Access>>& keys) {
  return CheckKeys(keys).empty();
}

TEST(LinearizabilityTest, OneAfterTheOther) {
  EXPECT_TRUE(IsPossible({Get(0, 1, 2, kAbsent), Put(0, 3, 4, 7),
                          Get(0, 5, 6, 7), Delete(0, 7, 8, kPresent),
                          Get(0, 9, 10, kAbsent), Delete(0, 11, 12, kAbsent)}));
}

TEST(LinearizabilityTest, AValueThatNobodyWrote) {
  EXPECT_FALSE(IsPossible({Get(0, 1, 2, 7)}));
  EXPECT_FALSE(IsPossible({Put(0, 1, 2, 8), Get(0, 3, 4, 7)}));
}

TEST(LinearizabilityTest, AValueThatIsWrittenLater) {
  EXPECT_FALSE(IsPossible({Get(0, 1, 2, 7), Put(0, 3, 4, 7)}));
  EXPECT_FALSE(IsPossible({Get(0, 1, 2, 7), Put(1, 3, 4, 7)}));
}

TEST(LinearizabilityTest, AnOldValueAfterANewerOneWasWritten) {
  EXPECT_FALSE(IsPossible({Put(0, 1, 2, 7), Put(0, 3, 4, 8), Get(1, 5, 6, 7)}));
  // But not if the two, or the question, overlapped.
  EXPECT_TRUE(IsPossible({Put(0, 1, 4, 7), Put(1, 2, 3, 8), Get(1, 5, 6, 7)}));
  EXPECT_TRUE(IsPossible({Put(0, 1, 2, 7), Put(0, 3, 5, 8), Get(1, 4, 6, 7)}));
}

TEST(LinearizabilityTest, AWriteThatIsLost) {
  EXPECT_FALSE(IsPossible({Put(0, 1, 2, 7), Get(1, 3, 4, kAbsent)}));
}

// One that replaced `found` by `value`.
Access Exchange(size_t thread, uint64_t begin, uint64_t end, uint32_t found,
                uint32_t value) {
  Access access = Put(thread, begin, end, value);
  access.found = found;
  return access;
}
// One that found something else, and did nothing.
Access NotFound(size_t thread, uint64_t begin, uint64_t end,
                uint32_t expected) {
  Access access = Get(thread, begin, end, expected);
  access.is_other = true;
  return access;
}

TEST(LinearizabilityTest, TwoThatReplaceTheSame) {
  EXPECT_TRUE(IsPossible(
      {Put(0, 1, 2, 7), Exchange(0, 3, 6, 7, 8), Exchange(1, 4, 5, 8, 9)}));
  EXPECT_FALSE(IsPossible(
      {Put(0, 1, 2, 7), Exchange(0, 3, 6, 7, 8), Exchange(1, 4, 5, 7, 9)}));
}

TEST(LinearizabilityTest, ARefusalForNoReason) {
  EXPECT_TRUE(IsPossible({Put(0, 1, 2, 7), NotFound(0, 3, 4, 8)}));
  EXPECT_FALSE(IsPossible({Put(0, 1, 2, 7), NotFound(0, 3, 4, 7)}));
  EXPECT_FALSE(IsPossible({NotFound(0, 1, 2, kAbsent)}));
  // But not if it was another for a while.
  EXPECT_TRUE(IsPossible({Put(0, 1, 2, 7), NotFound(0, 3, 8, 7),
                          Put(1, 4, 5, 8), Put(1, 6, 7, 7)}));
}

TEST(LinearizabilityTest, ADeleteThatIsUndone) {
  EXPECT_FALSE(IsPossible(
      {Put(0, 1, 2, 7), Delete(0, 3, 4, kPresent), Get(1, 5, 6, 7)}));
}

TEST(LinearizabilityTest, NewThenOldWhileItIsBeingWritten) {
  const Access first = Put(0, 1, 2, 7);
  const Access second = Put(0, 3, 10, 8);
  EXPECT_TRUE(IsPossible({first, second, Get(1, 4, 5, 7), Get(1, 6, 7, 8)}));
  EXPECT_FALSE(IsPossible({first, second, Get(1, 4, 5, 8), Get(1, 6, 7, 7)}));
  // By two readers too.
  EXPECT_FALSE(IsPossible({first, second, Get(1, 4, 5, 8), Get(2, 6, 7, 7)}));
  EXPECT_TRUE(IsPossible({first, second, Get(1, 4, 6, 8), Get(2, 5, 7, 7)}));
}

TEST(LinearizabilityTest, ReadersWhoDisagreeAboutTheOrder) {
  EXPECT_FALSE(IsPossible({Put(0, 1, 20, 7), Put(1, 1, 20, 8), Get(2, 2, 3, 7),
                           Get(2, 4, 5, 8), Get(3, 6, 7, 7)}));
  EXPECT_TRUE(IsPossible({Put(0, 1, 20, 7), Put(1, 1, 20, 8), Get(2, 2, 3, 7),
                          Get(2, 4, 5, 8), Get(3, 6, 7, 8)}));
}

TEST(LinearizabilityTest, TwoDeletesOfOneValue) {
  EXPECT_FALSE(IsPossible(
      {Put(0, 1, 2, 7), Delete(0, 3, 6, kPresent), Delete(1, 4, 5, kPresent)}));
  EXPECT_TRUE(IsPossible(
      {Put(0, 1, 2, 7), Delete(0, 3, 6, kPresent), Delete(1, 4, 5, kAbsent)}));
  EXPECT_FALSE(IsPossible({Put(0, 1, 2, 7), Delete(1, 3, 4, kAbsent)}));
}

TEST(LinearizabilityTest, WhetherAKeyIsThere) {
  EXPECT_TRUE(IsPossible({Put(0, 1, 2, 7), Get(1, 3, 4, kPresent)}));
  EXPECT_FALSE(IsPossible({Get(1, 3, 4, kPresent)}));
}

TEST(LinearizabilityTest, AWriteDuringWhichTheProcessWasKilled) {
  const Access killed = Maybe(Put(0, 1, 4, 7));
  EXPECT_TRUE(IsPossible({killed, Get(0, 5, 6, kAbsent)}));
  EXPECT_TRUE(IsPossible({killed, Get(0, 5, 6, 7)}));
  EXPECT_TRUE(IsPossible({killed, Get(1, 2, 3, 7), Get(0, 5, 6, 7)}));
  // It may not come later, and who has seen it may not lose it.
  EXPECT_FALSE(IsPossible({killed, Get(0, 5, 6, kAbsent), Get(0, 7, 8, 7)}));
  EXPECT_FALSE(IsPossible({killed, Get(1, 2, 3, 7), Get(0, 5, 6, kAbsent)}));
  // What was acknowledged before is not in doubt.
  EXPECT_FALSE(IsPossible(
      {Put(0, 1, 2, 7), Maybe(Put(0, 3, 4, 8)), Get(1, 5, 6, kAbsent)}));
}

TEST(LinearizabilityTest, APartOfABatch) {
  const Access a = InBatch(1, Put(0, 1, 10, 7));
  const Access b = InBatch(1, Put(0, 1, 10, 8));
  EXPECT_TRUE(ArePossible({{a, Get(1, 4, 5, 7)}, {b, Get(1, 2, 3, kAbsent)}}));
  EXPECT_TRUE(ArePossible({{a, Get(1, 2, 4, 7)}, {b, Get(2, 3, 5, kAbsent)}}));
  EXPECT_FALSE(ArePossible({{a, Get(1, 2, 3, 7)}, {b, Get(1, 4, 5, kAbsent)}}));
  EXPECT_FALSE(ArePossible({{a, Get(1, 2, 3, 7)}, {b, Get(2, 4, 5, kAbsent)}}));
  // A delete in it is a part like others.
  const Access gone =
      InBatch(1, {.thread = 0, .begin = 3, .end = 10, .written = kAbsent});
  const Access with = InBatch(1, Put(0, 3, 10, 7));
  EXPECT_FALSE(ArePossible(
      {{with, Get(1, 4, 5, 7)}, {Put(0, 1, 2, 9), gone, Get(1, 6, 7, 9)}}));
  EXPECT_TRUE(ArePossible({{with, Get(1, 4, 5, 7)},
                           {Put(0, 1, 2, 9), gone, Get(1, 6, 7, kAbsent)}}));
}

TEST(LinearizabilityTest, APartOfABatchThatWasCutShortByAKill) {
  const Access a = InBatch(1, Maybe(Put(0, 1, 4, 7)));
  const Access b = InBatch(1, Maybe(Put(0, 1, 4, 8)));
  EXPECT_TRUE(ArePossible({{a, Get(0, 5, 6, 7)}, {b, Get(0, 7, 8, 8)}}));
  EXPECT_TRUE(
      ArePossible({{a, Get(0, 5, 6, kAbsent)}, {b, Get(0, 7, 8, kAbsent)}}));
  EXPECT_FALSE(ArePossible({{a, Get(0, 5, 6, 7)}, {b, Get(0, 7, 8, kAbsent)}}));
  EXPECT_FALSE(ArePossible({{a, Get(0, 5, 6, kAbsent)}, {b, Get(0, 7, 8, 8)}}));
}

}  // namespace
}  // namespace stave
