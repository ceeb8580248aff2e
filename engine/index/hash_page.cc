#include "engine/index/hash_page.h"

#include <memory>

namespace stave {

HashPage::Place HashPage::Locate(const PageKey& key, const PageUse& use) const {
  const uint32_t start = StartOf(key.hash);
  Place dead;
  uint32_t number = start;
  for (uint32_t left = ReachOf(lines_[start]);; --left) {
    Line& line = lines_[number];
    for (uint32_t slots = SlotsWith(key.hash | kUsed, line); slots != 0;
         slots &= slots - 1) {
      Slot& slot = line.slots[static_cast<size_t>(std::countr_zero(slots))];
      const uint64_t tagged_entry =
          slot.tagged_entry.load(std::memory_order_relaxed);
      const Place place{&slot, number, EntryOf(tagged_entry)};
      if (Has(tagged_entry, key.tag)) return place;
      if (tagged_entry == 0) dead = place;
    }
    if (left == 0) break;
    number = After(number);
  }
  if (dead.slot != nullptr) return dead;
  const uint32_t vacant = use.VacantLine(start);
  return Place{&Vacant(lines_[vacant]), vacant, KeydirEntry()};
}

void HashPage::Store(const Place& place, const PageKey& key, KeydirEntry entry,
                     PageUse& use) const {
  Slot& slot = *place.slot;
  // What lies where the entry points was written before, so: release.
  slot.tagged_entry.store(uint64_t{key.tag} << kTagShift | entry.bits(),
                          std::memory_order_release);
  if (!place.entry.absent()) return;
  if (!NeverUsed(slot)) {
    use.RemoveDead();
    return;
  }
  slot.hash.store(kUsed | key.hash, std::memory_order_release);
  use.AddUsed();
  if (&slot == &lines_[place.line].slots.back()) use.SetFull(place.line);
  const uint32_t start = StartOf(key.hash);
  RaiseReach(lines_[start], Distance(start, place.line));
}

void HashPage::RaiseReach(Line& line, uint32_t distance) {
  if (distance <= ReachOf(line)) return;
  const uint64_t hash = line.slots[0].hash.load(std::memory_order_relaxed);
  line.slots[0].hash.store(
      (hash & (2 * kUsed - 1)) | uint64_t{distance} << kReachShift,
      std::memory_order_release);
}

void HashPage::Remove(Slot& slot, PageUse& use) {
  slot.tagged_entry.store(0, std::memory_order_release);
  use.AddDead();
}

HashPageBuilder::HashPageBuilder(Line* lines, uint32_t length)
    : page_(lines, length), use_(length) {
  std::uninitialized_value_construct_n(lines, length);
}

PageUse HashPageBuilder::Finish() {
  for (size_t i = 0; i < displaced_count_; ++i) {
    const Key& key = displaced_[i];
    const uint32_t start = page_.StartOf(key.hash);
    const uint32_t line = use_.VacantLine(start);
    Copy(key, line);
    HashPage::RaiseReach(page_.lines_[start], page_.Distance(start, line));
  }
  return use_;
}

}  // namespace stave
