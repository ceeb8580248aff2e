#include <algorithm>
#include <cstdint>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/model/seeds.h"
#include "tests/simulation/crash_explorer.h"

namespace stave {
namespace {

// So many groups of seeds, for as many shards as there may be.
constexpr uint64_t kGroups = 16;
constexpr uint64_t kOperations = 60;

class CrashTest : public testing::TestWithParam<uint64_t> {};

INSTANTIATE_TEST_SUITE_P(, CrashTest, testing::Range(uint64_t{0}, kGroups),
                         [](const auto& group) {
                           return "Group" + std::to_string(group.param);
                         });

TEST_P(CrashTest, EveryCrashLeavesAPrefix) {
  const uint64_t wanted =
      FromEnvironment("STAVE_SIMULATION_STATES", 1'000'000) / kGroups + 1;
  CrashExplorer::Counts all;
  uint64_t seeds = 0;
  for (uint64_t seed = 1 + GetParam(); all.states < wanted; seed += kGroups) {
    const uint64_t alone = FromEnvironment("STAVE_SEED", 0);
    if (alone != 0 && seed > alone) break;
    if (IsLeftOut(seed)) continue;
    CrashExplorer explorer(seed, FromEnvironment("STAVE_ONE_CRASH_IN", 1));
    const absl::Status status =
        explorer.Explore(kOperations, wanted - all.states);
    all.crash_points += explorer.counts().crash_points;
    all.states += explorer.counts().states;
    all.duplicates += explorer.counts().duplicates;
    all.in_recovery += explorer.counts().in_recovery;
    ++seeds;
    ASSERT_TRUE(status.ok())
        << status.message() << "\n"
        << HowToReplay("//tests/simulation:crash_test", seed);
  }
  std::cout << all.states << " crash states, " << all.in_recovery
            << " of them in recovery, of " << all.crash_points
            << " crash points of " << seeds << " seeds; " << all.duplicates
            << " duplicates left out\n";
}

}  // namespace
}  // namespace stave
