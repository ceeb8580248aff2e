#include "benchmarks/workload/workload.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/workload/random_choice.h"
#include "benchmarks/workload/records.h"
#include "benchmarks/workload/runner.h"
#include "benchmarks/workload/subject.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "stave/latency_histogram.h"

namespace stave::bench {
namespace {

using testing::HasSubstr;

// A store that can be made to answer wrongly.
class MapSubject : public Subject {
 public:
  absl::Status Put(std::string_view key, std::string_view value,
                   bool /*durable*/) override {
    const std::lock_guard lock(mutex_);
    map_[std::string(key)] = value;
    return absl::OkStatus();
  }
  absl::Status Get(std::string_view key, std::string* value) override {
    const std::lock_guard lock(mutex_);
    const auto found = map_.find(key);
    if (found == map_.end()) return absl::NotFoundError("");
    *value = found->second;
    return absl::OkStatus();
  }
  absl::Status Delete(std::string_view key) override {
    const std::lock_guard lock(mutex_);
    map_.erase(std::string(key));
    return absl::OkStatus();
  }
  absl::Status Scan(VisitRecord visit) override { return ScanFrom("", visit); }
  absl::Status ScanFrom(std::string_view from, VisitRecord visit) override {
    const std::lock_guard lock(mutex_);
    for (auto i = map_.lower_bound(from); i != map_.end(); ++i) {
      if (!visit(i->first, i->second)) break;
    }
    return absl::OkStatus();
  }
  absl::Status Close() override { return absl::OkStatus(); }

  std::map<std::string, std::string, std::less<>>& map() { return map_; }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> map_;
};

constexpr uint64_t kKeys = 3000;

Workload Named(std::string_view name) {
  return ParseWorkloads(name, /*with_order=*/true)->front();
}

class RunnerTest : public testing::Test {
 protected:
  absl::Status Run(std::string_view name) {
    return runner_.Run(Named(name)).status();
  }

  MapSubject store_;
  Runner runner_{{.keys = kKeys, .value_bytes = 100, .threads = 3}, &store_};
};

TEST_F(RunnerTest, EveryWorkloadDoesItsOperationsAndFindsNothingWrong) {
  for (const Workload& workload : AllWorkloads(/*with_order=*/true)) {
    if (workload.fills) store_.map().clear();
    const absl::StatusOr<Measurement> measured = runner_.Run(workload);
    ASSERT_TRUE(measured.ok()) << workload.name << measured.status();
    EXPECT_GT(measured->latencies.count(), 0) << workload.name;
    if (workload.operations_per_key == 1 && workload.name != "scan") {
      EXPECT_EQ(measured->operations, kKeys) << workload.name;
    }
  }
  EXPECT_LT(store_.map().size(), kKeys);  // what was inserted, and not deleted
}

TEST_F(RunnerTest, FillsPutEachKeyOnce) {
  for (const char* name : {"fill", "fillrandom"}) {
    store_.map().clear();
    ASSERT_TRUE(Run(name).ok());
    ASSERT_EQ(store_.map().size(), kKeys);
    EXPECT_EQ(store_.map().begin()->first, Key(0).view());
    EXPECT_EQ(store_.map().rbegin()->first, Key(kKeys - 1).view());
  }
}

TEST_F(RunnerTest, AWrongByteIsFoundByWhateverReads) {
  ASSERT_TRUE(Run("fill").ok());
  for (auto& [key, value] : store_.map()) value.back() ^= 1;
  for (const char* name :
       {"read", "readzipf", "multiget", "ycsb-d", "ycsb-e", "scan", "range"}) {
    EXPECT_TRUE(absl::IsDataLoss(Run(name))) << name;
  }
}

TEST_F(RunnerTest, AKeyThatIsMissingIsFound) {
  ASSERT_TRUE(Run("fill").ok());
  store_.map().erase(std::string(Key(kKeys / 2).view()));
  EXPECT_TRUE(absl::IsDataLoss(Run("scan")));
}

TEST_F(RunnerTest, OnesThatNeedKeysAreGivenThem) {
  EXPECT_TRUE(Run("read").ok());
  EXPECT_TRUE(Run("delete").ok());
  EXPECT_EQ(store_.map().size(), 0);
  EXPECT_TRUE(Run("scan").ok());
  EXPECT_EQ(store_.map().size(), kKeys);
}

TEST(WorkloadTest, UnknownNamesAreRefusedWithAListOfTheKnown) {
  const absl::Status status = ParseWorkloads("read,x", true).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("'x'; there are fill,"));
  EXPECT_TRUE(ParseWorkloads("range", /*with_order=*/true).ok());
  EXPECT_FALSE(ParseWorkloads("range", /*with_order=*/false).ok());
}

TEST(ShuffleTest, EachNumberHasOnePlace) {
  for (const uint64_t count : {1, 2, 3, 1000, 4097}) {
    const Shuffle shuffle(count, /*seed=*/7);
    std::vector<bool> seen(count);
    for (uint64_t i = 0; i < count; ++i) {
      ASSERT_LT(shuffle(i), count);
      EXPECT_FALSE(seen[shuffle(i)]);
      seen[shuffle(i)] = true;
    }
  }
}

TEST(ZipfTest, TheFirstComesAsOftenAsItShould) {
  constexpr int kDraws = 100'000;
  const Zipf zipf(1000);
  Random random(1);
  std::vector<int> drawn(1000);
  for (int i = 0; i < kDraws; ++i) ++drawn.at(zipf(random));
  double weights = 0;
  for (int k = 1; k <= 1000; ++k) weights += std::pow(k, -0.99);
  for (const int k : {1, 2, 10}) {
    const double expected = kDraws * std::pow(k, -0.99) / weights;
    EXPECT_NEAR(drawn[k - 1], expected, 5 * std::sqrt(expected)) << k;
  }
}

TEST(ValuesTest, AValueIsItsOwnKeysAndNoOthers) {
  for (const size_t bytes : {1, 15, 16, 100, 5000}) {
    const Values values(bytes);
    std::string value;
    values.Make(5, /*version=*/9, &value);
    EXPECT_EQ(value.size(), bytes);
    EXPECT_TRUE(values.IsOf(5, value));
    EXPECT_FALSE(values.IsOf(6, value)) << bytes;
    EXPECT_FALSE(values.IsOf(5, value.substr(1)));
    value.back() ^= 1;
    EXPECT_FALSE(values.IsOf(5, value)) << bytes;
  }
}

TEST(KeyTest, KeysAreInTheOrderOfTheirIndexes) {
  EXPECT_EQ(Key(0x1234).view(), "0000000000002468");
  EXPECT_EQ(IndexOf(Key(0x1234).view()), 0x1234);
  EXPECT_LT(Key(9).view(), Key::Absent(9).view());
  EXPECT_LT(Key::Absent(9).view(), Key(10).view());
  EXPECT_EQ(IndexOf(Key::Absent(9).view()), std::nullopt);
  EXPECT_EQ(IndexOf("000000000000246g"), std::nullopt);
}

TEST(LatencyHistogramTest, QuantilesAreRightToAThirtySecond) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.Quantile(0.5), 0);
  for (uint64_t i = 1; i <= 100'000; ++i) histogram.Add(i);
  for (const double share : {0.001, 0.5, 0.99, 0.999}) {
    const double exact = share * 100'000;
    EXPECT_GE(histogram.Quantile(share), exact);
    EXPECT_LE(histogram.Quantile(share), exact * (1 + 1.0 / 32) + 1);
  }
  EXPECT_EQ(histogram.Quantile(1), 100'000);
  histogram.Add(UINT64_MAX);
  EXPECT_EQ(histogram.Quantile(1), UINT64_MAX);
}

TEST(LatencyHistogramTest, ShortDurationsAreExact) {
  LatencyHistogram histogram;
  for (uint64_t i = 0; i < 64; ++i) histogram.Add(i);
  EXPECT_EQ(histogram.Quantile(0.5), 31);
  LatencyHistogram other;
  other.Add(histogram);
  EXPECT_EQ(other.Quantile(1), 63);
  EXPECT_EQ(other.count(), 64);
}

}  // namespace
}  // namespace stave::bench
