#include "engine/core/expiry_sweeper.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <optional>
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
// So many times as long as a sweep took there is none, but not for longer than
// this, for which there is none either after something could not be removed.
constexpr int64_t kRestFactor = 3;
constexpr int64_t kLongestRestNs = 1'000'000'000;
// A segment that could not be read is tried again after so long.
constexpr int64_t kUnreadableMs = 1000;
// Who waits for merges waits for a sweep too: so long, or a segment more.
constexpr int64_t kLongestRunNs = 20'000'000;
// Nobody plans further ahead.
constexpr int64_t kLongestWaitMs = 3'600'000;
// So many keys are collected before they are removed.
constexpr size_t kMostExpired = 1 << 16;
// So many are removed while the append lock is held, which takes some
// microseconds.
constexpr size_t kRemovalsTogether = 32;
// After so many it is left alone for a moment: a mutex that is released and
// taken at once stays with who has it.
constexpr size_t kRemovalsInARow = 256;
constexpr absl::Duration kPause = absl::Microseconds(50);
// Keys whose slots are on their way from memory together.
constexpr size_t kGroupSize = 64;

// When records will have expired: how many of their bytes, and by when, to a
// sixteenth of the time that is left.
class ExpiryForecast {
 public:
  explicit ExpiryForecast(int64_t now_ms) : now_ms_(now_ms) {}

  void Add(int64_t at_ms, uint64_t bytes) {
    Span& span = spans_[IndexOf(static_cast<uint64_t>(at_ms - now_ms_))];
    span.bytes += bytes;
    span.last_ms = std::max(span.last_ms, at_ms);
  }
  // When so many bytes will have expired, or all.
  int64_t TimeWhenExpired(uint64_t bytes) const {
    uint64_t sum = 0;
    int64_t time_ms = Segment::kNoExpiry;
    for (const Span& span : spans_) {
      if (span.bytes == 0) continue;
      time_ms = span.last_ms;
      sum += span.bytes;
      if (sum >= bytes) break;
    }
    return time_ms;
  }

 private:
  // Of times between a power of two and the next, a sixteenth.
  struct Span {
    uint64_t bytes = 0;
    int64_t last_ms = 0;
  };
  static constexpr int kFractionBits = 4;
  static constexpr uint64_t kFractions = uint64_t{1} << kFractionBits;

  static size_t IndexOf(uint64_t delay_ms) {
    if (delay_ms < kFractions) return delay_ms;
    const int power = std::bit_width(delay_ms) - 1 - kFractionBits;
    return static_cast<size_t>(power) * kFractions + (delay_ms >> power);
  }

  const int64_t now_ms_;
  std::array<Span, (64 - kFractionBits + 1) * kFractions> spans_;
};

// The keys of one segment that have expired.
class ExpiredKeys {
 public:
  ExpiredKeys(State* state, const Segment& segment)
      : state_(*state), segment_(segment) {}

  // Of a record that has.
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
      expired_.push_back(MakeExpiredKey(state_, {record.key, hash}, entry,
                                        record.header.record_size()));
    }
    group_.clear();
  }

  const std::vector<ExpiredKey>& expired() const { return expired_; }
  std::vector<ExpiredKey> TakeExpired() { return std::exchange(expired_, {}); }

 private:
  struct Candidate {
    RecordView record;
    KeyHash hash;
  };

  State& state_;
  const Segment& segment_;
  std::vector<Candidate> group_;
  std::vector<ExpiredKey> expired_;
};

void RemoveGroup(State* state, Log* log, absl::Span<const ExpiredKey> group) {
  {
    EpochGuard guard;
    for (const ExpiredKey& expired : group) {
      state->keydir->Prefetch({expired.key, expired.hash});
    }
  }
  // An iterator may look at a time before they expired: no instant may begin
  // between an entry's being saved and its removal.
  MutexLock lock(&log->append_mutex());
  EpochGuard guard;
  for (const ExpiredKey& expired : group) {
    const KeyRef key{expired.key, expired.hash};
    if (state->keydir->Find(key) != expired.entry) continue;
    state->SaveVersion(key, expired.entry, /*has_expired=*/true);
    state->publication.NoteChange(/*is_removal=*/true);
    if (state->keydir->CompareAndSwap(key, expired.entry, KeydirEntry())) {
      state->SubtractLive(state->segments->Find(expired.entry.location()),
                          expired.size);
      state->expired_keys_removed.fetch_add(1, std::memory_order_relaxed);
    }
    state->publication.NoteChanged();
  }
}

}  // namespace

ExpiredKey MakeExpiredKey(const State& state, const KeyRef& key,
                          KeydirEntry entry, uint64_t record_size) {
  const std::string_view bytes =
      state.keydir->order() != nullptr ? key.bytes : std::string_view();
  return {key.hash, entry, record_size, std::string(bytes)};
}

void RemoveExpired(State* state, Log* log, absl::Span<const ExpiredKey> keys) {
  for (size_t i = 0; i < keys.size(); i += kRemovalsTogether) {
    if (i > 0 && i % kRemovalsInARow == 0) absl::SleepFor(kPause);
    RemoveGroup(state, log, keys.subspan(i, kRemovalsTogether));
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
  has_failed_ = false;
  bool any = false, has_more = false;
  int64_t next_ms = Segment::kNoExpiry;
  // Who wants it now wants it of those that could not be read before, too.
  const int64_t due_ms = now ? now_ms + kUnreadableMs : now_ms;
  for (const std::shared_ptr<Segment>& segment : segments) {
    if (segment->quarantined()) continue;
    if (segment->next_expiry_ms() <= due_ms) {
      has_more = !now && SteadyNowNs() - begin_ns > kLongestRunNs;
      if (has_more) {
        stopped_at_ = segment->id();
        break;
      }
      any |= Sweep(segment.get(), now_ms, cancelled);
    }
    next_ms = std::min(next_ms, segment->next_expiry_ms());
    if (has_failed_) break;
  }
  const int64_t end_ns = SteadyNowNs();
  int64_t rest_ns = std::min(kRestFactor * (end_ns - begin_ns), kLongestRestNs);
  // With a rest, what it has not come to would become ever more.
  if (has_more) rest_ns = 0;
  if (has_failed_) rest_ns = kLongestRestNs;
  rest_until_ns_ = end_ns + rest_ns;
  const int64_t to_next_ms =
      std::min(std::max(next_ms, now_ms) - now_ms, kLongestWaitMs);
  next_run_ns_ =
      has_more ? rest_until_ns_
               : std::max(rest_until_ns_, end_ns + to_next_ms * 1'000'000);
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
  const uint64_t begin = segment->all_expired_before().load();
  SegmentScanner scanner(*segment, end, /*check_bodies=*/false, begin);
  ExpiredKeys keys(&state_, *segment);
  ExpiryForecast forecast(now_ms);
  std::optional<uint64_t> first_to_expire;
  bool any = false, is_left = false;
  const auto remove_expired = [&] {
    const std::vector<ExpiredKey> expired = keys.TakeExpired();
    if (expired.empty()) return;
    const bool removed = Remove(expired);
    is_left |= !removed;  // the disk is full
    any |= removed;
  };
  RecordView record;
  while (scanner.Next(&record) == SegmentScanner::Step::kRecord) {
    if (cancelled.load(std::memory_order_relaxed)) return any;
    const RecordHeader& header = record.header;
    if (header.kind != RecordKind::kPut || !header.expires) continue;
    if (state_.clock->HasExpired(header.expire_at_ms, now_ms)) {
      keys.Take(record);
      if (keys.expired().size() >= kMostExpired) remove_expired();
    } else {
      forecast.Add(header.expire_at_ms, header.record_size());
      if (!first_to_expire.has_value()) first_to_expire = record.offset;
    }
  }
  keys.LookUp();
  remove_expired();
  // What could not be removed, or read, is for a later one.
  if (is_left) {
    has_failed_ = true;
    segment->NoteExpiry(now_ms);
  } else if (!scanner.read_status().ok()) {
    segment->NoteExpiry(now_ms + kUnreadableMs);
  } else {
    segment->all_expired_before() = first_to_expire.value_or(scanner.offset());
  }
  segment->NoteExpiry(
      forecast.TimeWhenExpired(scanner.offset() / kWorthwhileFraction));
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
