#include "tools/stave/shell_completion.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave::tool {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

class ShellCompletionTest : public testing::Test {
 protected:
  ShellCompletionTest() {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open(directory_.path() + "/store");
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    for (const char* key :
         {"user:1", "user:2", "other", "user 3", "user\n4", "user\"5"}) {
      EXPECT_TRUE(store_->Put(key, "").ok());
    }
  }
  std::vector<std::string> Completed(std::string_view before,
                                     std::string_view word) {
    return Completions(*store_, before, word);
  }

  const TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
};

TEST_F(ShellCompletionTest, TheFirstWordIsACommand) {
  EXPECT_THAT(Completed("", "S"),
              UnorderedElementsAre("SET", "SCAN", "SNAPSHOT", "STAT"));
  EXPECT_THAT(Completed("  ", "GE"), UnorderedElementsAre("GET"));
  EXPECT_THAT(Completed("", "user"), IsEmpty());
}

TEST_F(ShellCompletionTest, CommandsAreCompletedInTheCaseTyped) {
  EXPECT_THAT(Completed("", "exi"), UnorderedElementsAre("exists", "exit"));
  EXPECT_THAT(Completed("", "Exi"), UnorderedElementsAre("exists", "exit"));
}

TEST_F(ShellCompletionTest, TheSecondWordIsAKeyThatNeedsNoQuotes) {
  EXPECT_THAT(Completed("GET ", "us"),
              UnorderedElementsAre("user:1", "user:2"));
  EXPECT_THAT(Completed("get ", ""),
              UnorderedElementsAre("user:1", "user:2", "other"));
  EXPECT_THAT(Completed("get ", "none"), IsEmpty());
}

TEST_F(ShellCompletionTest, OnlySomeCommandsTakeMoreKeys) {
  EXPECT_THAT(Completed("delete user:1 ", "o"), UnorderedElementsAre("other"));
  EXPECT_THAT(Completed("EXISTS a b c ", "o"), UnorderedElementsAre("other"));
  EXPECT_THAT(Completed("MGET a b ", "o"), UnorderedElementsAre("other"));
  EXPECT_THAT(Completed("set user:1 ", "o"), IsEmpty());
  EXPECT_THAT(Completed("get \"user ", "o"), IsEmpty());
}

TEST_F(ShellCompletionTest, ThereAreNotMoreThanFitAScreenOrTwo) {
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(store_->Put("many" + std::to_string(i), "").ok());
  }
  EXPECT_EQ(Completed("get ", "many").size(), 200u);
}

}  // namespace
}  // namespace stave::tool
