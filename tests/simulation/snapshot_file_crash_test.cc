#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/simulation/crash_states.h"
#include "tests/simulation/fault.h"
#include "tests/simulation/simulated_disk.h"
#include "tests/simulation/two_disks.h"

namespace stave {
namespace {

constexpr int kRandomStates = 5;
constexpr char kName[] = "data";

std::string FormatName(SnapshotFormat format) {
  constexpr const char* kNames[] = {"Json", "Binary", "BinaryV1"};
  return kNames[static_cast<int>(format)];
}

// A power failure at each moment of a save, in each format.
class SnapshotFileCrashTest : public testing::TestWithParam<SnapshotFormat> {
 protected:
  SnapshotFileCrashTest() {
    disks_.source = disks_.target = &disk_;
    Options options;
    options.file_system = &disks_;
    options.clock = &clock_;
    options.background_threads = false;
    options.recovery_threads = 1;
    options.reserve_bytes = 0;
    store_ = Store::Open(TwoDisks::kSource, options).value();
  }

  void PutNumbers(int begin, int end) {
    for (int i = begin; i < end; ++i) {
      ASSERT_EQ(store_->Put(absl::StrCat("key", i % 20), absl::StrCat(i)),
                absl::OkStatus());
    }
  }
  absl::Status Save() {
    return store_->SaveSnapshot(absl::StrCat(SimulatedDisk::kPath, "/", kName),
                                GetParam());
  }
  // The file on a disk that looks so; empty if there is none.
  static std::string FileOf(const SimulatedDisk::Image& image) {
    const auto found = image.find(kName);
    return found == image.end() ? "" : found->second;
  }

  // The file is as `before`, or as `after`; and is saved again, when nothing
  // else is left.
  void Check(const CrashState& state, const std::string& before,
             const std::string& after) {
    SCOPED_TRACE(state.name);
    const std::string found = FileOf(state.image);
    EXPECT_TRUE(found == before || found == after) << found;
    SimulatedDisk disk(state.image);
    disks_.target = &disk;
    EXPECT_EQ(Save(), absl::OkStatus());
    disks_.target = &disk_;
    EXPECT_EQ(disk.AfterPowerLoss(Writeback::OfNothing()),
              (SimulatedDisk::Image{{kName, after}}));
  }

  // Saves, and checks what each crash meanwhile would have left.
  void SaveAndCheckAll() {
    const std::string before = FileOf(disk_.AfterKill());
    std::vector<CrashState> states;
    std::set<SimulatedDisk::Image> seen;
    disk_.Observe([&] {
      ForEachCrashState(disk_, kRandomStates, &random_, [&](CrashState state) {
        if (seen.insert(state.image).second) states.push_back(std::move(state));
      });
    });
    ASSERT_EQ(Save(), absl::OkStatus());
    disk_.Observe(nullptr);
    const std::string after = FileOf(disk_.AfterKill());
    ASSERT_NE(after, before);
    EXPECT_EQ(FileOf(disk_.AfterPowerLoss(Writeback::OfNothing())), after);
    for (const CrashState& state : states) {
      Check(state, before, after);
      if (HasFailure()) return;
    }
    EXPECT_GT(states.size(), 5u);
    states_ += states.size();
  }

  ManualClock clock_;
  std::mt19937_64 random_{1};
  SimulatedDisk disk_;
  TwoDisks disks_;
  std::unique_ptr<Store> store_;
  size_t states_ = 0;
};

INSTANTIATE_TEST_SUITE_P(, SnapshotFileCrashTest,
                         testing::Values(SnapshotFormat::kJson,
                                         SnapshotFormat::kBinary,
                                         SnapshotFormat::kBinaryV1),
                         [](const auto& format) {
                           return FormatName(format.param);
                         });

TEST_P(SnapshotFileCrashTest, EveryCrashLeavesTheFileOfBeforeOrTheNewOne) {
  for (int round = 0; round < 3 && !HasFailure(); ++round) {
    PutNumbers(round * 30, round * 30 + 30);
    SaveAndCheckAll();
  }
  RecordProperty("states", static_cast<int>(states_));
}

// Each call to the file system fails in each way that it can.
TEST_P(SnapshotFileCrashTest, EveryFaultLeavesTheFileOfBeforeOrTheNewOne) {
  PutNumbers(0, 30);
  ASSERT_EQ(Save(), absl::OkStatus());
  int number = 30;
  uint64_t failures = 0;
  for (int kind = 1; kind < static_cast<int>(Fault::kFaults); ++kind) {
    const Fault fault = static_cast<Fault>(kind);
    for (const bool sticky : {false, true}) {
      for (uint64_t call = 0;; ++call) {
        SCOPED_TRACE(absl::StrCat(NameOf(fault), " at call ", call,
                                  sticky ? " and later" : ""));
        const std::string before = FileOf(disk_.AfterKill());
        PutNumbers(number, number + 7);
        number += 7;
        disk_.Break(fault, call, sticky);
        const absl::Status status = Save();
        const bool met = disk_.fault_was_met();
        disk_.Heal();
        EXPECT_TRUE(status.ok() || met) << status;
        if (!status.ok()) ++failures;
        EXPECT_EQ(store_->GetStatistics().snapshot_file_failures, failures);
        EXPECT_FALSE(store_->GetStatistics().latched);
        const std::string found = FileOf(disk_.AfterKill());
        const std::string least =
            FileOf(disk_.AfterPowerLoss(Writeback::OfNothing()));
        ASSERT_EQ(Save(), absl::OkStatus());
        const std::string after = FileOf(disk_.AfterKill());
        EXPECT_TRUE(found == after || (!status.ok() && found == before));
        // No call has told of an error that is reported late.
        if (fault != Fault::kSyncReportedLate) {
          EXPECT_TRUE(least == after || (!status.ok() && least == before));
        }
        EXPECT_EQ(disk_.AfterKill().size(), 1u);
        ASSERT_FALSE(HasFailure());
        if (!met) break;
      }
    }
  }
}

}  // namespace
}  // namespace stave
