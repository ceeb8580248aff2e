#ifndef STAVE_ENGINE_CORE_INSTANT_H_
#define STAVE_ENGINE_CORE_INSTANT_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/base/key_hash.h"
#include "engine/core/state.h"
#include "engine/format/record.h"
#include "engine/index/version_overlay.h"
#include "engine/log/file_window.h"
#include "engine/log/segment.h"
#include "stave/snapshot.h"

namespace stave {

// What a snapshot, an iterator and a transaction look at: what was in the log
// at one instant, and a layer of the overlay that knows what the keydir held.
// It holds the segments of that time; what merges have moved since, the keydir
// or the overlay name, and hold.
//
// Immutable once it is made. Shares the state, so it outlives the store.
struct Instant final : Snapshot, std::enable_shared_from_this<Instant> {
  struct Part {
    std::shared_ptr<Segment> segment;
    ByteRange bytes;  // of records
    // Each record was its key's last one; else nobody knows.
    bool is_all_live = false;
  };

  explicit Instant(std::shared_ptr<const State> of) : state(std::move(of)) {}

  // The instant that a reader of `state` has named. InvalidArgument if it is
  // another store's.
  static absl::StatusOr<const Instant*> Of(const Snapshot& snapshot,
                                           const State& state);

  // What the key had then, if the keydir has `present` or had it just now.
  KeydirEntry EntryThen(const KeyHash& hash, KeydirEntry present) const {
    if (layer == nullptr) return present;
    return layer->Find(hash).value_or(present);
  }

  bool HadExpired(const RecordHeader& header) const {
    return header.expires &&
           state->clock->HasExpired(header.expire_at_ms, now_ms);
  }

  const std::shared_ptr<const State> state;
  std::vector<Part> parts;  // in log order
  // Null in a store that was opened damaged, where nothing changes.
  std::unique_ptr<const VersionOverlay::Layer> layer;
  int64_t now_ms = 0;  // by which expiry is judged
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_INSTANT_H_
