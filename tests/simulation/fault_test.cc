#include <cstdint>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/model/seeds.h"
#include "tests/simulation/fault_explorer.h"

namespace stave {
namespace {

// So many groups of seeds, for as many shards as there may be.
constexpr uint64_t kGroups = 16;
constexpr uint64_t kOperations = 20;

class FaultTest : public testing::TestWithParam<uint64_t> {};

INSTANTIATE_TEST_SUITE_P(, FaultTest, testing::Range(uint64_t{0}, kGroups),
                         [](const auto& group) {
                           return "Group" + std::to_string(group.param);
                         });

TEST_P(FaultTest, EveryFaultAtEveryCallIsBorne) {
  const uint64_t wanted =
      FromEnvironment("STAVE_SIMULATION_FAULTS", 300'000) / kGroups + 1;
  const uint64_t alone = FromEnvironment("STAVE_SEED", 0);
  uint64_t runs = 0;
  uint64_t seeds = 0;
  for (uint64_t seed = 1 + GetParam(); runs < wanted; seed += kGroups) {
    if (alone != 0 && seed > alone) break;
    if (IsLeftOut(seed)) continue;
    FaultExplorer explorer(seed, kOperations);
    const absl::Status status = explorer.Explore(wanted - runs);
    runs += explorer.runs();
    ++seeds;
    ASSERT_TRUE(status.ok())
        << status.message() << "\n"
        << HowToReplay("//tests/simulation:fault_test", seed);
  }
  std::cout << runs << " runs that met a fault, of " << seeds << " seeds\n";
}

}  // namespace
}  // namespace stave
