#ifndef STAVE_ENGINE_CORE_READ_MODIFY_WRITE_H_
#define STAVE_ENGINE_CORE_READ_MODIFY_WRITE_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/core/commit.h"
#include "engine/core/reader.h"
#include "stave/options.h"

namespace stave {

// The writes that depend on what their key has. Each looks at the key, decides
// without any lock, however large the value, and writes if the key's entry is
// still the one it saw; else it begins again. That check is made under the
// append lock, where every write of a key has its instant, and so is the one of
// this write. Other writes don't pay for it, and whenever one has to begin
// again another has been made (or a merge has moved the record).
//
// Thread-safe. Errors are those of store.h.
class ReadModifyWrite {
 public:
  ReadModifyWrite(const Reader* reader, Commit* commit)
      : reader_(*reader), commit_(*commit) {}

  absl::Status CompareAndSet(std::string_view key,
                             std::optional<std::string_view> expected,
                             std::string_view desired,
                             const WriteOptions& options);
  absl::StatusOr<int64_t> Increment(std::string_view key, int64_t delta,
                                    const WriteOptions& options);
  // The key expires as `options` say.
  absl::Status SetExpiry(std::string_view key, const WriteOptions& options);
  // Makes the key expire `ttl` from now, if it expires and that differs by a
  // quarter of `ttl` or more from what is so already. For those who have read
  // the key: doesn't wait for the device, and nobody learns of an error.
  void Refresh(std::string_view key, absl::Duration ttl);

 private:
  // Writes `put` unless the key has changed since it was `seen`. True: that is
  // done, and waited for as the options ask. False: it has changed.
  absl::StatusOr<bool> Write(const SeenKey& seen,
                             const Commit::PreparedPut& put,
                             const WriteOptions& options);

  const Reader& reader_;
  Commit& commit_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_READ_MODIFY_WRITE_H_
