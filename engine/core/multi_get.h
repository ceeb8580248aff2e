#ifndef STAVE_ENGINE_CORE_MULTI_GET_H_
#define STAVE_ENGINE_CORE_MULTI_GET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/key_hash.h"
#include "engine/base/mutex.h"
#include "engine/core/instant.h"
#include "engine/core/reader.h"
#include "engine/core/records_ahead.h"
#include "engine/core/state.h"
#include "engine/log/segment_pins.h"
#include "stave/options.h"

namespace stave {

// One Store::MultiGet. First the entries of all keys are found, then their
// records are read, and the memory for many of them is waited for at a time: so
// a key costs little more than the work on it, and not two accesses to memory
// that no cache has.
//
// The entries are those of one instant, which is found without a lock: they are
// looked up, and if anything was published meanwhile, looked up again. Where
// both times agree, they all were so at the moment in between.
//
// For one thread. Keys are borrowed.
class MultiGet {
 public:
  using Visit =
      absl::FunctionRef<void(size_t, absl::StatusOr<std::string_view>)>;

  // `append_mutex`: the log's; null where nobody writes. `then`: the instant,
  // if it is a snapshot's; else null.
  MultiGet(const State* state, const Reader* reader, Mutex* append_mutex,
           const Instant* then, absl::Span<const std::string_view> keys,
           const ReadOptions& options);
  MultiGet(const MultiGet&) = delete;
  MultiGet& operator=(const MultiGet&) = delete;

  // Calls visit(i, ...) for each key, outside of any epoch or lock.
  void Run(Visit visit);

 private:
  struct Wanted {
    KeyHash hash;
    KeydirEntry entry;
  };

  // Finds the entries of one instant and pins the segments that they name.
  void Capture();
  // The same unless writers change these very keys meanwhile.
  bool TryToCapture();
  void HashAll();
  void FindAll();
  bool FindsTheSame() const;
  bool AnyAbsent() const;
  void PinAll();
  KeyRef KeyAt(size_t index) const {
    return {keys_[index], wanted_[index].hash};
  }
  absl::StatusOr<std::string_view> Read(size_t index);
  absl::Status ReadRecord(size_t index, Reader::Found* found);

  const State& state_;
  const Reader& reader_;
  Mutex* const append_mutex_;
  const Instant* const then_;
  const absl::Span<const std::string_view> keys_;
  const ReadOptions& options_;
  absl::InlinedVector<Wanted, 32> wanted_;
  int64_t now_ms_ = 0;  // at the instant
  SegmentPins pins_;
  RecordsAhead ahead_;
  // What has the value that is shown, if it was compressed, or is not mapped.
  std::string restored_;
  std::shared_ptr<const char[]> shown_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_MULTI_GET_H_
