#include <cstdint>
#include <iostream>
#include <string>

#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "tests/engine/core/scratch_place.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/model/model_run.h"
#include "tests/model/seeds.h"
#include "tests/simulation/simulated_disk.h"

namespace stave {
namespace {

// So many groups of seeds, for as many shards as there may be.
constexpr uint64_t kGroups = 16;

class ModelTest : public testing::TestWithParam<uint64_t> {};

INSTANTIATE_TEST_SUITE_P(, ModelTest, testing::Range(uint64_t{0}, kGroups),
                         [](const auto& group) {
                           return "Group" + std::to_string(group.param);
                         });

// One group is on the operating system's files, which take twice as long.
ModelRunCounts RunSeed(uint64_t seed, uint64_t operations) {
  if (seed % kGroups == 0) {
    const TemporaryDirectory directory(PlaceInMemory());
    return ModelRun(seed, PosixFileSystem(), directory.path() + "/store")
        .Run(operations);
  }
  SimulatedDisk disk;
  return ModelRun(seed, &disk, SimulatedDisk::kPath).Run(operations);
}

TEST_P(ModelTest, AStoreEqualsAMap) {
  const uint64_t seeds = FromEnvironment("STAVE_SEEDS", 2'000);
  const uint64_t operations = FromEnvironment("STAVE_OPERATIONS", 10'100);
  ModelRunCounts counts;
  for (uint64_t seed = 1 + GetParam(); seed <= seeds; seed += kGroups) {
    if (IsLeftOut(seed)) continue;
    counts += RunSeed(seed, operations);
    ASSERT_FALSE(HasFailure()) << HowToReplay("//tests/model:model_test", seed);
  }
  std::cout << counts << "\n";
}

}  // namespace
}  // namespace stave
