#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "tests/model/model_run.h"
#include "tests/model/seeds.h"

namespace stave {
namespace {

// So many groups of seeds, for as many shards as there may be.
constexpr uint64_t kGroups = 16;

class ModelTest : public testing::TestWithParam<uint64_t> {};

INSTANTIATE_TEST_SUITE_P(, ModelTest, testing::Range(uint64_t{0}, kGroups),
                         [](const auto& group) {
                           return "Group" + std::to_string(group.param);
                         });

TEST_P(ModelTest, AStoreEqualsAMap) {
  const uint64_t seeds = FromEnvironment("STAVE_SEEDS", 400);
  const uint64_t operations = FromEnvironment("STAVE_OPERATIONS", 5'500);
  for (uint64_t seed = 1 + GetParam(); seed <= seeds; seed += kGroups) {
    if (IsLeftOut(seed)) continue;
    ModelRun(seed).Run(operations);
    ASSERT_FALSE(HasFailure()) << HowToReplay("//tests/model:model_test", seed);
  }
}

}  // namespace
}  // namespace stave
