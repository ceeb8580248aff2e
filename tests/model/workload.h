#ifndef STAVE_TESTS_MODEL_WORKLOAD_H_
#define STAVE_TESTS_MODEL_WORKLOAD_H_

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "stave/options.h"
#include "tests/model/operation.h"

namespace stave {

// What kinds of operations a workload has, and how large they are.
struct WorkloadConfiguration {
  // How often each kind comes, relative to the others.
  using Shares = std::array<uint64_t, Operation::kKinds>;
  static constexpr Shares kAllKinds = [] {
    Shares shares{};
    shares[Operation::kPut] = 400;
    shares[Operation::kPutThatExpires] = 60;
    shares[Operation::kDelete] = 260;
    shares[Operation::kCompareAndSet] = 40;
    shares[Operation::kIncrement] = 40;
    shares[Operation::kExpireAt] = 20;
    shares[Operation::kGetAndExpire] = 10;
    shares[Operation::kWrite] = 40;
    shares[Operation::kTransact] = 30;
    shares[Operation::kSync] = 5;
    shares[Operation::kGet] = 120;
    shares[Operation::kGetPinned] = 60;
    shares[Operation::kExists] = 60;
    shares[Operation::kTtl] = 20;
    shares[Operation::kMultiGet] = 10;
    shares[Operation::kVisit] = 3;
    shares[Operation::kHoldIterator] = 2;
    shares[Operation::kVisitHeld] = 2;
    shares[Operation::kHoldSnapshot] = 2;
    shares[Operation::kGetAtSnapshot] = 10;
    shares[Operation::kVisitAtSnapshot] = 1;
    shares[Operation::kHoldValue] = 5;
    shares[Operation::kReadHeld] = 5;
    shares[Operation::kCount] = 4;
    shares[Operation::kMerge] = 4;
    // For those who have said where.
    shares[Operation::kBackup] = 0;
    shares[Operation::kFollow] = 0;
    shares[Operation::kReadFeed] = 0;
    shares[Operation::kSaveSnapshot] = 0;
    shares[Operation::kPassTime] = 10;
    shares[Operation::kReopen] = 2;
    shares[Operation::kKill] = 2;
    return shares;
  }();
  Shares shares = kAllKinds;

  // Of one of several workloads that are run in a store at the same time.
  // Their questions are about their own keys, but for kCount, which is not for
  // them.
  std::string key_prefix;
  uint64_t keys = 50;
  // Some keys are longer than their number, by less than this.
  uint64_t key_bytes_max = 40;
  uint64_t value_bytes_max = 200;
  // All values begin so.
  std::string value_prefix;
  // Empty values can't be told from one another, all others can.
  bool has_empty_values = true;
  uint64_t batch_changes_max = 8;
  uint64_t multi_get_keys_max = 30;
  int64_t ttl_ms_max = 100'000;
  int64_t time_step_ms_max = 20'000;
  // One change in so many waits for the device.
  uint64_t one_sync_in = 100;
};

// An endless row of operations that follows from a seed, whatever is done with
// them. May be copied, to go on from the same place twice. All tests of the
// store with random operations take them from here, so what is added here
// joins them all.
class Workload {
 public:
  Workload(uint64_t seed, const WorkloadConfiguration& configuration);

  // Valid until the next call.
  const Operation& Next();

  const std::vector<std::string>& keys() const { return keys_; }

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool OneIn(uint64_t times) { return Below(times) == 0; }
  const std::string& AnyKey() { return keys_[Below(keys_.size())]; }
  Operation::Kind AnyKind();
  std::string AnyValue();
  Change AnyPut(bool expires);
  Change AnyDelete();
  Change AnyComparison();
  Change AnyIncrement();
  Change AnyRefresh();
  Change AnyMoment();
  int64_t AnyTtl() {
    return static_cast<int64_t>(
        1 + Below(static_cast<uint64_t>(configuration_.ttl_ms_max)));
  }
  void FillBatch();

  std::mt19937_64 random_;
  WorkloadConfiguration configuration_;
  uint64_t sum_of_shares_ = 0;
  std::vector<std::string> keys_;
  std::string noise_;
  uint64_t values_made_ = 0;
  // What this has last put for a key, which may well be there.
  std::map<std::string, std::string> last_put_;
  Operation operation_;
};

// A configuration, and options of a store, that follow from a seed: tiny
// segments, with and without background threads. `file_system` and `clock`
// are left to the caller.
WorkloadConfiguration AnyConfiguration(uint64_t seed);
Options AnyOptions(uint64_t seed);

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_WORKLOAD_H_
