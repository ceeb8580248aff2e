#ifndef STAVE_ENGINE_BASE_EPOCH_H_
#define STAVE_ENGINE_BASE_EPOCH_H_

#include <atomic>
#include <cstdint>

namespace stave {

// Epochs tell when memory that lock-free readers may still look at can be
// used again. One domain serves the process, since membarrier(2) does.
//
// A reader holds an EpochGuard for the length of one call: entering and
// leaving write only a cache line of the thread's own, and the fence that
// orders them is paid by the reclaiming side. Who retires something first
// makes it unreachable, then calls RetireEpoch(), and
// frees it once EpochHasPassed() says that every reader which could have seen
// it has left.
//
// Invariants:
//  1. A guard that began after RetireEpoch() returned e can't see what was
//     made unreachable before that call.
//  2. EpochHasPassed(e) is true only if no guard that began before the
//     matching RetireEpoch() is still held.
//
// All functions are thread-safe. Guards nest, and must not outlive a call,
// wait for I/O, or move to another thread. A child of fork(2) inherits the
// guards that other threads held, and nobody there to release them.
class EpochGuard {
 public:
  EpochGuard();
  ~EpochGuard();
  EpochGuard(const EpochGuard&) = delete;
  EpochGuard& operator=(const EpochGuard&) = delete;
};

// Closes the current epoch and returns its number.
uint64_t RetireEpoch();

// Whether all guards of epoch `epoch` and earlier ones have been released.
bool EpochHasPassed(uint64_t epoch);

// Waits until EpochHasPassed(RetireEpoch()). The caller holds no guard.
void WaitForReaders();

// A small number, from 0 on, that no other living thread has. Who gets the
// number of a thread that has ended sees all that this one did.
uint32_t ThreadNumber();

// What follows is here only so that a guard costs no call.
namespace internal {

// Where a thread announces the epoch that it reads in, or 0 while it does not.
// Has a cache line of its own, outlives its thread, and is used again then.
struct alignas(64) Reader {
  std::atomic<uint64_t> epoch{0};
  std::atomic<bool> taken{true};
  uint32_t number = 0;
  Reader* next = nullptr;
};

struct ThreadState {
  Reader* reader = nullptr;  // null before the thread's first guard
  uint32_t guards = 0;
  bool must_fence = false;  // membarrier(2) is not available
};

extern constinit std::atomic<uint64_t> current_epoch;
extern constinit thread_local ThreadState thread_state;

void RegisterThread();
void FenceReader(Reader& reader);

}  // namespace internal

// Here `thread_state` is not given a shorter name by a reference, which gcc's
// sanitizer would hold to be null at times (the linker replaces an instruction
// whose flags the check relies on).
inline EpochGuard::EpochGuard() {
  if (internal::thread_state.guards++ != 0) return;
  if (internal::thread_state.reader == nullptr) [[unlikely]] {
    internal::RegisterThread();
  }
  internal::Reader* const reader = internal::thread_state.reader;
  reader->epoch.store(internal::current_epoch.load(std::memory_order_acquire),
                      std::memory_order_relaxed);
  if (internal::thread_state.must_fence) [[unlikely]] {
    internal::FenceReader(*reader);
  }
  // The processor may still move later loads before the store; what the
  // reclaiming side does makes up for that. The compiler may not.
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

inline uint32_t ThreadNumber() {
  if (internal::thread_state.reader == nullptr) [[unlikely]] {
    internal::RegisterThread();
  }
  return internal::thread_state.reader->number;
}

inline EpochGuard::~EpochGuard() {
  if (--internal::thread_state.guards != 0) return;
  internal::thread_state.reader->epoch.store(0, std::memory_order_release);
}

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_EPOCH_H_
