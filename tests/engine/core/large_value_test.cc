#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

// Values of a gibibyte: slow, and in need of some gigabytes of memory.
class LargeValueTest : public StoreFixture {
 protected:
  LargeValueTest() { Open(); }
};

TEST_F(LargeValueTest, TheLargestValueIsKeptAcrossAReopen) {
  std::string largest(kMaxValueBytes, 'v');
  largest.front() = '<';
  largest.back() = '>';
  Put("before", "b");
  Put("largest", largest);
  Put("after", "a");
  Reopen();
  EXPECT_TRUE(store().GetPinned("largest").value().view() == largest);
  EXPECT_EQ(Get("before") + Get("after"), "ba");
  EXPECT_TRUE(Delete("largest"));
}

TEST_F(LargeValueTest, AByteMoreIsRefused) {
  const std::string too_large(kMaxValueBytes + 1, 'v');
  const absl::Status status = store().Put("k", too_large);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_NE(std::string(status.message()).find("1073741824"), std::string::npos)
      << status;
  EXPECT_EQ(store().GetStatistics().bytes_appended, 0u);
}

TEST_F(LargeValueTest, ABatchBeyondItsLimitIsRefused) {
  const std::string half(kMaxBatchBytes / 2, 'v');
  WriteBatch batch;
  batch.Put("a", half);
  batch.Put("b", half);
  const absl::Status status = store().Write(batch);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_EQ(All(), Contents());
}

}  // namespace
}  // namespace stave
