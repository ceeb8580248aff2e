#include "engine/index/version_overlay.h"

#include <iterator>

namespace stave {

std::unique_ptr<VersionOverlay::Layer> VersionOverlay::NewLayer() {
  MutexLock lock(&mutex_);
  layers_.emplace_back();
  active_.store(true, std::memory_order_release);
  return std::unique_ptr<Layer>(new Layer(this, std::prev(layers_.end())));
}

void VersionOverlay::Save(const KeyHash& hash, KeydirEntry entry) {
  MutexLock lock(&mutex_);
  // Only the first change after an instant counts.
  if (!layers_.empty()) layers_.back().emplace(hash, entry);
}

void VersionOverlay::Drop(std::list<Entries>::iterator layer) {
  MutexLock lock(&mutex_);
  if (layer != layers_.begin()) {
    // The instant before still needs what had not changed in between.
    Entries& earlier = *std::prev(layer);
    for (const auto& [hash, entry] : *layer) earlier.emplace(hash, entry);
  }
  layers_.erase(layer);
  if (layers_.empty()) active_.store(false, std::memory_order_release);
}

std::optional<KeydirEntry> VersionOverlay::Layer::Find(
    const KeyHash& hash) const {
  MutexLock lock(&overlay_->mutex_);
  for (auto layer = entries_; layer != overlay_->layers_.end(); ++layer) {
    if (auto found = layer->find(hash); found != layer->end()) {
      return found->second;
    }
  }
  return std::nullopt;
}

}  // namespace stave
