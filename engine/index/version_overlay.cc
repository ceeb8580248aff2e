#include "engine/index/version_overlay.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace stave {
namespace {

// So many entries are moved under the lock at a time. Between two times others
// must get their turn: a mutex that is released and taken at once stays with
// who has it.
constexpr size_t kStepEntries = 1024;
constexpr absl::Duration kOthersTurn = absl::Microseconds(50);

}  // namespace

std::unique_ptr<VersionOverlay::Layer> VersionOverlay::NewLayer() {
  Layers fresh(1);
  const Layers::iterator layer = fresh.begin();
  MutexLock lock(&mutex_);
  layers_.splice(layers_.end(), fresh);
  AddBytes(layer->bytes);
  ++living_;
  active_.store(true, std::memory_order_release);
  const uint64_t saves = saves_.load(std::memory_order_relaxed);
  return std::unique_ptr<Layer>(new Layer(this, layer, saves));
}

void VersionOverlay::Save(const KeyHash& hash, const Version& version,
                          std::string_view key) {
  MutexLock lock(&mutex_);
  // Only the first change after an instant counts.
  if (living_ == 0) return;
  const Layers::iterator latest = LastLiving(layers_.end());
  Keep(latest, layers_.end(), hash, version);
  if (!key.empty()) KeepKey(&*latest, key);
  saves_.store(saves_.load(std::memory_order_relaxed) + 1,
               std::memory_order_release);
}

void VersionOverlay::Keep(Layers::iterator layer, Layers::iterator end,
                          const KeyHash& hash, const Version& version) {
  if (IsKnown(std::next(layer), end, hash)) return;
  constexpr size_t kSlotBytes = sizeof(Entries::Part::value_type) + 1;
  Entries::Part& part = layer->PartOf(hash);
  const size_t slots = part.capacity();
  const auto [known, is_new] = part.emplace(hash, version);
  Grow(&*layer, (part.capacity() - slots) * kSlotBytes);
  // It was time that took it away at first, but not time alone.
  if (!is_new) known->second.past.has_expired = false;
}

void VersionOverlay::KeepKey(Entries* layer, std::string_view key) {
  if (!layer->keys.emplace(key).second) return;
  Grow(layer, sizeof(std::string) + key.size());
}

void VersionOverlay::Grow(Entries* layer, size_t bytes) {
  layer->bytes += bytes;
  AddBytes(bytes);
}

void VersionOverlay::AddBytes(size_t added) {
  bytes_.store(bytes() + added, std::memory_order_relaxed);
}

bool VersionOverlay::IsKnown(Layers::const_iterator begin,
                             Layers::const_iterator end, const KeyHash& hash) {
  for (auto layer = begin; layer != end; ++layer) {
    if (layer->PartOf(hash).contains(hash)) return true;
  }
  return false;
}

void VersionOverlay::VisitChanges(
    const Layer& from, const Layer* until,
    absl::FunctionRef<bool(const KeyHash&, const Past&)> visit) const {
  const Layers::const_iterator begin = from.entries_;
  std::vector<std::pair<KeyHash, Past>> changes;
  for (size_t part = 0; part < Entries::kParts; ++part) {
    changes.clear();
    {
      MutexLock lock(&mutex_);
      const auto end = until == nullptr
                           ? layers_.end()
                           : Layers::const_iterator(until->entries_);
      for (auto layer = begin; layer != end; ++layer) {
        for (const auto& [hash, version] : layer->parts[part]) {
          if (IsKnown(begin, layer, hash)) continue;
          Past past = version.past;
          past.has_expired &= !IsKnown(std::next(layer), end, hash);
          changes.emplace_back(hash, past);
        }
      }
    }
    for (const auto& [hash, past] : changes) {
      if (!visit(hash, past)) return;
    }
  }
}

VersionOverlay::Usage VersionOverlay::GetUsage() const {
  MutexLock lock(&mutex_);
  return {.layers = living_, .bytes = bytes()};
}

VersionOverlay::Layers::iterator VersionOverlay::LastLiving(
    Layers::iterator end) {
  while (end != layers_.begin()) {
    if (!(--end)->dropped) return end;
  }
  return layers_.end();
}

void VersionOverlay::Drop(Layers::iterator layer) {
  {
    MutexLock lock(&mutex_);
    layer->dropped = true;
    if (--living_ == 0) active_.store(false, std::memory_order_release);
  }
  Gone gone;
  while (!LeaveBehind(layer, &gone)) absl::SleepFor(kOthersTurn);
}

bool VersionOverlay::LeaveBehind(Layers::iterator layer, Gone* gone) {
  MutexLock lock(&mutex_);
  // The instant before still needs what had not changed in between. Nobody
  // else does: later ones never look at this one.
  const auto earlier = LastLiving(layer);
  size_t moved = 0;
  size_t& part = layer->parts_left_behind;
  for (; earlier != layers_.end() && part < layer->parts.size(); ++part) {
    auto& entries = layer->parts[part];
    for (auto entry = entries.begin(); entry != entries.end();) {
      if (++moved > kStepEntries) return false;
      Keep(earlier, layer, entry->first, entry->second);
      if (entry->second.hold != nullptr) {
        gone->holds.push_back(std::move(entry->second.hold));
      }
      entries.erase(entry++);
    }
  }
  while (earlier != layers_.end() && !layer->keys.empty()) {
    if (++moved > kStepEntries) return false;
    const auto first = layer->keys.begin();
    KeepKey(&*earlier, *first);
    layer->keys.erase(first);
  }
  bytes_.store(bytes() - layer->bytes, std::memory_order_relaxed);
  gone->layers.splice(gone->layers.end(), layers_, layer);
  return true;
}

std::optional<VersionOverlay::Past> VersionOverlay::Layer::FindPast(
    const KeyHash& hash) const {
  if (NothingHasChanged()) return std::nullopt;
  MutexLock lock(&overlay_->mutex_);
  for (auto layer = entries_; layer != overlay_->layers_.end(); ++layer) {
    const auto& part = layer->PartOf(hash);
    if (auto found = part.find(hash); found != part.end()) {
      Past past = found->second.past;
      past.has_expired &=
          !IsKnown(std::next(layer), overlay_->layers_.end(), hash);
      return past;
    }
  }
  return std::nullopt;
}

std::vector<std::string> VersionOverlay::Layer::ChangedFrom(
    std::string_view from, size_t most) const {
  std::vector<std::string> changed;
  if (NothingHasChanged()) return changed;
  MutexLock lock(&overlay_->mutex_);
  for (auto layer = entries_; layer != overlay_->layers_.end(); ++layer) {
    auto key = layer->keys.lower_bound(from);
    for (size_t i = 0; i < most && key != layer->keys.end(); ++i) {
      changed.push_back(*key++);
    }
  }
  std::sort(changed.begin(), changed.end());
  changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
  if (changed.size() > most) changed.resize(most);
  return changed;
}

std::vector<std::string> VersionOverlay::Layer::ChangedBefore(
    std::optional<std::string_view> before, size_t most) const {
  std::vector<std::string> changed;
  if (NothingHasChanged()) return changed;
  MutexLock lock(&overlay_->mutex_);
  for (auto layer = entries_; layer != overlay_->layers_.end(); ++layer) {
    auto key = before.has_value() ? layer->keys.lower_bound(*before)
                                  : layer->keys.end();
    for (size_t i = 0; i < most && key != layer->keys.begin(); ++i) {
      changed.push_back(*--key);
    }
  }
  std::sort(changed.begin(), changed.end());
  changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
  if (changed.size() > most) {
    changed.erase(changed.begin(),
                  changed.end() - static_cast<ptrdiff_t>(most));
  }
  return changed;
}

}  // namespace stave
