#include "engine/base/memory_range.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "gtest/gtest.h"

namespace stave {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

MemoryRange Reserve(size_t size) {
  absl::StatusOr<MemoryRange> range = MemoryRange::Reserve(size);
  EXPECT_TRUE(range.ok()) << range.status();
  return range.ok() ? *std::move(range) : MemoryRange();
}

TEST(MemoryRangeTest, ReservedMemoryIsZeroAndWritable) {
  const MemoryRange range = Reserve(3 * kMiB);
  EXPECT_EQ(range.size(), 3 * kMiB);
  for (const size_t offset : {size_t{0}, kMiB, 3 * kMiB - 1}) {
    EXPECT_EQ(range.data()[offset], 0);
    range.data()[offset] = 'x';
    EXPECT_EQ(range.data()[offset], 'x');
  }
}

TEST(MemoryRangeTest, SizesAreRoundedUpToPages) {
  const MemoryRange range = Reserve(1);
  EXPECT_GT(range.size(), 1);
  EXPECT_EQ(range.size() % 4096, 0);
  range.data()[range.size() - 1] = 'x';
}

TEST(MemoryRangeTest, LargeRangesBeginWhereHugePagesCan) {
  const MemoryRange range = Reserve(5 * kMiB);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(range.data()) % (2 * kMiB), 0);
}

TEST(MemoryRangeTest, ReleasedMemoryReadsAsZeros) {
  MemoryRange range = Reserve(4 * kMiB);
  range.PreferHugePages(0, 4 * kMiB);
  range.data()[kMiB] = 'x';
  range.data()[3 * kMiB] = 'y';
  range.Release(kMiB, kMiB);
  EXPECT_EQ(range.data()[kMiB], 0);
  EXPECT_EQ(range.data()[3 * kMiB], 'y');
  range.data()[kMiB] = 'z';
  EXPECT_EQ(range.data()[kMiB], 'z');
}

TEST(MemoryRangeTest, MovingKeepsTheMemoryWhereItIs) {
  MemoryRange range = Reserve(kMiB);
  char* const data = range.data();
  data[0] = 'x';
  MemoryRange moved(std::move(range));
  EXPECT_EQ(moved.data(), data);
  MemoryRange assigned = Reserve(kMiB);
  assigned = std::move(moved);
  EXPECT_EQ(assigned.data(), data);
  EXPECT_EQ(assigned.data()[0], 'x');
}

TEST(MemoryRangeTest, MoreThanThereAreAddressesIsResourceExhausted) {
  for (const size_t size : {std::numeric_limits<size_t>::max(),
                            std::numeric_limits<size_t>::max() / 4}) {
    EXPECT_EQ(MemoryRange::Reserve(size).status().code(),
              absl::StatusCode::kResourceExhausted);
  }
}

}  // namespace
}  // namespace stave
