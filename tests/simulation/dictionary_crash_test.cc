#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/format/file_names.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/model/operation.h"
#include "tests/model/performer.h"
#include "tests/simulation/crash_states.h"
#include "tests/simulation/fault.h"
#include "tests/simulation/simulated_disk.h"

namespace stave {
namespace {

constexpr int kRandomStates = 4;
// So many puts; about the last half with the dictionary.
constexpr int kPuts = 140;

std::string Key(int number) { return absl::StrCat("key", 100 + number); }
std::string Value(int number) {
  return absl::StrCat("Package: lib", number * 7919 % 10007,
                      "-dev\nMaintainer: Debian Games Team\nSection: libdevel\n"
                      "Description: development files of number ",
                      number * 104729 % 100'003, "\n");
}

// A power failure, or a fault, at each moment of a store that learns its
// dictionary and begins to use it.
class DictionaryCrashTest : public testing::Test {
 protected:
  DictionaryCrashTest() {
    options_.clock = &clock_;
    options_.background_threads = false;
    options_.background_merge = false;
    options_.recovery_threads = 1;
    options_.sync_interval = absl::InfiniteDuration();
    options_.segment_size_bytes = 1024;
    options_.reserve_bytes = 0;
    options_.compression = Compression::kZstd;
    options_.compression_threshold_bytes = 1;
    options_.compression_dictionary_bytes = 512;
  }

  absl::StatusOr<std::unique_ptr<Store>> Open(SimulatedDisk* disk) {
    Options options = options_;
    options.file_system = disk;
    return Store::Open(SimulatedDisk::kPath, options);
  }

  // Puts one value after another, syncs every fourth time, and stops at the
  // first error.
  absl::Status PutAll(Store* store) {
    for (; begun_ < kPuts; acknowledged_ = begun_) {
      const int number = begun_++;
      const bool sync = number % 4 == 3;
      const absl::Status status =
          store->Put(Key(number), Value(number), {.sync = sync});
      if (!status.ok()) return status;
      if (sync) durable_ = begun_;
    }
    return absl::OkStatus();
  }

  // The store shows the first of the puts, `least` to `most` of them, learns
  // and uses its dictionary, and leaves nothing behind.
  void Check(SimulatedDisk::Image image, int least, int most) {
    SimulatedDisk disk(std::move(image));
    auto store = Open(&disk);
    ASSERT_TRUE(store.ok()) << store.status();
    const absl::StatusOr<Answer> found = Whole(store->get());
    ASSERT_TRUE(found.ok()) << found.status();
    const int puts = static_cast<int>(found->contents.size());
    EXPECT_GE(puts, least);
    EXPECT_LE(puts, most);
    for (int i = 0; i < puts; ++i) {
      const auto held = found->contents.find(Key(i));
      ASSERT_NE(held, found->contents.end()) << i;
      EXPECT_EQ(held->second.value, Value(i));
    }
    EXPECT_LE(Dictionaries(disk), 1);
    ASSERT_EQ((*store)->Put("more", Value(7), {.sync = true}),
              absl::OkStatus());
    SimulatedDisk after(disk.AfterPowerLoss(Writeback::OfNothing()));
    const auto again = Open(&after);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ((*again)->Get("more").value(), Value(7));
  }

  static int Dictionaries(const SimulatedDisk& disk) {
    int dictionaries = 0;
    for (const auto& [name, bytes] : disk.AfterKill()) {
      dictionaries += ParseDictionaryFileName(name).has_value();
    }
    return dictionaries;
  }

  ManualClock clock_;
  Options options_;
  int begun_ = 0;
  int acknowledged_ = 0;
  int durable_ = 0;
};

TEST_F(DictionaryCrashTest, NoCrashLosesAValueThatNeedsTheDictionary) {
  struct Moment {
    CrashState state;
    int least = 0;
    int most = 0;
  };
  std::mt19937_64 random(1);
  std::vector<Moment> moments;
  std::set<SimulatedDisk::Image> seen;
  SimulatedDisk disk;
  auto store = Open(&disk);
  ASSERT_TRUE(store.ok()) << store.status();
  disk.Observe([&] {
    // Before that it is a store like any other.
    if (begun_ < kPuts / 2) return;
    ForEachCrashState(disk, kRandomStates, &random, [&](CrashState state) {
      state.image.erase("LOCK");
      if (state.has_garbage || !seen.insert(state.image).second) return;
      const int least =
          state.end == History::End::kKill ? acknowledged_ : durable_;
      moments.push_back({std::move(state), least, begun_});
    });
  });
  ASSERT_EQ(PutAll(store->get()), absl::OkStatus());
  disk.Observe(nullptr);
  ASSERT_EQ(Dictionaries(disk), 1);
  EXPECT_LT((*store)->GetStatistics().stored_value_bytes,
            (*store)->GetStatistics().value_bytes * 4 / 5);
  for (Moment& moment : moments) {
    SCOPED_TRACE(moment.state.name);
    Check(std::move(moment.state.image), moment.least, moment.most);
    if (HasFailure()) return;
  }
  EXPECT_GT(moments.size(), 500u);
  RecordProperty("states", static_cast<int>(moments.size()));
}

// Each call to the file system fails in each way that it can.
TEST_F(DictionaryCrashTest, NoFaultLosesAValueThatNeedsTheDictionary) {
  for (const Fault fault : {Fault::kIoError, Fault::kDiskFull,
                            Fault::kTooManyFiles, Fault::kWriteCutShort,
                            Fault::kSyncKeepsPages, Fault::kSyncLosesPages}) {
    for (uint64_t call = 0;; ++call) {
      SCOPED_TRACE(absl::StrCat(NameOf(fault), " at call ", call));
      begun_ = acknowledged_ = durable_ = 0;
      SimulatedDisk disk;
      auto store = Open(&disk);
      ASSERT_TRUE(store.ok()) << store.status();
      disk.Break(fault, call, /*sticky=*/false);
      const absl::Status status = PutAll(store->get());
      const bool met = disk.fault_was_met();
      disk.Heal();
      EXPECT_TRUE(status.ok() || met) << status;
      Check(disk.AfterKill(), acknowledged_, begun_);
      Check(disk.AfterPowerLoss(Writeback::OfNothing()), durable_, begun_);
      if (HasFailure()) return;
      if (!met) break;
    }
  }
}

}  // namespace
}  // namespace stave
