#ifndef STAVE_ENGINE_CORE_CALL_TIMES_H_
#define STAVE_ENGINE_CORE_CALL_TIMES_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/base/epoch.h"
#include "engine/base/mutex.h"
#include "engine/base/steady_time.h"
#include "stave/latency_histogram.h"

namespace stave {

enum class Operation { kGet, kPut, kDelete, kWrite, kUpdate, kMultiGet };
inline constexpr size_t kOperations = 6;

// How often a store's operations were called, and how long they took. Each
// thread counts for itself, in lines that no other thread writes, and reads the
// clock for one call in 64; whoever asks adds up. What a thread has counted
// stays when it ends, and the one that gets its number goes on with it.
//
// Takes 128 bytes a thread that calls the store, and 15 KB for each of its
// operations that has been timed. Thread-safe.
class CallTimes {
 public:
  // Of each operation of a thread one call in so many is timed.
  static constexpr uint64_t kCallsPerTimed = 64;

  CallTimes() = default;
  CallTimes(const CallTimes&) = delete;
  CallTimes& operator=(const CallTimes&) = delete;
  ~CallTimes();

  // Counts the keys of a MultiGet.
  void AddKeys(uint64_t keys) { Increase(&Mine().keys, keys); }

  // These may miss calls that run meanwhile.
  uint64_t Calls(Operation operation) const;
  uint64_t Keys() const;
  LatencyHistogram Latencies(Operation operation) const;  // in nanoseconds

 private:
  friend class TimedCall;

  // Written by one thread alone.
  struct Slots {
    std::array<std::atomic<uint64_t>, LatencyHistogram::kSlots> counts{};
    std::atomic<uint64_t> sum{0};
    std::atomic<uint64_t> max{0};
  };
  struct alignas(64) Thread {
    std::array<std::atomic<uint64_t>, kOperations> calls{};
    std::atomic<uint64_t> keys{0};
    std::array<std::atomic<Slots*>, kOperations> timed{};
  };
  // Threads by their numbers from one on, 2^i of them in block i: more than
  // Linux has.
  static constexpr size_t kBlocks = 23;

  static void Increase(std::atomic<uint64_t>* count, uint64_t by) {
    count->store(count->load(std::memory_order_relaxed) + by,
                 std::memory_order_relaxed);
  }

  Thread& Mine() {
    const uint64_t number = uint64_t{ThreadNumber()} + 1;
    const int block = std::bit_width(number) - 1;
    Thread* threads = blocks_[block].load(std::memory_order_acquire);
    if (threads == nullptr) [[unlikely]]
      threads = MakeBlock(block);
    return threads[number - (uint64_t{1} << block)];
  }
  Thread* MakeBlock(int block);
  static void Record(Thread* thread, Operation operation, uint64_t ns);
  template <typename Visit>
  void ForEachThread(const Visit& visit) const;

  std::array<std::atomic<Thread*>, kBlocks> blocks_{};
};

// Counts a call, and times it if it is its turn. For one thread.
class TimedCall {
 public:
  TimedCall(CallTimes* times, Operation operation)
      : thread_(times->Mine()), operation_(operation) {
    std::atomic<uint64_t>& calls =
        thread_.calls[static_cast<size_t>(operation)];
    const uint64_t count = calls.load(std::memory_order_relaxed) + 1;
    calls.store(count, std::memory_order_relaxed);
    if (count % CallTimes::kCallsPerTimed == 0) [[unlikely]]
      begin_ns_ = SteadyNowNs();
  }
  ~TimedCall() {
    if (begin_ns_ != kNotTimed) [[unlikely]] {
      CallTimes::Record(&thread_, operation_,
                        static_cast<uint64_t>(SteadyNowNs() - begin_ns_));
    }
  }
  TimedCall(const TimedCall&) = delete;
  TimedCall& operator=(const TimedCall&) = delete;

 private:
  static constexpr int64_t kNotTimed = INT64_MIN;

  CallTimes::Thread& thread_;
  const Operation operation_;
  int64_t begin_ns_ = kNotTimed;
};

// Durations of what is done now and then, by any thread. Thread-safe.
class SharedLatencies {
 public:
  void Add(uint64_t ns) {
    MutexLock lock(&mutex_);
    latencies_.Add(ns);
  }
  LatencyHistogram Get() const {
    MutexLock lock(&mutex_);
    return latencies_;
  }

 private:
  mutable Mutex mutex_;
  LatencyHistogram latencies_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_CALL_TIMES_H_
