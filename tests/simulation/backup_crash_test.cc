#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/model/operation.h"
#include "tests/model/performer.h"
#include "tests/simulation/crash_states.h"
#include "tests/simulation/fault.h"
#include "tests/simulation/simulated_disk.h"
#include "tests/simulation/two_disks.h"

namespace stave {
namespace {

constexpr int kRandomStates = 5;

// A power failure at each moment of a backup; with hard links, and without.
class BackupCrashTest : public testing::TestWithParam<bool> {
 protected:
  BackupCrashTest() : disk_({}, {.links = GetParam()}) {
    disks_.source = disks_.target = &disk_;
    options_.file_system = &disks_;
    options_.clock = &clock_;
    options_.background_threads = false;
    options_.recovery_threads = 1;
    options_.segment_size_bytes = 512;
    options_.reserve_bytes = 0;
    store_ = Store::Open(TwoDisks::kSource, options_).value();
  }

  void PutNumbers(int begin, int end) {
    for (int i = begin; i < end; ++i) {
      ASSERT_EQ(
          store_->Put(absl::StrCat("key", i % 20), absl::StrCat(i, noise_)),
          absl::OkStatus());
    }
  }
  absl::Status Backup() { return store_->Backup(SimulatedDisk::kPath); }
  Contents Present() { return stave::Whole(store_.get()).value().contents; }

  // Opens what is on `disk`; a copy, if it is to be written to.
  absl::StatusOr<Contents> Read(SimulatedDisk* disk, bool read_only = true) {
    Options options = options_;
    options.file_system = disk;
    options.read_only = read_only;
    auto store = Store::Open(SimulatedDisk::kPath, options);
    if (!store.ok()) return store.status();
    auto whole = Whole(store->get());
    if (!whole.ok()) return whole.status();
    if (!read_only) {
      EXPECT_EQ((*store)->Put("own", "1"), absl::OkStatus());
    }
    return whole->contents;
  }

  // The backup is as `before`, or as `after`; null: there was none. Then it is
  // made again.
  void Check(const CrashState& state, const Contents* before,
             const Contents& after) {
    SCOPED_TRACE(state.name);
    SimulatedDisk disk(state.image, disk_.abilities());
    const absl::StatusOr<Contents> found = Read(&disk);
    if (found.ok()) {
      EXPECT_TRUE(*found == after || (before != nullptr && *found == *before));
      SimulatedDisk copy(state.image, disk_.abilities());
      EXPECT_EQ(Read(&copy, /*read_only=*/false).value(), *found);
    } else {
      EXPECT_EQ(before, nullptr) << found.status();
    }
    // FORMAT.md: what can't be left from making a store is damage.
    if (absl::IsDataLoss(found.status()) && state.has_garbage) return;
    disks_.target = &disk;
    const absl::Status again = Backup();
    EXPECT_EQ(again, absl::OkStatus());
    disks_.target = &disk_;
    if (!again.ok()) return;
    SimulatedDisk whole(disk.AfterPowerLoss(Writeback::OfNothing()));
    EXPECT_EQ(Read(&whole).value(), after);
  }

  // Makes a backup, and checks what each crash meanwhile would have left.
  void BackUpAndCheckAll(const Contents* before) {
    std::vector<CrashState> states;
    std::set<SimulatedDisk::Image> seen;
    disk_.Observe([&] {
      ForEachCrashState(disk_, kRandomStates, &random_, [&](CrashState state) {
        state.image.erase("LOCK");
        if (seen.insert(state.image).second) states.push_back(std::move(state));
      });
    });
    ASSERT_EQ(Backup(), absl::OkStatus());
    disk_.Observe(nullptr);
    const Contents after = Present();
    for (const CrashState& state : states) {
      Check(state, before, after);
      if (HasFailure()) return;
    }
    EXPECT_GT(states.size(), 50u);
    states_ += states.size();
  }

  const std::string noise_ = std::string(60, 'n');
  ManualClock clock_;
  std::mt19937_64 random_{1};
  SimulatedDisk disk_;
  TwoDisks disks_;
  Options options_;
  std::unique_ptr<Store> store_;
  size_t states_ = 0;
};

INSTANTIATE_TEST_SUITE_P(, BackupCrashTest, testing::Bool(),
                         [](const auto& links) {
                           return links.param ? "Linked" : "Copied";
                         });

TEST_P(BackupCrashTest, EveryCrashLeavesTheBackupOfBeforeOrTheNewOne) {
  PutNumbers(0, 30);
  BackUpAndCheckAll(nullptr);
  for (int round = 1; round <= 3 && !HasFailure(); ++round) {
    const Contents before = Present();
    PutNumbers(round * 30, round * 30 + 10);
    if (round > 1) {
      ASSERT_EQ(store_->Merge({.all = true}), absl::OkStatus());
    }
    PutNumbers(round * 30 + 10, round * 30 + 12);
    BackUpAndCheckAll(&before);
  }
  RecordProperty("states", static_cast<int>(states_));
}

// Each call to the file system fails in each way that it can.
TEST_P(BackupCrashTest, EveryFaultLeavesTheBackupOfBeforeOrTheNewOne) {
  PutNumbers(0, 30);
  ASSERT_EQ(Backup(), absl::OkStatus());
  int number = 30;
  for (const Fault fault : {Fault::kIoError, Fault::kDiskFull,
                            Fault::kTooManyFiles, Fault::kWriteCutShort,
                            Fault::kSyncKeepsPages, Fault::kSyncLosesPages}) {
    for (const bool sticky : {false, true}) {
      for (uint64_t call = 0;; ++call) {
        SCOPED_TRACE(absl::StrCat(NameOf(fault), " at call ", call,
                                  sticky ? " and later" : ""));
        const Contents before = Present();
        PutNumbers(number, number + 7);
        number += 7;
        if (call % 4 == 3) {
          ASSERT_EQ(store_->Merge(), absl::OkStatus());
        }
        disk_.Break(fault, call, sticky);
        const absl::Status status = Backup();
        const bool met = disk_.fault_was_met();
        disk_.Heal();
        EXPECT_TRUE(status.ok() || met) << status;
        for (auto image : {disk_.AfterKill(),
                           disk_.AfterPowerLoss(Writeback::OfNothing())}) {
          SimulatedDisk disk(std::move(image));
          const absl::StatusOr<Contents> found = Read(&disk);
          ASSERT_TRUE(found.ok()) << found.status();
          EXPECT_TRUE(*found == Present() || (!status.ok() && *found == before))
              << status;
        }
        EXPECT_FALSE(store_->GetStatistics().latched);
        ASSERT_EQ(Backup(), absl::OkStatus());
        ASSERT_FALSE(HasFailure());
        if (!met) break;
      }
    }
  }
}

}  // namespace
}  // namespace stave
