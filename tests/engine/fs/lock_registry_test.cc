#include "engine/fs/lock_registry.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace stave {
namespace {

TEST(LockClaimTest, AFileIsClaimedOnce) {
  const auto claim = LockClaim::Take(1, 2);
  EXPECT_NE(claim, nullptr);
  EXPECT_EQ(LockClaim::Take(1, 2), nullptr);
}

TEST(LockClaimTest, AClaimEndsWithItsOwner) {
  EXPECT_NE(LockClaim::Take(1, 2), nullptr);
  EXPECT_NE(LockClaim::Take(1, 2), nullptr);
}

TEST(LockClaimTest, DeviceAndInodeTellFilesApart) {
  const auto claim = LockClaim::Take(1, 2);
  EXPECT_NE(LockClaim::Take(2, 2), nullptr);
  EXPECT_NE(LockClaim::Take(1, 1), nullptr);
}

TEST(LockClaimTest, OneOfManyThreadsGetsTheClaim) {
  std::atomic<int> winners = 0;
  std::vector<std::unique_ptr<LockClaim>> claims(4);
  std::vector<std::thread> threads;
  for (auto& claim : claims) {
    threads.emplace_back([&] {
      claim = LockClaim::Take(1, 2);
      if (claim != nullptr) ++winners;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners, 1);
}

}  // namespace
}  // namespace stave
