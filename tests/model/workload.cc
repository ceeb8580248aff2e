#include "tests/model/workload.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/time/time.h"

namespace stave {
namespace {

constexpr uint64_t kNoiseBytes = 4096;
// So large a batch, instead of batch_changes_max, comes once in a while.
constexpr uint64_t kLargeBatchFactor = 12;

}  // namespace

Workload::Workload(uint64_t seed, const WorkloadConfiguration& configuration)
    : random_(seed), configuration_(configuration) {
  const auto& shares = configuration_.shares;
  sum_of_shares_ = std::accumulate(shares.begin(), shares.end(), uint64_t{0});
  noise_.resize(kNoiseBytes + configuration_.value_bytes_max);
  for (char& byte : noise_) byte = static_cast<char>(random_());
  for (uint64_t i = 0; i < configuration_.keys; ++i) {
    std::string key = configuration_.key_prefix + std::to_string(i);
    // Short ones, long ones, and such that are each other's beginning.
    if (OneIn(4)) {
      key.append(Below(configuration_.key_bytes_max),
                 static_cast<char>(random_()));
    }
    keys_.push_back(std::move(key));
  }
}

const Operation& Workload::Next() {
  operation_.kind = AnyKind();
  operation_.changes.clear();
  operation_.sync = false;
  operation_.all = false;
  operation_.key.clear();
  operation_.keys.clear();
  operation_.which = 0;
  operation_.time_ms = 0;
  switch (operation_.kind) {
    case Operation::kPut:
      operation_.changes.push_back(AnyPut(/*expires=*/false));
      break;
    case Operation::kPutThatExpires:
      operation_.changes.push_back(AnyPut(/*expires=*/true));
      break;
    case Operation::kDelete:
      operation_.changes.push_back(AnyDelete());
      break;
    case Operation::kCompareAndSet:
      operation_.changes.push_back(AnyComparison());
      break;
    case Operation::kIncrement:
      operation_.changes.push_back(AnyIncrement());
      break;
    case Operation::kExpireAt:
      operation_.changes.push_back(AnyMoment());
      break;
    case Operation::kGetAndExpire:
      operation_.changes.push_back(AnyRefresh());
      break;
    case Operation::kWrite:
      FillBatch();
      break;
    case Operation::kMultiGet:
      for (uint64_t left = Below(configuration_.multi_get_keys_max + 1);
           left > 0; --left) {
        operation_.keys.push_back(AnyKey());
      }
      break;
    case Operation::kTransact:
      operation_.key = AnyKey();
      FillBatch();
      break;
    case Operation::kGet:
    case Operation::kGetPinned:
    case Operation::kExists:
    case Operation::kTtl:
    case Operation::kHoldValue:
      operation_.key = AnyKey();
      break;
    case Operation::kVisit:
    case Operation::kHoldIterator:
      operation_.key = configuration_.key_prefix;
      break;
    case Operation::kGetAtSnapshot:
      operation_.which = random_();
      operation_.key = AnyKey();
      break;
    case Operation::kVisitAtSnapshot:
      operation_.which = random_();
      operation_.key = configuration_.key_prefix;
      break;
    case Operation::kVisitHeld:
    case Operation::kReadHeld:
    case Operation::kSaveSnapshot:
      operation_.which = random_();
      break;
    case Operation::kMerge:
      operation_.all = OneIn(2);
      break;
    case Operation::kReopen:
    case Operation::kKill: {
      const auto step = static_cast<uint64_t>(configuration_.time_step_ms_max);
      if (OneIn(4)) operation_.time_ms = static_cast<int64_t>(Below(8 * step));
      // What time it was is remembered by a clean close alone.
      const bool goes_back = operation_.kind == Operation::kReopen && OneIn(2);
      if (goes_back) operation_.time_ms = -operation_.time_ms;
      break;
    }
    case Operation::kPassTime:
      operation_.time_ms = static_cast<int64_t>(
          Below(static_cast<uint64_t>(configuration_.time_step_ms_max)));
      break;
    case Operation::kSync:
    case Operation::kHoldSnapshot:
    case Operation::kCount:
    case Operation::kBackup:
    case Operation::kFollow:
    case Operation::kReadFeed:
    case Operation::kKinds:
      break;
  }
  if (IsChange(operation_.kind)) {
    operation_.sync = OneIn(configuration_.one_sync_in);
  }
  return operation_;
}

Operation::Kind Workload::AnyKind() {
  uint64_t choice = Below(sum_of_shares_);
  size_t kind = 0;
  while (choice >= configuration_.shares[kind]) {
    choice -= configuration_.shares[kind++];
  }
  return static_cast<Operation::Kind>(kind);
}

std::string Workload::AnyValue() {
  const uint64_t number = ++values_made_;
  if (configuration_.has_empty_values && OneIn(10)) return "";
  const uint64_t most =
      OneIn(3) ? configuration_.value_bytes_max
               : std::min<uint64_t>(64, configuration_.value_bytes_max);
  std::string value =
      configuration_.value_prefix + std::to_string(number) + ":";
  const uint64_t size = Below(most + 1);
  if (OneIn(4)) return value.append(size, 'c');  // which can be compressed
  return value.append(noise_, Below(kNoiseBytes), size);
}

Change Workload::AnyPut(bool expires) {
  Change change;
  change.key = AnyKey();
  change.value = AnyValue();
  last_put_[change.key] = change.value;
  if (!expires) return change;
  change.ttl_ms = AnyTtl();
  change.as_moment = OneIn(2);
  // A moment that has passed.
  if (change.as_moment && OneIn(8)) change.ttl_ms -= configuration_.ttl_ms_max;
  return change;
}

Change Workload::AnyDelete() {
  Change change;
  change.key = AnyKey();
  change.is_delete = true;
  last_put_.erase(change.key);
  return change;
}

Change Workload::AnyComparison() {
  Change change;
  change.key = AnyKey();
  change.value = AnyValue();
  const auto last = last_put_.find(change.key);
  if (last != last_put_.end() && !OneIn(8)) change.expected = last->second;
  last_put_[change.key] = change.value;
  return change;
}

// Sums are never 0, so that they can be told from what an absent key gives.
Change Workload::AnyIncrement() {
  Change change;
  change.key = AnyKey();
  const uint64_t most = std::numeric_limits<int64_t>::max();
  change.delta = static_cast<int64_t>(1 + Below(OneIn(20) ? most : 1000));
  return change;
}

Change Workload::AnyRefresh() {
  Change change;
  change.key = AnyKey();
  change.ttl_ms = AnyTtl();
  return change;
}

Change Workload::AnyMoment() {
  Change change;
  change.key = AnyKey();
  change.as_moment = true;
  if (OneIn(3)) return change;
  change.ttl_ms = AnyTtl();
  if (OneIn(8)) change.ttl_ms -= configuration_.ttl_ms_max;
  return change;
}

void Workload::FillBatch() {
  uint64_t most = configuration_.batch_changes_max;
  if (OneIn(10)) most *= kLargeBatchFactor;
  for (uint64_t left = Below(most + 1); left > 0; --left) {
    operation_.changes.push_back(OneIn(4) ? AnyDelete() : AnyPut(OneIn(8)));
  }
}

WorkloadConfiguration AnyConfiguration(uint64_t seed) {
  std::mt19937_64 random(seed ^ 0xc0f1);
  WorkloadConfiguration configuration;
  configuration.value_bytes_max = uint64_t{8} << random() % 9;
  configuration.key_bytes_max = random() % 4 == 0 ? 300 : 40;
  auto& shares = configuration.shares;
  if (seed % 10 == 0) {
    // Opening is what is tested here: one operation in eight, or more.
    const uint64_t others =
        std::accumulate(shares.begin(), shares.end(), uint64_t{0});
    shares[Operation::kReopen] = shares[Operation::kKill] = others / 14;
  }
  return configuration;
}

Options AnyOptions(uint64_t seed) {
  std::mt19937_64 random(seed ^ 0x0971);
  Options options;
  options.segment_size_bytes = uint64_t{400} << random() % 8;
  options.segment_size_bytes += random() % options.segment_size_bytes;
  options.segment_size_bytes =
      std::min<uint64_t>(options.segment_size_bytes, 64 << 10);
  options.background_threads = random() % 4 == 0;
  options.sync_interval =
      random() % 2 == 0 ? absl::Milliseconds(1) : absl::InfiniteDuration();
  options.recovery_threads = 1 + static_cast<int>(random() % 2);
  // Stores this small merge all the time, and so take several times as long.
  options.background_merge = random() % 4 == 0;
  // Most stores here have few keys, and some of these a checkpoint.
  options.checkpoint_min_keys = random() % 2 == 0 ? 1 + random() % 8 : 1000;
  options.checkpoint_interval_bytes = uint64_t{64} << random() % 12;
  if (random() % 4 == 0) options.keydir = KeydirKind::kOrdered;
  if (random() % 4 == 0) options.read_mode = ReadMode::kPread;
  return options;
}

}  // namespace stave
