#ifndef STAVE_BENCHMARKS_WORKLOAD_SUBJECT_H_
#define STAVE_BENCHMARKS_WORKLOAD_SUBJECT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"

namespace stave::bench {

// A key-value store that is measured. Each call is what a user of that store
// would write. All but Close are called by many threads at a time; a thread
// that has called ends before Close is called.
class Subject {
 public:
  virtual ~Subject() = default;

  // Survives the end of the process; with `durable`, that of the power.
  virtual absl::Status Put(std::string_view key, std::string_view value,
                           bool durable) = 0;
  // A copy into *value, whose memory is used again. NotFound: no such key.
  virtual absl::Status Get(std::string_view key, std::string* value) = 0;
  virtual absl::Status Delete(std::string_view key) = 0;

  // Calls visit(i, value) for each of `keys`, all of which are there.
  using VisitValue = absl::FunctionRef<void(size_t, std::string_view)>;
  virtual absl::Status MultiGet(absl::Span<const std::string_view> keys,
                                VisitValue visit) {
    std::string value;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (absl::Status got = Get(keys[i], &value); !got.ok()) return got;
      visit(i, value);
    }
    return absl::OkStatus();
  }

  // Calls visit(key, value) for each record until that returns false.
  using VisitRecord =
      absl::FunctionRef<bool(std::string_view, std::string_view)>;
  virtual absl::Status Scan(VisitRecord visit) = 0;

  // The same in the order of keys, from the first on that is not before `from`.
  // Unimplemented where a store has no order.
  virtual absl::Status ScanFrom(std::string_view from, VisitRecord visit) {
    (void)from, (void)visit;
    return absl::UnimplementedError("this store has no order");
  }

  virtual absl::Status Close() = 0;
};

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_WORKLOAD_SUBJECT_H_
