#include "engine/index/retired_pages.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "engine/base/epoch.h"

namespace stave {
namespace {

// A batch is 1/256 of the keydir's memory, so that it isn't felt in the bytes a
// key, up to a size at which the interruptions aren't felt either.
constexpr size_t kBatchesPerKeydir = 256;
constexpr size_t kMinBatchBytes = size_t{8} << 10;
constexpr size_t kMaxBatchBytes = size_t{256} << 10;
// This many batches wait for readers before writers make way for them.
constexpr size_t kMaxBatchesWaiting = 8;

}  // namespace

RetiredPages::~RetiredPages() {
  closed_.push_back(std::move(open_));
  for (const Batch& batch : closed_) {
    for (PageDirectory directory : batch.directories) {
      PageDirectory::Destroy(directory);
    }
  }
}

void RetiredPages::Add(PageRef page) {
  SpinLockHolder hold(&lock_);
  open_.pages.push_back(page.offset());
  open_.bytes += page.length() * sizeof(Line);
}

void RetiredPages::Add(PageDirectory directory) {
  SpinLockHolder hold(&lock_);
  open_.directories.push_back(directory);
  open_.bytes += directory.bytes();
  directory_bytes_ += directory.bytes();
}

void RetiredPages::Reclaim() {
  if (!CloseBatch()) return;
  while (const std::optional<Batch> batch = TakePassedBatch()) Free(*batch);
  LetReadersRun();
}

bool RetiredPages::CloseBatch() {
  const size_t batch_bytes = std::clamp(arena_.bytes() / kBatchesPerKeydir,
                                        kMinBatchBytes, kMaxBatchBytes);
  SpinLockHolder hold(&lock_);
  if (open_.bytes < batch_bytes_) return false;
  batch_bytes_ = batch_bytes;
  closed_bytes_ += open_.bytes;
  open_.epoch = RetireEpoch();
  closed_.push_back(std::exchange(open_, Batch()));
  return true;
}

std::optional<RetiredPages::Batch> RetiredPages::TakePassedBatch() {
  uint64_t epoch = 0;
  {
    SpinLockHolder hold(&lock_);
    if (closed_.empty()) return std::nullopt;
    epoch = closed_.front().epoch;
  }
  // A system call, so not under a lock that others spin for.
  if (!EpochHasPassed(epoch)) return std::nullopt;
  SpinLockHolder hold(&lock_);
  // Another thread may have been faster.
  if (closed_.empty() || closed_.front().epoch != epoch) return std::nullopt;
  Batch batch = std::move(closed_.front());
  closed_.pop_front();
  closed_bytes_ -= batch.bytes;
  return batch;
}

void RetiredPages::Free(const Batch& batch) {
  for (const uint32_t page : batch.pages) arena_.Free(page);
  uint64_t bytes = 0;
  for (PageDirectory directory : batch.directories) {
    bytes += directory.bytes();
    PageDirectory::Destroy(directory);
  }
  SpinLockHolder hold(&lock_);
  directory_bytes_ -= bytes;
}

// A reader that lost its processor within a call holds up what waits here. It
// is let run, but not waited for: it may be waiting for a lock of this thread.
// Not by sched_yield, see SpinLock.
void RetiredPages::LetReadersRun() {
  bool too_much = false;
  {
    SpinLockHolder hold(&lock_);
    too_much = closed_bytes_ > kMaxBatchesWaiting * batch_bytes_;
  }
  if (too_much) std::this_thread::sleep_for(std::chrono::microseconds(20));
}

uint64_t RetiredPages::directory_bytes() const {
  SpinLockHolder hold(&lock_);
  return directory_bytes_;
}

}  // namespace stave
