#ifndef STAVE_BENCHMARKS_WORKLOAD_STORE_SUBJECT_H_
#define STAVE_BENCHMARKS_WORKLOAD_STORE_SUBJECT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "benchmarks/workload/subject.h"
#include "stave/options.h"

namespace stave::bench {

// A stave::Store in `directory`, made if there is none.
absl::StatusOr<std::unique_ptr<Subject>> OpenStoreSubject(
    const std::string& directory, const Options& options);

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_WORKLOAD_STORE_SUBJECT_H_
