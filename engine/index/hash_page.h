#ifndef STAVE_ENGINE_INDEX_HASH_PAGE_H_
#define STAVE_ENGINE_INDEX_HASH_PAGE_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/index/keydir.h"
#include "engine/index/page_use.h"

namespace stave {

// A key as a page knows it: the range of hashes that a partition has is known,
// so that what is beyond the least of them does. That leaves 9 bits for others.
struct PageKey {
  static constexpr int kHashBits = 55;
  static constexpr uint64_t kMaxHash = (uint64_t{1} << kHashBits) - 1;

  uint64_t hash = 0;
  uint16_t tag = 0;
};

// The place of one key, in two words.
struct Slot {
  // Bits 0 to 54: the key's hash. Bit 55: set once the slot is used. Upper 8
  // bits, in the first slot of a line: the line's reach.
  std::atomic<uint64_t> hash;
  // Bits 0 to 47: the key's entry. Upper 16 bits: its tag. All 0 while no key
  // has the slot.
  std::atomic<uint64_t> tagged_entry;
};

// A cache line of slots, used in their order.
inline constexpr uint32_t kSlotsPerLine = 4;
struct alignas(64) Line {
  std::array<Slot, kSlotsPerLine> slots;
};

// A hash table of a fixed number of lines, in memory that others own. A key
// starts at a line that its hash tells, and lies there or, if that was full, in
// the nearest line after it that was not. A line's reach is the distance from
// it to the last line with keys that start at it. Most lines reach nowhere: so
// one look tells that a key is absent, even in a page that is nearly full.
//
// Invariants:
//  1. A slot's hash is stored once in the page's life, and after the entry:
//     who finds a key's hash finds its entry, or a later one.
//  2. A key that leaves makes its slot dead, and only a key of the same hash
//     may have a dead slot: or else a reader who has seen the first key's hash
//     would take the second one's entry for it.
//  3. Lines between the one a key starts at and the one it lies in are full.
//
// Find and Prefetch may be called at any time, the rest by one thread at once.
class HashPage {
 public:
  // How many slots of `length` lines may be used, dead ones included.
  static constexpr uint32_t Capacity(uint32_t length) {
    return length * kSlotsPerLine * kMaxLoadPercent / 100;
  }
  // The smallest length with room for `keys`.
  static constexpr uint32_t LengthFor(uint32_t keys) {
    constexpr uint32_t kPercentPerLine = kSlotsPerLine * kMaxLoadPercent;
    return (keys * 100 + kPercentPerLine - 1) / kPercentPerLine;
  }

  HashPage(Line* lines, uint32_t length) : lines_(lines), length_(length) {}

  void Prefetch(const PageKey& key) const {
    __builtin_prefetch(&lines_[StartOf(key.hash)]);
  }

  // The key's entry, absent when there is none.
  KeydirEntry Find(const PageKey& key) const;

  // The slot that a key has, or else could have.
  struct Place {
    Slot* slot = nullptr;
    uint32_t line = 0;
    KeydirEntry entry;  // absent if the key does not have the slot yet
  };
  // Some slot was never used.
  Place Locate(const PageKey& key, const PageUse& use) const;

  // Gives the key the slot that Locate(key) returned, or changes its entry.
  void Store(const Place& place, const PageKey& key, KeydirEntry entry,
             PageUse& use) const;
  // Makes a key's slot dead.
  static void Remove(Slot& slot, PageUse& use);

  // Calls visit(slot) for each slot that a key has.
  template <typename Visit>
  void ForEachKey(Visit visit) const;

  static bool NeverUsed(const Slot& slot) {
    return slot.hash.load(std::memory_order_relaxed) == 0;
  }
  static uint64_t HashOf(const Slot& slot) {
    return slot.hash.load(std::memory_order_relaxed) & (kUsed - 1);
  }
  static KeydirEntry EntryOf(const Slot& slot) {
    return EntryOf(slot.tagged_entry.load(std::memory_order_relaxed));
  }

 private:
  friend class HashPageBuilder;

  // Each hundredth more would save 0.2 bytes a key, and have more lines reach
  // further. At 94 a page's first line answers for four in five of the keys
  // that are there, and for two in three of those that are not.
  static constexpr uint32_t kMaxLoadPercent = 94;

  static constexpr uint64_t kUsed = uint64_t{1} << PageKey::kHashBits;
  static constexpr int kReachShift = PageKey::kHashBits + 1;
  static constexpr int kTagShift = 48;
  static_assert(kMaxPageLength <= uint64_t{1} << (64 - kReachShift));

  static KeydirEntry EntryOf(uint64_t tagged_entry) {
    return KeydirEntry::FromBits(tagged_entry &
                                 ((uint64_t{1} << kTagShift) - 1));
  }
  static bool Has(uint64_t tagged_entry, uint16_t tag) {
    return tagged_entry != 0 && tagged_entry >> kTagShift == tag;
  }

  // The slots of `line` with `used_hash` below the reach, a bit each.
  static uint32_t SlotsWith(uint64_t used_hash, const Line& line);
  static uint32_t ReachOf(const Line& line) {
    return static_cast<uint32_t>(
        line.slots[0].hash.load(std::memory_order_acquire) >> kReachShift);
  }
  static void RaiseReach(Line& line, uint32_t distance);
  static Slot& Vacant(Line& line) {
    return line
        .slots[static_cast<size_t>(std::countr_zero(SlotsWith(0, line)))];
  }

  // Lower bits of a hash choose the line, upper ones have chosen the page.
  uint32_t StartOf(uint64_t hash) const {
    return static_cast<uint32_t>((hash & 0xffffffff) * length_ >> 32);
  }
  uint32_t Distance(uint32_t start, uint32_t line) const {
    return line - start + (line < start ? length_ : 0);
  }
  uint32_t After(uint32_t line) const {
    return line + 1 == length_ ? 0 : line + 1;
  }

  Line* lines_;
  uint32_t length_;
};

// Fills a page that no other thread sees yet.
class HashPageBuilder {
 public:
  // Makes `length` lines of never-used slots at `lines`, whatever was there.
  HashPageBuilder(Line* lines, uint32_t length);

  // Copies a key that the page does not have. There is room.
  void Add(const Slot& slot) {
    Add(HashPage::HashOf(slot),
        slot.tagged_entry.load(std::memory_order_relaxed));
  }
  // The same of a key with this hash, a PageKey's, and this tag and entry.
  void Add(uint64_t hash, uint64_t tagged_entry) {
    const uint32_t line = page_.StartOf(hash);
    if (used_[line] < kSlotsPerLine) [[likely]] {
      Copy({hash, tagged_entry}, line);
    } else {
      displaced_[displaced_count_++] = {hash, tagged_entry};
    }
  }
  // To be called once, after the last key.
  PageUse Finish();

 private:
  struct Key {
    uint64_t hash;
    uint64_t tagged_entry;
  };

  void Copy(const Key& key, uint32_t line);

  HashPage page_;
  PageUse use_;
  std::array<uint8_t, kMaxPageLength> used_{};  // slots of each line
  // Keys that did not find room in the line where they start. They wait for
  // all others to have theirs, so that few lines have a reach.
  std::array<Key, HashPage::Capacity(kMaxPageLength)> displaced_;
  size_t displaced_count_ = 0;
};

inline uint32_t HashPage::SlotsWith(uint64_t used_hash, const Line& line) {
  // All four are looked at, since nobody can foretell which one it will be: a
  // branch for each would have look-ups wait for each other's misses.
  uint32_t slots = 0;
  for (uint32_t i = 0; i < kSlotsPerLine; ++i) {
    const uint64_t hash = line.slots[i].hash.load(std::memory_order_acquire);
    const bool same = (hash ^ used_hash) << (64 - kReachShift) == 0;
    slots |= uint32_t{same} << i;
  }
  return slots;
}

inline KeydirEntry HashPage::Find(const PageKey& key) const {
  uint32_t number = StartOf(key.hash);
  for (uint32_t left = ReachOf(lines_[number]);; --left) {
    const Line& line = lines_[number];
    for (uint32_t slots = SlotsWith(key.hash | kUsed, line); slots != 0;
         slots &= slots - 1) {
      const Slot& slot =
          line.slots[static_cast<size_t>(std::countr_zero(slots))];
      const uint64_t tagged_entry =
          slot.tagged_entry.load(std::memory_order_acquire);
      if (Has(tagged_entry, key.tag)) return EntryOf(tagged_entry);
    }
    if (left == 0) return KeydirEntry();
    number = After(number);
  }
}

inline void HashPageBuilder::Copy(const Key& key, uint32_t line) {
  Slot& slot = page_.lines_[line].slots[used_[line]++];
  // Relaxed, since the page is published as a whole.
  slot.hash.store(HashPage::kUsed | key.hash, std::memory_order_relaxed);
  slot.tagged_entry.store(key.tagged_entry, std::memory_order_relaxed);
  use_.AddUsed();
  if (used_[line] == kSlotsPerLine) use_.SetFull(line);
}

template <typename Visit>
void HashPage::ForEachKey(Visit visit) const {
  for (uint32_t line = 0; line < length_; ++line) {
    for (Slot& slot : lines_[line].slots) {
      if (!EntryOf(slot).absent()) visit(slot);
    }
  }
}

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_HASH_PAGE_H_
