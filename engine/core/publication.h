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
class Publication {
 public:
  // A batch's locations; the caller holds the append lock from Begin to End.
  void Begin(Location first, Location last) {
    first_.store(first.unit, std::memory_order_relaxed);
    last_.store(last.unit, std::memory_order_relaxed);
  }
  void End() { last_.store(0, std::memory_order_release); }

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
  std::atomic<uint64_t> first_{0};
  std::atomic<uint64_t> last_{0};  // 0: no batch is being published
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_PUBLICATION_H_
