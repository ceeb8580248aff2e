#ifndef STAVE_ENGINE_CORE_PUBLICATION_H_
#define STAVE_ENGINE_CORE_PUBLICATION_H_

#include <atomic>
#include <cstdint>

#include "engine/index/keydir.h"

namespace stave {

// Makes a batch visible at one instant although its keys enter the keydir one
// after another: a reader who meets a part of a batch that is being published
// waits until all of it is.
//
// The writer's stores to the keydir release, and its readers' loads acquire,
// so whoever sees a new entry, or a new absence, sees the range too.
//
// It also counts changes, so that who looks at several keys can tell whether
// anything was published meanwhile.
class Publication {
 public:
  struct Changes {
    uint64_t all = 0;  // odd while one is being made
    uint64_t removals = 0;

    friend bool operator==(const Changes&, const Changes&) = default;
  };

  // A key's entry is going to be changed, or removed. The caller holds the
  // append lock, so that no locked instruction is needed.
  void NoteChange(bool is_removal) {
    Add(1, &all_);
    if (is_removal) Add(1, &removals_);
  }
  // It has been.
  void NoteChanged() { Add(1, &all_); }

  // If it returns the same twice, and `all` is even, nothing was published in
  // between. If the removals are the same, no key that was put in between has
  // been removed since.
  Changes changes() const {
    return {all_.load(std::memory_order_acquire),
            removals_.load(std::memory_order_acquire)};
  }

  // A batch's locations; the caller holds the append lock from Begin to End.
  void Begin(Location first, Location last) {
    first_.store(first.unit, std::memory_order_relaxed);
    last_.store(last.unit, std::memory_order_relaxed);
  }
  void End() {
    // Who waits for this has seen a part of it, perhaps from the middle on.
    Add(2, &all_);
    last_.store(0, std::memory_order_release);
  }

  // Whether `found`, which the keydir just had, belongs to a batch that is
  // being published. An absent key may, if there is any such batch.
  bool Covers(KeydirEntry found) const {
    const uint64_t last = last_.load(std::memory_order_acquire);
    if (last == 0) return false;
    const uint64_t unit = found.location().unit;
    return found.absent() ||
           (first_.load(std::memory_order_relaxed) <= unit && unit <= last);
  }

  // Waits until no batch is being published that was when this began.
  void Await() const;

 private:
  static void Add(uint64_t count, std::atomic<uint64_t>* counter) {
    // Released: who reads the count sees the change before this one.
    counter->store(counter->load(std::memory_order_relaxed) + count,
                   std::memory_order_release);
  }

  // Read by every Get, and changed by batches alone.
  alignas(64) std::atomic<uint64_t> first_{0};
  std::atomic<uint64_t> last_{0};  // 0: no batch is being published
  // Changed by every write.
  alignas(64) std::atomic<uint64_t> all_{0};
  std::atomic<uint64_t> removals_{0};
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_PUBLICATION_H_
