#ifndef STAVE_BENCHMARKS_WORKLOAD_WORKLOAD_H_
#define STAVE_BENCHMARKS_WORKLOAD_WORKLOAD_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace stave::bench {

enum class Action {
  kPut,
  kGet,
  kGetAbsent,  // of keys that are not there
  kMultiGet,   // kMultiGetKeys at once
  kReadModifyWrite,
  kInsert,  // of keys that are new
  kDelete,
  kScan,        // of everything
  kRange,       // kRangeRecords from a key on
  kShortRange,  // one to kRangeRecords
};

inline constexpr uint64_t kMultiGetKeys = 64;
inline constexpr uint64_t kRangeRecords = 100;

// Which key comes next.
enum class Order {
  kAscending,
  kShuffled,  // each key once, in random order
  kUniform,
  kZipf,    // a few keys much more often than others, here and there
  kLatest,  // the same, the ones that were inserted last
};

// What is done with a store, again and again. The one definition for all
// stores that are compared, and for `stave bench`.
struct Workload {
  std::string_view name;
  std::string_view summary;
  Action action;
  Order order;
  // So many operations of a hundred are `other` instead of `action`.
  int other_percent = 0;
  Action other = Action::kGet;
  // Operations for each key of the store.
  double operations_per_key = 1;
  // At most so many for each thread; 0: any number.
  uint64_t max_operations_of_thread = 0;
  // Begins with a store without keys; all others with one that has all.
  bool fills = false;
  // Each write waits for the device.
  bool durable = false;

  bool needs_order() const {
    return action == Action::kRange || action == Action::kShortRange;
  }
};

// All there are, or those that need no order.
std::vector<Workload> AllWorkloads(bool with_order);

// Those that a list like "fill,ycsb-a" names. InvalidArgument, with the names
// of all of these, if one is not among them.
absl::StatusOr<std::vector<Workload>> ParseWorkloads(std::string_view list,
                                                     bool with_order);

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_WORKLOAD_WORKLOAD_H_
