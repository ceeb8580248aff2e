#include "engine/core/call_times.h"

#include <algorithm>

namespace stave {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

template <typename Visit>
void CallTimes::ForEachThread(const Visit& visit) const {
  for (size_t block = 0; block < kBlocks; ++block) {
    const Thread* const threads =
        blocks_[block].load(std::memory_order_acquire);
    if (threads == nullptr) continue;
    std::for_each(threads, threads + (size_t{1} << block), visit);
  }
}

CallTimes::~CallTimes() {
  ForEachThread([](const Thread& thread) {
    for (const std::atomic<Slots*>& slots : thread.timed) delete slots.load();
  });
  for (std::atomic<Thread*>& block : blocks_) delete[] block.load();
}

CallTimes::Thread* CallTimes::MakeBlock(int block) {
  Thread* const made = new Thread[size_t{1} << block];
  Thread* present = nullptr;
  if (blocks_[block].compare_exchange_strong(present, made,
                                             std::memory_order_acq_rel)) {
    return made;
  }
  delete[] made;  // another thread was faster
  return present;
}

void CallTimes::Record(Thread* thread, Operation operation, uint64_t ns) {
  std::atomic<Slots*>& timed = thread->timed[static_cast<size_t>(operation)];
  Slots* slots = timed.load(kRelaxed);
  if (slots == nullptr) {
    slots = new Slots;
    timed.store(slots, std::memory_order_release);
  }
  Increase(&slots->counts[LatencyHistogram::IndexOf(ns)], 1);
  Increase(&slots->sum, ns);
  slots->max.store(std::max(slots->max.load(kRelaxed), ns), kRelaxed);
}

uint64_t CallTimes::Calls(Operation operation) const {
  uint64_t calls = 0;
  ForEachThread([&](const Thread& thread) {
    calls += thread.calls[static_cast<size_t>(operation)].load(kRelaxed);
  });
  return calls;
}

uint64_t CallTimes::Keys() const {
  uint64_t keys = 0;
  ForEachThread(
      [&keys](const Thread& thread) { keys += thread.keys.load(kRelaxed); });
  return keys;
}

LatencyHistogram CallTimes::Latencies(Operation operation) const {
  LatencyHistogram latencies;
  ForEachThread([&](const Thread& thread) {
    const Slots* const slots =
        thread.timed[static_cast<size_t>(operation)].load(
            std::memory_order_acquire);
    if (slots == nullptr) return;
    latencies.AddCounts(slots->counts, slots->sum.load(kRelaxed),
                        slots->max.load(kRelaxed));
  });
  return latencies;
}

}  // namespace stave
