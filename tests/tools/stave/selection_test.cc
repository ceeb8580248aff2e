#include "tools/stave/selection.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/tools/stave/random_bytes.h"

namespace stave::tool {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

class SelectionTest : public testing::Test {
 protected:
  SelectionTest() {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open(directory_.path() + "/store");
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  void Put(const std::string& key, const std::string& value) {
    EXPECT_TRUE(store_->Put(key, value).ok());
    model_[key] = value;
  }
  Pairs Selected(const Selection& selection) {
    Pairs pairs;
    const absl::Status status =
        VisitRecords(*store_, selection, [&pairs](const Record& record) {
          pairs.emplace_back(record.key, record.value);
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return pairs;
  }
  // What should be selected, in byte order and without a limit.
  Pairs Expected(const Selection& selection) const {
    Pairs pairs;
    for (const auto& [key, value] : model_) {
      if (selection.glob.has_value() && !selection.glob->Matches(key)) continue;
      if (!key.starts_with(selection.prefix) || key < selection.from) continue;
      if (!selection.to.empty() && key >= selection.to) continue;
      pairs.emplace_back(key, value);
    }
    return pairs;
  }

  const TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
  std::map<std::string, std::string> model_;
};

TEST_F(SelectionTest, SelectsWhatFitsAllThatIsSaid) {
  RandomBytes random(30);
  for (int i = 0; i < 300; ++i) {
    Put(random.Text(1 + random.Number(4), "abc"), random.Text(5));
  }
  for (int i = 0; i < 500; ++i) {
    Selection selection;
    if (random.Number(1) == 0) {
      selection.glob.emplace(random.Text(random.Number(4), "abc*?"));
    }
    selection.prefix = random.Text(random.Number(2), "abc");
    selection.from = random.Text(random.Number(2), "abc");
    selection.to = random.Text(random.Number(2), "abc");
    Pairs unsorted = Selected(selection);
    std::sort(unsorted.begin(), unsorted.end());
    ASSERT_EQ(unsorted, Expected(selection)) << "in round " << i;
    selection.sort = true;
    ASSERT_EQ(Selected(selection), Expected(selection)) << "in round " << i;
  }
}

TEST_F(SelectionTest, ALimitTakesTheLeastWhereItIsSorted) {
  RandomBytes random(31);
  for (int i = 0; i < 100; ++i) Put(random.Text(3), random.Text(3));
  Selection selection;
  selection.sort = true;
  for (const size_t limit : {1, 2, 50, 99, 100, 101}) {
    selection.limit = limit;
    Pairs expected = Expected(selection);
    expected.resize(std::min(limit, expected.size()));
    EXPECT_EQ(Selected(selection), expected) << limit;
  }
}

TEST_F(SelectionTest, ALimitEndsTheVisitWhereItIsNotSorted) {
  for (const char* key : {"a", "b", "c"}) Put(key, "");
  Selection selection;
  for (const size_t limit : {0, 1, 2, 3, 4}) {
    selection.limit = limit;
    EXPECT_EQ(Selected(selection).size(), std::min<size_t>(limit, 3));
  }
}

TEST_F(SelectionTest, TheVisitorsErrorEndsTheVisit) {
  for (const char* key : {"a", "b", "c"}) Put(key, "");
  for (const bool sort : {false, true}) {
    Selection selection;
    selection.sort = sort;
    int visited = 0;
    const absl::Status status =
        VisitKeys(*store_, selection, [&visited](const Record&) {
          return ++visited == 2 ? absl::AbortedError("enough")
                                : absl::OkStatus();
        });
    EXPECT_EQ(status, absl::AbortedError("enough"));
    EXPECT_EQ(visited, 2);
  }
}

}  // namespace
}  // namespace stave::tool
