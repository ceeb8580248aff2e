#include "engine/core/expiry_sweeper.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "absl/status/status.h"
#include "engine/base/durability_site.h"
#include "engine/base/epoch.h"
#include "engine/base/mutex.h"
#include "engine/format/record.h"
#include "engine/log/segment_scanner.h"

namespace stave {
namespace {

// A segment is worth another walk when this part of its records has expired.
constexpr uint64_t kWorthwhileFraction = 8;
// So many times as long as a sweep took there is none.
constexpr int64_t kRestFactor = 3;
// Keys whose slots are on their way from memory together.
constexpr size_t kGroupSize = 64;

int64_t SteadyNowNs() {
  return std::chrono::steady_clock::now().time_since_epoch() /
         std::chrono::nanoseconds(1);
}

// The keys of one segment that expire at some time: those that have, and when
// the others will.
class ExpiringKeys {
 public:
  ExpiringKeys(State* state, const Segment& segment, int64_t now_ms)
      : state_(*state), segment_(segment), now_ms_(now_ms) {}

  void Take(const RecordView& record) {
    group_.push_back({record, (*state_.hasher)(record.key)});
    if (group_.size() == kGroupSize) LookUp();
  }
  void LookUp() {
    EpochGuard guard;
    for (const auto& [record, hash] : group_) {
      state_.keydir->Prefetch({record.key, hash});
    }
    for (const auto& [record, hash] : group_) {
      const KeydirEntry entry = state_.keydir->Find({record.key, hash});
      if (entry.absent() ||
          entry.location() != segment_.LocationOf(record.offset)) {
        continue;
      }
      const RecordHeader& header = record.header;
      if (state_.clock->HasExpired(header.expire_at_ms, now_ms_)) {
        expired_.push_back({hash, entry});
      } else {
        later_.push_back({header.expire_at_ms, header.record_size()});
      }
    }
    group_.clear();
  }

  const std::vector<ExpiredKey>& expired() const { return expired_; }
  // When so many bytes will have expired, or all.
  int64_t TimeWhenExpired(uint64_t bytes) {
    std::sort(later_.begin(), later_.end(),
              [](const Later& a, const Later& b) { return a.at_ms < b.at_ms; });
    uint64_t sum = 0;
    for (const Later& each : later_) {
      sum += each.bytes;
      if (sum >= bytes) return each.at_ms;
    }
    return later_.empty() ? Segment::kNoExpiry : later_.back().at_ms;
  }

 private:
  struct Candidate {
    RecordView record;
    KeyHash hash;
  };
  struct Later {
    int64_t at_ms;
    uint64_t bytes;
  };

  State& state_;
  const Segment& segment_;
  const int64_t now_ms_;
  std::vector<Candidate> group_;
  std::vector<ExpiredKey> expired_;
  std::vector<Later> later_;
};

}  // namespace

void RemoveExpired(State* state, Log* log, const ExpiredKey& expired) {
  // An iterator may look at a time before it expired: no instant may begin
  // between the entry's being saved and its removal.
  MutexLock lock(&log->append_mutex());
  EpochGuard guard;
  Segment* segment = nullptr;
  RecordView record;
  if (!state->ReadAt(expired.entry, &segment, &record).ok()) return;
  const KeyRef key{record.key, expired.hash};
  if (state->keydir->Find(key) != expired.entry) return;
  state->SaveVersion(key, expired.entry, /*has_expired=*/true);
  state->publication.NoteChange(/*is_removal=*/true);
  if (state->keydir->CompareAndSwap(key, expired.entry, KeydirEntry())) {
    state->SubtractLive(segment, record.header.record_size());
  }
  state->publication.NoteChanged();
}

bool ExpirySweeper::Run(bool now, const std::atomic<bool>& cancelled) {
  if (!state_.has_expiries.load(std::memory_order_relaxed)) return false;
  const int64_t begin_ns = SteadyNowNs();
  if (!now && begin_ns < rest_until_ns_) return false;
  const int64_t now_ms = state_.clock->NowMs();
  bool any = false;
  for (const std::shared_ptr<Segment>& segment : state_.segments->All()) {
    if (segment->next_expiry_ms() > now_ms || segment->quarantined()) continue;
    any |= Sweep(segment.get(), now_ms, cancelled);
  }
  const int64_t end_ns = SteadyNowNs();
  rest_until_ns_ = end_ns + kRestFactor * (end_ns - begin_ns);
  return any;
}

bool ExpirySweeper::Sweep(Segment* segment, int64_t now_ms,
                          const std::atomic<bool>& cancelled) {
  // Records that are added from now on lower it again.
  segment->ForgetExpiries();
  SegmentScanner scanner(
      std::string_view(segment->data(),
                       segment->end().load(std::memory_order_acquire)),
      segment->seed(), /*check_bodies=*/false, segment->header().kind);
  ExpiringKeys keys(&state_, *segment, now_ms);
  RecordView record;
  while (scanner.Next(&record) == SegmentScanner::Step::kRecord) {
    const RecordHeader& header = record.header;
    if (header.kind == RecordKind::kPut && header.expires) keys.Take(record);
    if (cancelled.load(std::memory_order_relaxed)) return false;
  }
  keys.LookUp();
  segment->NoteExpiry(
      keys.TimeWhenExpired(scanner.offset() / kWorthwhileFraction));
  if (keys.expired().empty()) return false;
  // I12: once a key is gone, nobody can tell any more that it was the clock
  // that made it absent.
  const absl::Status floor =
      DURABILITY_SITE(kSweepFloor, log_.SyncClockFloor());
  if (!floor.ok()) {
    segment->NoteExpiry(now_ms);
    return false;
  }
  for (const ExpiredKey& each : keys.expired()) {
    RemoveExpired(&state_, &log_, each);
  }
  return true;
}

}  // namespace stave
