#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/parallel.h"
#include "engine/base/steady_time.h"
#include "engine/log/log.h"

namespace stave {
namespace {

// How often the populator looks how far the log has grown, and for how long
// the pages that it makes present should last at that rate.
constexpr absl::Duration kPopulatePeriod = absl::Milliseconds(10);
constexpr uint64_t kPeriodsAhead = 5;
// So many idle periods later it goes to sleep.
constexpr int kIdlePeriods = 20;
constexpr uint64_t kLeastWindowBytes = 64 << 10;
// A next segment is made when this part of the active one is used: there is
// none in a store that never gets there.
constexpr uint64_t kPrepareAtFraction = 2;
// How long the clock's floor may stay behind an expiry that was seen (I12).
constexpr absl::Duration kFloorInterval = absl::Seconds(1);

}  // namespace

void Log::Start() {
  MutexLock lock(&append_mutex_);
  if (!started_) StartThreads().IgnoreError();  // a write will meet the error
}

absl::Status Log::StartThreads() {
  WantReserve();
  if (settings_.background_threads) {
    // Without the flusher nobody would keep the promise of sync_interval.
    absl::StatusOr<std::thread> flusher = StartThread([this] { RunFlusher(); });
    if (!flusher.ok()) {
      return absl::ResourceExhaustedError(
          absl::StrCat(flusher.status().message(),
                       "; Options::background_threads = false needs none"));
    }
    threads_.push_back(*std::move(flusher));
    // The populator only makes writers faster.
    absl::StatusOr<std::thread> populator =
        StartThread([this] { RunPopulator(); });
    if (populator.ok()) threads_.push_back(*std::move(populator));
  }
  started_ = true;
  return absl::OkStatus();
}

void Log::StopThreads() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(&append_mutex_);
    threads.swap(threads_);
  }
  {
    MutexLock lock(&thread_mutex_);
    stopping_ = true;
    flusher_wake_.SignalAll();
    populator_wake_.SignalAll();
  }
  for (std::thread& thread : threads) thread.join();
}

void Log::RunFlusher() {
  // With an interval of zero every write syncs by itself.
  const absl::Duration interval =
      settings_.sync_interval == absl::ZeroDuration() ? absl::InfiniteDuration()
                                                      : settings_.sync_interval;
  absl::Duration next_sync = SteadyNow() + interval;
  absl::Duration next_floor = SteadyNow() + kFloorInterval;
  while (WaitForFlusherWork(std::min(next_sync, next_floor) - SteadyNow())) {
    PrepareNextIfWanted();
    // An error has latched, or is a full disk, which appends will meet.
    SealRolled().IgnoreError();
    AdjustReserveIfWanted();
    if (SteadyNow() >= next_sync) {
      SyncAll().IgnoreError();  // it has latched
      next_sync = SteadyNow() + interval;
    }
    if (SteadyNow() >= next_floor) {
      SyncClockFloor().IgnoreError();
      next_floor = SteadyNow() + kFloorInterval;
    }
  }
  AdjustReserveIfWanted();  // the store may have been open for a moment only
}

bool Log::WaitForFlusherWork(absl::Duration until_sync) {
  const absl::Duration deadline = SteadyNow() + until_sync;
  MutexLock lock(&thread_mutex_);
  while (!stopping_ && !flusher_has_work_) {
    const absl::Duration left = deadline - SteadyNow();
    if (left <= absl::ZeroDuration()) break;
    flusher_wake_.WaitWithTimeout(&thread_mutex_, left);
  }
  flusher_has_work_ = false;
  return !stopping_;
}

void Log::PrepareNextIfWanted() {
  MutexLock lock(&append_mutex_);
  if (closed_ || creating_ || next_ != nullptr || active_ == nullptr) return;
  if (reserve_.lacking()) return;  // it would take space from deletes
  const uint64_t used_from =
      active_->segment()->capacity() / kPrepareAtFraction;
  if (!has_rolled_ && active_length() < used_from) return;
  PrepareNext(0).IgnoreError();  // appends will meet the error themselves
}

void Log::WantReserve() {
  if (!settings_.background_threads) {
    AdjustReserve().IgnoreError();  // puts that need it will ask again
    return;
  }
  MutexLock lock(&thread_mutex_);
  reserve_wanted_ = true;
  flusher_has_work_ = true;
  flusher_wake_.Signal();
}

void Log::AdjustReserveIfWanted() {
  {
    MutexLock lock(&thread_mutex_);
    if (!std::exchange(reserve_wanted_, false)) return;
  }
  AdjustReserve().IgnoreError();  // puts that need it will ask again
}

void Log::RunPopulator() {
  int idle_periods = 0;
  while (true) {
    idle_periods = PopulateForRate() ? 0 : idle_periods + 1;
    MutexLock lock(&thread_mutex_);
    if (stopping_) return;
    if (idle_periods < kIdlePeriods) {
      populator_wake_.WaitWithTimeout(&thread_mutex_, kPopulatePeriod);
      continue;
    }
    populator_sleeps_.store(true, std::memory_order_relaxed);
    while (!stopping_ && populator_sleeps_.load(std::memory_order_relaxed)) {
      populator_wake_.Wait(&thread_mutex_);
    }
    idle_periods = 0;
  }
}

bool Log::PopulateForRate() {
  Writer active, next;
  uint64_t bytes = 0;
  {
    MutexLock lock(&append_mutex_);
    active = active_;
    next = next_;
    bytes = bytes_appended_;
  }
  if (active == nullptr) return false;
  const uint64_t grown = bytes - populated_at_bytes_;
  const uint64_t synced = writer_syncs_.load(std::memory_order_relaxed) -
                          populated_at_writer_syncs_;
  populated_at_bytes_ = bytes;
  populated_at_writer_syncs_ += synced;
  // Durable puts pay for every dirty page that lies ahead of them, and for the
  // whole of the one that they are in.
  const bool durable = synced > 1 && grown / synced < File::kHugePageBytes;
  if (durable && std::exchange(may_be_huge_, false) &&
      active->huge_pages_lie_ahead()) {
    SealActive().IgnoreError();  // puts meet what is wrong too
    return true;
  }
  const uint64_t window =
      durable ? kLeastWindowBytes
              : std::max(grown * kPeriodsAhead, kLeastWindowBytes);
  if (grown == 0) return false;
  // Appends will meet a full disk; there it would take space from deletes.
  if (!reserve_.lacking()) active->ExtendAhead(settings_.space).IgnoreError();
  using Pages = SegmentWriter::Pages;
  const bool huge = may_be_huge_ && window >= File::kHugePageBytes;
  active->PopulateAhead(window, huge ? Pages::kHuge : Pages::kSmall);
  // Merges would wait for all of it at once.
  if (huge) active->StartSync();
  const uint64_t left = active->segment()->capacity() - active->length();
  if (next != nullptr && left < window) {
    next->PopulateAhead(window - left, Pages::kSmall);
  }
  // The flusher may be long at an fdatasync; who came to the segment's end
  // before a next one is there would have to make it.
  if (next == nullptr) PrepareNextIfWanted();
  return true;
}

}  // namespace stave
