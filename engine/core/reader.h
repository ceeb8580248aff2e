#ifndef STAVE_ENGINE_CORE_READER_H_
#define STAVE_ENGINE_CORE_READER_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/types.h"
#include "engine/core/state.h"
#include "stave/options.h"
#include "stave/pinned_value.h"

namespace stave {

// The read path: hash, one slot, one record. Takes no lock and writes no
// memory that others read. Thread-safe. Errors are those of store.h; NotFound
// has no message, so that an absent key costs no allocation.
class Reader {
 public:
  explicit Reader(const State* state) : state_(*state) {}

  absl::Status Get(std::string_view key, const ReadOptions& options,
                   std::string* value) const;
  absl::StatusOr<PinnedValue> GetPinned(std::string_view key,
                                        const ReadOptions& options) const;
  absl::StatusOr<bool> Exists(std::string_view key,
                              const ReadOptions& options) const;

 private:
  // What follows runs under the caller's EpochGuard.
  KeydirEntry FindEntry(const KeyRef& key) const;
  absl::Status Find(std::string_view key, const ReadOptions& options,
                    Segment** segment, RecordView* record) const;

  // DataLoss if damage may have held a later record of the key.
  absl::Status CheckHidden(std::string_view key, Sequence sequence) const;

  const State& state_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_READER_H_
