#include "engine/base/epoch.h"

#include <limits.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "absl/base/config.h"

#if defined(__linux__) && !defined(ABSL_HAVE_THREAD_SANITIZER)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#define STAVE_HAVE_MEMBARRIER 1
#endif

namespace stave {
namespace internal {

alignas(64) constinit std::atomic<uint64_t> current_epoch{1};
constinit thread_local ThreadState thread_state;

namespace {

// All records of readers that there ever were, the newest first.
alignas(64) constinit std::atomic<Reader*> readers{nullptr};
constinit std::atomic<uint32_t> readers_made{0};
// Epochs up to this one were closed before some membarrier(2).
constinit std::atomic<uint64_t> fenced_epoch{0};
// Epochs up to this one have passed.
constinit std::atomic<uint64_t> passed_epoch{0};

void RaiseTo(std::atomic<uint64_t>& value, uint64_t minimum) {
  uint64_t present = value.load(std::memory_order_relaxed);
  while (present < minimum &&
         !value.compare_exchange_weak(present, minimum,
                                      std::memory_order_acq_rel)) {
  }
}

#ifdef STAVE_HAVE_MEMBARRIER
bool Membarrier(int command) {
  return syscall(SYS_membarrier, command, 0, 0) == 0;
}
bool RegisterProcess() {
  return Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}
// A process forked from the one that registered may have to register itself.
bool FenceOtherThreads() {
  return Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) ||
         (RegisterProcess() && Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
}
#else
bool RegisterProcess() { return false; }
bool FenceOtherThreads() { return false; }
#endif

bool ReadersMustFence() {
  static const bool must_fence = !RegisterProcess();
  return must_fence;
}

void FenceThisThread() {
#ifndef ABSL_HAVE_THREAD_SANITIZER
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

// The reclaiming side's half of the fence between a reader's announcement and
// what it reads then.
bool FenceReaders() {
  if (!ReadersMustFence()) return FenceOtherThreads();
  FenceThisThread();
  return true;
}

void ReleaseThread(void* reader) {
  thread_state.reader = nullptr;
  static_cast<Reader*>(reader)->taken.store(false, std::memory_order_release);
}

// A key rather than a thread_local object: its destructor runs after those of
// thread_local objects, and again if one of another key holds a guard.
pthread_key_t ThreadExitKey() {
  static const pthread_key_t key = [] {
    // Without a key, records are not used again.
    pthread_key_t created = PTHREAD_KEYS_MAX;
    pthread_key_create(&created, &ReleaseThread);
    return created;
  }();
  return key;
}

Reader* TakeReader() {
  for (Reader* reader = readers.load(std::memory_order_acquire);
       reader != nullptr; reader = reader->next) {
    if (!reader->taken.exchange(true, std::memory_order_acquire)) return reader;
  }
  Reader* reader = new Reader;
  reader->number = readers_made.fetch_add(1, std::memory_order_relaxed);
  reader->next = readers.load(std::memory_order_relaxed);
  while (!readers.compare_exchange_weak(reader->next, reader,
                                        std::memory_order_acq_rel)) {
  }
  return reader;
}

// The oldest epoch that a thread reads in, or `none`.
uint64_t OldestEpochRead(uint64_t none) {
  uint64_t oldest = none;
  for (const Reader* reader = readers.load(std::memory_order_seq_cst);
       reader != nullptr; reader = reader->next) {
    const uint64_t epoch = reader->epoch.load(std::memory_order_seq_cst);
    if (epoch != 0) oldest = std::min(oldest, epoch);
  }
  return oldest;
}

}  // namespace

void RegisterThread() {
  thread_state.must_fence = ReadersMustFence();
  thread_state.reader = TakeReader();
  pthread_setspecific(ThreadExitKey(), thread_state.reader);
}

void FenceReader(Reader& reader) {
  // ThreadSanitizer knows no fences, but it knows exchanges.
  reader.epoch.exchange(reader.epoch.load(std::memory_order_relaxed),
                        std::memory_order_seq_cst);
  FenceThisThread();
}

}  // namespace internal

uint64_t RetireEpoch() {
  return internal::current_epoch.fetch_add(1, std::memory_order_seq_cst);
}

bool EpochHasPassed(uint64_t epoch) {
  using internal::fenced_epoch;
  using internal::passed_epoch;
  if (epoch <= passed_epoch.load(std::memory_order_acquire)) return true;
  if (epoch > fenced_epoch.load(std::memory_order_acquire)) {
    const uint64_t closed =
        internal::current_epoch.load(std::memory_order_seq_cst) - 1;
    if (!internal::FenceReaders()) return false;
    internal::RaiseTo(fenced_epoch, closed);
  }
  // Who entered an epoch up to the fenced one is seen here, or has entered
  // after the fence and so can't see what had been made unreachable before.
  const uint64_t fenced = fenced_epoch.load(std::memory_order_acquire);
  internal::RaiseTo(passed_epoch, internal::OldestEpochRead(fenced + 1) - 1);
  return epoch <= passed_epoch.load(std::memory_order_acquire);
}

void WaitForReaders() {
  const uint64_t epoch = RetireEpoch();
  // A reader that lost its processor needs one, and more than a moment.
  constexpr std::chrono::microseconds kPause(50);
  while (!EpochHasPassed(epoch)) std::this_thread::sleep_for(kPause);
}

}  // namespace stave
