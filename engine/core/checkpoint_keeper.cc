#include "engine/core/checkpoint_keeper.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "engine/base/parallel.h"
#include "engine/core/checkpoint_scope.h"
#include "engine/core/checkpoint_writer.h"
#include "engine/format/checkpoint.h"
#include "engine/format/file_names.h"

namespace stave {
namespace {

// So many times its own bytes are written between two checkpoints, so that they
// never are the larger part of what the store writes.
constexpr uint64_t kBytesPerCheckpointByte = 3;
// The part of an interval that is left to the next open, after a close, to read
// beside a checkpoint: 8 MiB of 512, some ten milliseconds' work.
constexpr uint64_t kIntervalsAtClose = 64;

}  // namespace

CheckpointKeeper::CheckpointKeeper(Settings settings, const Found& found)
    : settings_(std::move(settings)),
      uncovered_then_(found.uncovered_bytes),
      last_generation_(found.last_generation),
      last_(found.kept) {}

uint64_t CheckpointKeeper::Interval() const {
  return std::max(settings_.interval_bytes,
                  kBytesPerCheckpointByte * CheckpointBytes());
}

uint64_t CheckpointKeeper::CheckpointBytes() const {
  const uint64_t keys = settings_.state->keydir->GetStatistics().keys;
  return std::max<uint64_t>(kCheckpointKeyBytes * keys, last_bytes_);
}

bool CheckpointKeeper::HasKeys() const {
  return settings_.state->keydir->GetStatistics().keys >= settings_.min_keys;
}

uint64_t CheckpointKeeper::UncoveredBytes() const {
  return uncovered_then_ + settings_.written_bytes() - written_then_;
}

void CheckpointKeeper::OnSeal() {
  if (stopping_ || !HasKeys() || settings_.written_bytes() < not_before_ ||
      UncoveredBytes() < Interval()) {
    return;
  }
  due_ = true;
  if (!settings_.background_threads) return;
  MutexLock lock(&mutex_);
  wake_.Signal();
  if (thread_.joinable() || stopping_) return;
  absl::StatusOr<std::thread> thread = StartThread([this] { Run(); });
  // Else the next seal tries again.
  if (thread.ok()) thread_ = *std::move(thread);
}

void CheckpointKeeper::Run() {
  while (true) {
    {
      MutexLock lock(&mutex_);
      while (!stopping_ && !due_) wake_.Wait(&mutex_);
      if (stopping_) return;
    }
    WriteIfDue();
  }
}

void CheckpointKeeper::WriteIfDue() {
  if (due_.exchange(false)) Write(/*threads=*/1, stopping_);
}

void CheckpointKeeper::Stop() {
  std::thread thread;
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    thread.swap(thread_);
    wake_.SignalAll();
  }
  if (thread.joinable()) thread.join();
}

bool CheckpointKeeper::IsWantedAtClose() const {
  return HasKeys() && UncoveredBytes() > Interval() / kIntervalsAtClose;
}

void CheckpointKeeper::WriteAtClose() {
  const std::atomic<bool> never{false};
  Write(settings_.threads_at_close, never);
}

void CheckpointKeeper::Write(size_t threads,
                             const std::atomic<bool>& cancelled) {
  MutexLock lock(&write_mutex_);
  if (settings_.log->LacksReserve()) return;
  // In this order: what is written meanwhile counts as not covered.
  const uint64_t written = settings_.written_bytes();
  const CheckpointScope scope = CheckpointScope::Of(settings_.manifest->state(),
                                                    *settings_.state->segments);
  const uint64_t uncovered = scope.UncoveredBytes(*settings_.state->segments);
  const uint64_t generation = ++last_generation_;
  const absl::StatusOr<uint64_t> bytes =
      WriteCheckpoint(settings_.directory, generation, scope, settings_.state,
                      settings_.log, threads, cancelled);
  // Seals meanwhile did not know of this one.
  due_ = false;
  if (!bytes.ok()) {
    not_before_ = written + Interval() / 2;
    return;
  }
  if (last_.has_value()) {
    // One that stays behind is removed by the next open.
    settings_.directory->Unlink(CheckpointFileName(*last_)).IgnoreError();
  }
  last_ = generation;
  last_bytes_ = *bytes;
  uncovered_then_ = uncovered;
  written_then_ = written;
  ++written_;
}

}  // namespace stave
