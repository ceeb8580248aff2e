#ifndef STAVE_TOOLS_STAVE_RECORD_H_
#define STAVE_TOOLS_STAVE_RECORD_H_

#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace stave::tool {

// What one line of a dump holds. The bytes are borrowed.
struct Record {
  std::string_view key;
  std::string_view value;
  absl::Time expire_at = absl::InfiniteFuture();
};

using RecordVisitor = absl::FunctionRef<absl::Status(const Record&)>;

// InvalidArgument, with what is wrong, for keys and values that no store
// takes.
absl::Status CheckKey(std::string_view key);
absl::Status CheckValue(std::string_view value);

// An expiry as lines carry it, in milliseconds since the Unix epoch.
// InvalidArgument unless it is more than 0, which elsewhere stands for none.
absl::StatusOr<absl::Time> ExpiryFromMilliseconds(int64_t milliseconds);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_RECORD_H_
