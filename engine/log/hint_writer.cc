#include "engine/log/hint_writer.h"

#include <iterator>
#include <utility>

#include "engine/base/parallel.h"
#include "engine/log/hint_file.h"

namespace stave {
namespace {

// Segments that a Close still reads for their hints: a tenth of a second, if
// their records are small.
constexpr uint64_t kMaxBytesAtClose = 64 << 20;

}  // namespace

HintWriter::HintWriter(Directory* directory, const KeyHasher* hasher,
                       bool background_thread, std::vector<Sealed> missing,
                       std::function<bool()> may_write)
    : directory_(directory),
      hasher_(*hasher),
      background_thread_(background_thread),
      may_write_(std::move(may_write)),
      missing_(std::make_move_iterator(missing.begin()),
               std::make_move_iterator(missing.end())) {}

void HintWriter::Add(Sealed sealed) {
  if (!background_thread_) return Write(sealed);
  MutexLock lock(&mutex_);
  missing_.push_back(std::move(sealed));
  if (stopping_) return;
  if (!thread_.joinable()) {
    absl::StatusOr<std::thread> thread = StartThread([this] { Run(); });
    // Else Close, or the next one that is added, sees to it.
    if (thread.ok()) thread_ = *std::move(thread);
  }
  wake_.Signal();
}

void HintWriter::Run() {
  MutexLock lock(&mutex_);
  while (true) {
    while (!stopping_ && missing_.empty()) wake_.Wait(&mutex_);
    if (stopping_) return;
    const Sealed sealed = *Take();
    writing_ = sealed.segment->id();
    mutex_.Unlock();
    Write(sealed);
    mutex_.Lock();
    writing_ = 0;
    written_.SignalAll();
  }
}

std::optional<HintWriter::Sealed> HintWriter::Take() {
  if (missing_.empty()) return std::nullopt;
  Sealed sealed = std::move(missing_.front());
  missing_.pop_front();
  return sealed;
}

void HintWriter::Write(const Sealed& sealed) {
  if (!may_write_()) return;
  WriteHint(directory_, sealed.segment.get(), sealed.summary, hasher_)
      .IgnoreError();
}

void HintWriter::Remove(SegmentId id) {
  {
    MutexLock lock(&mutex_);
    for (auto it = missing_.begin(); it != missing_.end(); ++it) {
      if (it->segment->id() != id) continue;
      missing_.erase(it);
      break;
    }
    while (writing_ == id) written_.Wait(&mutex_);
  }
  RemoveHint(directory_, id);
}

void HintWriter::Close() {
  StopThread();
  uint64_t bytes = 0;
  while (true) {
    std::optional<Sealed> sealed;
    {
      MutexLock lock(&mutex_);
      sealed = Take();
    }
    if (!sealed.has_value()) return;
    bytes += sealed->summary.length;
    if (bytes > kMaxBytesAtClose) return;
    Write(*sealed);
  }
}

void HintWriter::StopThread() {
  std::thread thread;
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    thread.swap(thread_);
    wake_.SignalAll();
  }
  if (thread.joinable()) thread.join();
}

}  // namespace stave
