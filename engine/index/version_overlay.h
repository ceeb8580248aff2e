#ifndef STAVE_ENGINE_INDEX_VERSION_OVERLAY_H_
#define STAVE_ENGINE_INDEX_VERSION_OVERLAY_H_

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "engine/base/key_hash.h"
#include "engine/base/mutex.h"
#include "engine/index/keydir.h"

namespace stave {

// What the keydir held at earlier instants that somebody still looks at. The
// keydir itself knows only the present; before it changes, the entry that it
// had goes into the layer of the latest instant.
//
// A key's entry at an instant is the one in the instant's own layer, else in
// the first later layer that has the key, else the keydir's. Readers take the
// keydir's entry first and look here second: whoever changes a key does so in
// the other order.
//
// Thread-safe. Costs nothing while nobody looks back.
class VersionOverlay {
 public:
  class Layer;

  VersionOverlay() = default;
  VersionOverlay(const VersionOverlay&) = delete;
  VersionOverlay& operator=(const VersionOverlay&) = delete;

  // Begins an instant: the keydir as it is now. The caller sees to it that
  // nothing changes the keydir meanwhile. The layer must not outlive the
  // overlay.
  std::unique_ptr<Layer> NewLayer();

  // Whether any layer exists, so that changes must be saved.
  bool active() const { return active_.load(std::memory_order_acquire); }

  // Notes that the key had `entry` (perhaps absent) until now.
  void Save(const KeyHash& hash, KeydirEntry entry);

 private:
  struct HashOfKeyHash {
    size_t operator()(const KeyHash& hash) const { return hash.prefix; }
  };
  using Entries = absl::flat_hash_map<KeyHash, KeydirEntry, HashOfKeyHash>;

  void Drop(std::list<Entries>::iterator layer);

  mutable Mutex mutex_;
  // From the earliest instant to the latest.
  std::list<Entries> layers_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> active_{false};
};

// One instant. Gives up its memory when destroyed.
class VersionOverlay::Layer {
 public:
  ~Layer() { overlay_->Drop(entries_); }
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  // The entry that the key had at this instant, if it has changed since.
  std::optional<KeydirEntry> Find(const KeyHash& hash) const;

 private:
  friend class VersionOverlay;
  Layer(VersionOverlay* overlay, std::list<Entries>::iterator entries)
      : overlay_(overlay), entries_(entries) {}

  VersionOverlay* const overlay_;
  const std::list<Entries>::iterator entries_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_VERSION_OVERLAY_H_
