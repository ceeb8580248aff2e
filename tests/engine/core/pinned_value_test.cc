#include "stave/pinned_value.h"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

class PinnedValueTest : public StoreFixture {
 protected:
  PinnedValueTest() {
    options.segment_size_bytes = 1024;
    Open();
  }

  PinnedValue Pin(std::string_view key) {
    absl::StatusOr<PinnedValue> pinned = store().GetPinned(key);
    EXPECT_TRUE(pinned.ok()) << pinned.status();
    return *std::move(pinned);
  }
};

TEST_F(PinnedValueTest, ShowsTheValue) {
  Put("k", "value");
  Put("empty", "");
  EXPECT_EQ(Pin("k").view(), "value");
  EXPECT_EQ(Pin("empty").view(), "");
}

TEST_F(PinnedValueTest, WithoutAValueThereIsNothingToSee) {
  const PinnedValue none;
  EXPECT_EQ(none.view(), "");
}

TEST_F(PinnedValueTest, CopiesNothing) {
  Put("k", "value");
  EXPECT_EQ(Pin("k").view().data(), Pin("k").view().data());
}

TEST_F(PinnedValueTest, StaysWhenTheKeyIsChanged) {
  Put("k", "old");
  const PinnedValue pinned = Pin("k");
  for (int i = 0; i < 100; ++i) Put("k", ValueOf(i, 100));
  EXPECT_EQ(pinned.view(), "old");
  Delete("k");
  EXPECT_EQ(pinned.view(), "old");
}

TEST_F(PinnedValueTest, StaysAfterTheStoreIsGone) {
  std::vector<PinnedValue> pinned;
  for (int i = 0; i < 50; ++i) {
    Put("k", ValueOf(i, 100));
    pinned.push_back(Pin("k"));
  }
  ASSERT_TRUE(store().Close().ok());
  EXPECT_EQ(pinned[7].view(), ValueOf(7, 100));
  Close();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(pinned[static_cast<size_t>(i)].view(), ValueOf(i, 100));
  }
}

TEST_F(PinnedValueTest, StaysWhileTheStoreIsOpenedAgainAndWritten) {
  Put("k", "old");
  const PinnedValue pinned = Pin("k");
  for (int i = 0; i < 5; ++i) {
    Reopen();
    Put("k", ValueOf(i, 300));
  }
  EXPECT_EQ(pinned.view(), "old");
}

TEST_F(PinnedValueTest, CanBeMoved) {
  Put("a", "first");
  Put("b", "second");
  PinnedValue first = Pin("a");
  PinnedValue moved = std::move(first);
  EXPECT_EQ(moved.view(), "first");
  EXPECT_EQ(first.view(), "");  // NOLINT(bugprone-use-after-move)
  moved = Pin("b");
  EXPECT_EQ(moved.view(), "second");
  moved = PinnedValue();
  EXPECT_EQ(moved.view(), "");
}

TEST_F(PinnedValueTest, MayEndOnAnotherThread) {
  for (int i = 0; i < 100; ++i) Put(absl::StrCat("k", i), ValueOf(i, 100));
  std::vector<std::thread> threads;
  for (int i = 0; i < 100; ++i) {
    threads.emplace_back([pinned = Pin(absl::StrCat("k", i)), i] {
      EXPECT_EQ(pinned.view(), ValueOf(i, 100));
    });
    if (i == 50) Close();
    if (i == 50) Open();
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace stave
