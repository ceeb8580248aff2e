#include "engine/core/expiry_sweeper.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/base/durability_site.h"
#include "engine/base/epoch.h"
#include "engine/base/mutex.h"
#include "engine/base/steady_time.h"
#include "engine/format/record.h"
#include "engine/log/segment_scanner.h"

namespace stave {
namespace {

// A segment is worth another walk when this part of its records has expired.
constexpr uint64_t kWorthwhileFraction = 8;
// So many times as long as a sweep took there is none.
constexpr int64_t kRestFactor = 3;
// Who waits for merges waits for a sweep too: so long, or a segment more.
constexpr int64_t kLongestRunNs = 50'000'000;
// So many keys are collected before they are removed.
constexpr size_t kMostExpired = 1 << 16;
// After so many the append lock is left alone for a moment: a mutex that is
// released and taken at once stays with who has it.
constexpr size_t kRemovalsInARow = 256;
constexpr absl::Duration kPause = absl::Microseconds(50);
// Keys whose slots are on their way from memory together.
constexpr size_t kGroupSize = 64;

// The keys of one segment that expire at some time: those that have, and when
// the others will.
class ExpiringKeys {
 public:
  ExpiringKeys(State* state, const Segment& segment, int64_t now_ms)
      : state_(*state), segment_(segment), now_ms_(now_ms) {}

  void Take(const RecordView& record) {
    group_.push_back({record, (*state_.hasher)(record.key)});
    if (group_.size() == kGroupSize ||
        SegmentScanner::AreManyBytes(group_.front().record, record)) {
      LookUp();
    }
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
        expired_.push_back(MakeExpiredKey(state_, {record.key, hash}, entry,
                                          header.record_size()));
      } else {
        later_.push_back({header.expire_at_ms, header.record_size()});
      }
    }
    group_.clear();
  }

  const std::vector<ExpiredKey>& expired() const { return expired_; }
  std::vector<ExpiredKey> TakeExpired() { return std::exchange(expired_, {}); }
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

void RemoveOne(State* state, Log* log, const ExpiredKey& expired) {
  // An iterator may look at a time before it expired: no instant may begin
  // between the entry's being saved and its removal.
  MutexLock lock(&log->append_mutex());
  EpochGuard guard;
  const KeyRef key{expired.key, expired.hash};
  if (state->keydir->Find(key) != expired.entry) return;
  state->SaveVersion(key, expired.entry, /*has_expired=*/true);
  state->publication.NoteChange(/*is_removal=*/true);
  if (state->keydir->CompareAndSwap(key, expired.entry, KeydirEntry())) {
    state->SubtractLive(state->segments->Find(expired.entry.location()),
                        expired.size);
    state->expired_keys_removed.fetch_add(1, std::memory_order_relaxed);
  }
  state->publication.NoteChanged();
}

}  // namespace

ExpiredKey MakeExpiredKey(const State& state, const KeyRef& key,
                          KeydirEntry entry, uint64_t record_size) {
  const std::string_view bytes =
      state.keydir->order() != nullptr ? key.bytes : std::string_view();
  return {key.hash, entry, record_size, std::string(bytes)};
}

void RemoveExpired(State* state, Log* log, absl::Span<const ExpiredKey> keys) {
  for (size_t i = 0; i < keys.size(); ++i) {
    RemoveOne(state, log, keys[i]);
    if (i % kRemovalsInARow == kRemovalsInARow - 1) absl::SleepFor(kPause);
  }
}

bool ExpirySweeper::Run(bool now, const std::atomic<bool>& cancelled) {
  if (!state_.has_expiries.load(std::memory_order_relaxed)) return false;
  const int64_t begin_ns = SteadyNowNs();
  if (!now && begin_ns < rest_until_ns_) return false;
  const int64_t now_ms = state_.clock->NowMs();
  std::vector<std::shared_ptr<Segment>> segments = state_.segments->All();
  const auto first = std::find_if(
      segments.begin(), segments.end(),
      [this](const auto& segment) { return segment->id() == stopped_at_; });
  if (first != segments.end()) {
    std::rotate(segments.begin(), first, segments.end());
  }
  has_more_ = false;
  bool any = false;
  for (const std::shared_ptr<Segment>& segment : segments) {
    if (segment->next_expiry_ms() > now_ms || segment->quarantined()) continue;
    if (!now && SteadyNowNs() - begin_ns > kLongestRunNs) {
      has_more_ = true;
      stopped_at_ = segment->id();
      break;
    }
    any |= Sweep(segment.get(), now_ms, cancelled);
  }
  const int64_t end_ns = SteadyNowNs();
  rest_until_ns_ = end_ns + kRestFactor * (end_ns - begin_ns);
  return any;
}

bool ExpirySweeper::Sweep(Segment* segment, int64_t now_ms,
                          const std::atomic<bool>& cancelled) {
  uint64_t end = 0;
  {
    // A batch that finds no space is taken back under it.
    MutexLock lock(&log_.append_mutex());
    // Records that are added from now on lower it again.
    segment->ForgetExpiries();
    end = segment->end().load(std::memory_order_acquire);
  }
  SegmentScanner scanner(*segment, end, /*check_bodies=*/false);
  ExpiringKeys keys(&state_, *segment, now_ms);
  bool any = false;
  const auto remove_expired = [&] {
    const std::vector<ExpiredKey> expired = keys.TakeExpired();
    if (expired.empty()) return;
    const bool removed = Remove(expired);
    if (!removed) segment->NoteExpiry(now_ms);  // the disk is full
    any |= removed;
  };
  RecordView record;
  while (scanner.Next(&record) == SegmentScanner::Step::kRecord) {
    const RecordHeader& header = record.header;
    if (header.kind == RecordKind::kPut && header.expires) keys.Take(record);
    if (keys.expired().size() >= kMostExpired) remove_expired();
    if (cancelled.load(std::memory_order_relaxed)) return any;
  }
  keys.LookUp();
  // What could not be read may be readable when the next one comes.
  if (!scanner.read_status().ok()) segment->NoteExpiry(now_ms);
  segment->NoteExpiry(
      keys.TimeWhenExpired(scanner.offset() / kWorthwhileFraction));
  remove_expired();
  return any;
}

bool ExpirySweeper::Remove(absl::Span<const ExpiredKey> keys) {
  // I12: once a key is gone, nobody can tell any more that it was the clock
  // that made it absent.
  const absl::Status floor =
      DURABILITY_SITE(kSweepFloor, log_.SyncClockFloor());
  if (!floor.ok()) return false;
  RemoveExpired(&state_, &log_, keys);
  return true;
}

}  // namespace stave
