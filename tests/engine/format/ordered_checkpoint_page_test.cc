#include "engine/format/ordered_checkpoint_page.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

using Keys = std::vector<std::pair<std::string, uint64_t>>;

std::string PageOf(const Keys& keys) {
  OrderedCheckpointPageBuilder builder;
  for (const auto& [key, entry] : keys) builder.Add(key, entry);
  EXPECT_EQ(builder.keys(), keys.size());
  std::string bytes;
  const uint64_t size = builder.AppendTo(&bytes);
  EXPECT_EQ(size, bytes.size());
  EXPECT_EQ(builder.keys(), 0u);
  return bytes;
}

absl::Status Read(std::string_view page, uint32_t keys, Keys* read) {
  std::string last;
  return VisitOrderedCheckpointPage(page, keys,
                                    [&](const OrderedCheckpointKey& key) {
                                      last = last.substr(0, key.shared);
                                      last += key.rest;
                                      read->emplace_back(last, key.entry);
                                      return absl::OkStatus();
                                    });
}

const Keys kSome = {{"a", 1},
                    {"abc", (uint64_t{1} << 48) - 1},
                    {"abd", 3},
                    {std::string("b\0", 2), 4},
                    {std::string(65535, 'x'), 5}};

TEST(OrderedCheckpointPageTest, KeysAreReadAsTheyWereWritten) {
  Keys read;
  EXPECT_EQ(Read(PageOf(kSome), kSome.size(), &read), absl::OkStatus());
  EXPECT_EQ(read, kSome);
}

TEST(OrderedCheckpointPageTest, AKeyTakesTenBytesAndWhatItDoesNotShare) {
  EXPECT_EQ(PageOf({{"key1", 1}, {"key2", 2}}).size(), 10u + 4 + 10 + 1);
}

TEST(OrderedCheckpointPageTest, AnotherNumberOfKeysOrBytesIsDataLoss) {
  const std::string page = PageOf(kSome);
  Keys read;
  for (const uint32_t keys : {0u, 1u, 4u, 6u, 6000u, UINT32_MAX}) {
    EXPECT_TRUE(absl::IsDataLoss(Read(page, keys, &read))) << keys;
  }
  for (size_t size = 0; size < page.size(); size += 1 + size / 100) {
    EXPECT_TRUE(absl::IsDataLoss(Read(page.substr(0, size), 5, &read))) << size;
  }
  EXPECT_TRUE(absl::IsDataLoss(Read(page + "x", 5, &read)));
}

TEST(OrderedCheckpointPageTest, AnErrorOfTheVisitEndsIt) {
  int visited = 0;
  const absl::Status status = VisitOrderedCheckpointPage(
      PageOf(kSome), 5, [&](const OrderedCheckpointKey&) {
        ++visited;
        return absl::AbortedError("enough");
      });
  EXPECT_TRUE(absl::IsAborted(status));
  EXPECT_EQ(visited, 1);
}

}  // namespace
}  // namespace stave
