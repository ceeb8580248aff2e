#ifndef STAVE_ENGINE_C_HANDLES_H_
#define STAVE_ENGINE_C_HANDLES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "stave/c.h"
#include "stave/store.h"

// What is behind the handles of c.h, and between its types and the engine's.

struct stave_batch {
  stave::WriteBatch batch;
};

struct stave_iterator {
  std::unique_ptr<stave::Iterator> iterator;
};

struct stave_options {
  stave::Options options;
};

struct stave_pinned_value {
  stave::PinnedValue value;
};

struct stave_read_options {
  // Without what is below.
  stave::ReadOptions options;
  std::shared_ptr<const stave::Snapshot> snapshot;
  std::string prefix;
  std::string lower_bound;
  std::string upper_bound;
};

struct stave_snapshot {
  std::shared_ptr<const stave::Snapshot> snapshot;
};

struct stave_store {
  std::unique_ptr<stave::Store> store;
};

struct stave_transaction {
  std::unique_ptr<stave::Transaction> transaction;
};

struct stave_write_options {
  stave::WriteOptions options;
};

namespace stave::c {

// The code of `status`; where it is an error, stave_last_error has its message
// from now on.
stave_code Answer(const absl::Status& status);

inline std::string_view View(const void* bytes, size_t size) {
  return std::string_view(static_cast<const char*>(bytes), size);
}

// A view for C. Its bytes are not copied.
inline const char* Borrow(std::string_view bytes, size_t* size) {
  *size = bytes.size();
  return bytes.data();
}

// A copy by malloc, with a zero byte behind it; `size` may be null.
stave_code Copy(std::string_view bytes, char** copy, size_t* size);

inline absl::Duration DurationOf(int64_t ms) {
  return ms == STAVE_NEVER ? absl::InfiniteDuration() : absl::Milliseconds(ms);
}
inline absl::Time TimeOf(int64_t unix_ms) {
  return unix_ms == STAVE_NEVER ? absl::InfiniteFuture()
                                : absl::FromUnixMillis(unix_ms);
}

inline WriteOptions OptionsOf(const stave_write_options* options) {
  return options == nullptr ? WriteOptions() : options->options;
}
// Refers to what is in `options`.
ReadOptions OptionsOf(const stave_read_options* options);

}  // namespace stave::c

#endif  // STAVE_ENGINE_C_HANDLES_H_
