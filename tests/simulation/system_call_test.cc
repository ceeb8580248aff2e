#include <cstdint>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/engine/core/scratch_place.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/model/model.h"
#include "tests/model/performer.h"
#include "tests/model/seeds.h"
#include "tests/model/workload.h"
#include "tests/simulation/system_call_faults.h"

namespace stave {
namespace {

constexpr int kOperations = 60;

// A store in real files, where system calls are interrupted and do a part of
// what they were asked for. Nobody may notice.
class SystemCallTest : public testing::Test {
 protected:
  void TearDown() override { SystemCallFaults::Get().Clear(); }

  void Run(uint64_t seed) {
    const TemporaryDirectory directory(PlaceInMemory());
    ManualClock clock;
    Options options = AnyOptions(seed);
    options.segment_size_bytes = 1024;
    options.clock = &clock;
    options.background_threads = false;
    options.recovery_threads = 1;
    WorkloadConfiguration configuration;
    configuration.shares[Operation::kKill] = 0;
    configuration.shares[Operation::kReopen] = 40;
    configuration.one_sync_in = 8;
    Workload workload(seed, configuration);
    Model model(absl::ToUnixMillis(clock.WallNow()));
    Performer performer;
    std::unique_ptr<Store> store = Open(directory.path(), options);
    for (int i = 0; i < kOperations && store != nullptr; ++i) {
      const Operation& operation = workload.Next();
      const int64_t now_ms = model.now_ms();
      const Answer expected = model.Apply(operation);
      if (IsCall(operation.kind)) {
        const auto answer = performer.Perform(operation, now_ms, store.get());
        ASSERT_TRUE(answer.ok()) << answer.status();
        ASSERT_TRUE(Fits(*answer, expected)) << Describe(operation);
      } else if (operation.kind == Operation::kReopen) {
        ASSERT_EQ(store->Close(), absl::OkStatus());
        clock.SetWall(absl::FromUnixMillis(model.wall_ms()));
        store = Open(directory.path(), options);
      } else {
        clock.Advance(absl::Milliseconds(operation.time_ms));
      }
    }
    ASSERT_NE(store, nullptr);
    EXPECT_TRUE(Fits(Whole(store.get()).value(), model.Whole()));
    EXPECT_EQ(store->Close(), absl::OkStatus());
  }

  // Each call in its turn, once and from then on.
  uint64_t Sweep(SystemCallFaults::Kind kind) {
    SystemCallFaults& faults = SystemCallFaults::Get();
    uint64_t runs = 0;
    const uint64_t seeds = FromEnvironment("STAVE_SEEDS", 10);
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      if (IsLeftOut(seed)) continue;
      faults.Clear();
      faults.ResetCalls();
      Run(seed);
      const uint64_t calls = faults.calls(kind);
      EXPECT_GT(calls, 0u) << "the calls are not wrapped";
      for (uint64_t nth = 0; nth < calls && !HasFailure(); ++nth) {
        for (const bool sticky : {false, true}) {
          faults.Plan(kind, nth, sticky);
          Run(seed);
          EXPECT_GT(faults.calls(kind), nth);
          EXPECT_FALSE(HasFailure())
              << "call " << nth << (sticky ? " and later\n" : "\n")
              << HowToReplay("//tests/simulation:system_call_test", seed);
          ++runs;
        }
      }
    }
    std::cout << runs << " runs\n";
    return runs;
  }

 private:
  static std::unique_ptr<Store> Open(const std::string& path,
                                     const Options& options) {
    auto store = Store::Open(path, options);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
};

int OpenDescriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<int>(std::distance(begin(all), end(all)));
}

TEST_F(SystemCallTest, AnInterruptedCallIsMadeAgain) {
  EXPECT_GT(Sweep(SystemCallFaults::kInterrupted), 100u);
}

TEST_F(SystemCallTest, WhatWasReadOrWrittenInPartIsGoneOnWith) {
  EXPECT_GT(Sweep(SystemCallFaults::kShort), 100u);
}

TEST_F(SystemCallTest, AnErrorOfClosingLosesNothing) {
  const int before = OpenDescriptors();
  EXPECT_GT(Sweep(SystemCallFaults::kCloseError), 100u);
  EXPECT_EQ(OpenDescriptors(), before);
}

}  // namespace
}  // namespace stave
