#ifndef STAVE_ENGINE_INDEX_VERSION_OVERLAY_H_
#define STAVE_ENGINE_INDEX_VERSION_OVERLAY_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
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
// A layer that is dropped leaves what it has to the last one before it that
// still lives, in small steps: writers wait for one of these at most, however
// much there is. Until then it stays in its place in the list.
//
// Thread-safe. Costs nothing while nobody looks back.
class VersionOverlay {
 public:
  class Layer;

  // What a key had.
  struct Past {
    KeydirEntry entry;  // perhaps absent
    // It was removed because its time had come, and for nothing else.
    bool has_expired = false;
  };
  struct Version {
    // Implicit: most versions are no more than an entry.
    Version(KeydirEntry has, std::shared_ptr<const void> owner = nullptr,
            bool has_expired = false)
        : past{has, has_expired}, hold(std::move(owner)) {}

    Past past;
    // A share in owning what the entry names, where those who look back might
    // have none: a merge may have moved the record there after their instant.
    std::shared_ptr<const void> hold;
  };

  VersionOverlay() = default;
  VersionOverlay(const VersionOverlay&) = delete;
  VersionOverlay& operator=(const VersionOverlay&) = delete;

  // Begins an instant: the keydir as it is now. The caller sees to it that
  // nothing changes the keydir meanwhile. The layer must not outlive the
  // overlay.
  std::unique_ptr<Layer> NewLayer();

  // Whether any layer exists, so that changes must be saved.
  bool active() const { return active_.load(std::memory_order_acquire); }

  // Notes that the key had `version` until now. Its bytes are noted, too, for
  // who asks for changed keys in their order; empty: nobody will.
  void Save(const KeyHash& hash, const Version& version,
            std::string_view key = {});

  // Visits each key that changed between the instant of `from` and that of
  // `until`, or now if that is null, with the entry that it had at `from`.
  // Ends with the first visit that returns false. Changes that are made
  // meanwhile may be visited too.
  void VisitChanges(
      const Layer& from, const Layer* until,
      absl::FunctionRef<bool(const KeyHash&, const Past&)> visit) const;

  struct Usage {
    uint64_t layers = 0;  // that live
    uint64_t bytes = 0;   // of memory, dropped layers included
  };
  Usage GetUsage() const;
  // Of these, without a lock.
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  // In parts by the hash's first bits: a writer may have to wait until one of
  // them has grown.
  struct Entries {
    using Part = absl::flat_hash_map<KeyHash, Version>;
    static constexpr int kPartBits = 6;
    static constexpr size_t kParts = size_t{1} << kPartBits;

    Part& PartOf(const KeyHash& hash) {
      return parts[hash.prefix >> (64 - kPartBits)];
    }
    const Part& PartOf(const KeyHash& hash) const {
      return parts[hash.prefix >> (64 - kPartBits)];
    }

    std::array<Part, kParts> parts;
    // Those of the parts' keys whose bytes were noted, and perhaps others.
    absl::btree_set<std::string, std::less<>> keys;
    size_t bytes = sizeof(Entries);  // of memory
    size_t parts_left_behind = 0;    // of a dropped layer: these are empty
    bool dropped = false;
  };
  using Layers = std::list<Entries>;

  // What is to be freed without the lock. Freeing what a version held may mean
  // to wait for readers, and these may be waiting for the lock.
  struct Gone {
    Layers layers;
    std::vector<std::shared_ptr<const void>> holds;
  };

  void Drop(Layers::iterator layer);
  // Moves some of a dropped layer to where it is needed. True, and the layer
  // is in `gone`, when there is no more.
  bool LeaveBehind(Layers::iterator layer, Gone* gone);
  // The last layer before `end` that lives; layers_.end() if there is none.
  Layers::iterator LastLiving(Layers::iterator end)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Notes in `layer` what the key had until an instant before that of `end`,
  // unless the layers from `layer` on know what it had earlier.
  void Keep(Layers::iterator layer, Layers::iterator end, const KeyHash& hash,
            const Version& version) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void KeepKey(Entries* layer, std::string_view key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Grow(Entries* layer, size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddBytes(size_t added) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static bool IsKnown(Layers::const_iterator begin, Layers::const_iterator end,
                      const KeyHash& hash);

  mutable Mutex mutex_;
  // From the earliest instant to the latest.
  Layers layers_ ABSL_GUARDED_BY(mutex_);
  size_t living_ ABSL_GUARDED_BY(mutex_) = 0;
  std::atomic<bool> active_{false};
  std::atomic<uint64_t> saves_{0};  // changed under the lock
  std::atomic<uint64_t> bytes_{0};  // the same: of layers_
};

// One instant. Gives up its memory when destroyed.
class VersionOverlay::Layer {
 public:
  ~Layer() { overlay_->Drop(entries_); }
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  // What the key had at this instant, if it has changed since. What the entry
  // names stays as long as this layer, if its owner holds what there was then.
  // Takes no lock if no key at all has changed since.
  std::optional<KeydirEntry> Find(const KeyHash& hash) const {
    const std::optional<Past> past = FindPast(hash);
    return past.has_value() ? std::optional(past->entry) : std::nullopt;
  }
  // The same, and why it has changed.
  std::optional<Past> FindPast(const KeyHash& hash) const;

  // The first `most` of the keys that are not less than `from` and have changed
  // since this instant; in byte order, with some perhaps that have not. Only of
  // those whose bytes were noted.
  std::vector<std::string> ChangedFrom(std::string_view from,
                                       size_t most) const;
  // The last ones of those that are less than `before`, or of all.
  std::vector<std::string> ChangedBefore(std::optional<std::string_view> before,
                                         size_t most) const;

 private:
  friend class VersionOverlay;
  Layer(VersionOverlay* overlay, Layers::iterator entries, uint64_t saves)
      : overlay_(overlay), entries_(entries), saves_before_(saves) {}
  bool NothingHasChanged() const {
    return overlay_->saves_.load(std::memory_order_acquire) == saves_before_;
  }

  VersionOverlay* const overlay_;
  const Layers::iterator entries_;
  const uint64_t saves_before_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_VERSION_OVERLAY_H_
