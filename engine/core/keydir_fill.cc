#include "engine/core/keydir_fill.h"

#include <array>
#include <string>
#include <vector>

#include "engine/base/epoch.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/log/segment_scanner.h"

namespace stave {
namespace {

// Ranges of locations were reserved in log order.
bool IsLater(KeydirEntry a, KeydirEntry b) {
  return a.location().unit > b.location().unit;
}

// Walks one segment. Its keys go into the keydir some records after they were
// hashed, so that their slots are on the way from memory meanwhile.
class SegmentReader {
 public:
  SegmentReader(State* state, const SegmentToRead& source)
      : state_(*state), source_(source) {}

  absl::Status Run() {
    const Segment& segment = *source_.segment;
    SegmentScanner scanner(
        std::string_view(segment.data(), source_.summary.length),
        segment.seed(), source_.check_bodies);
    RecordView record;
    auto step = scanner.Next(&record);
    for (; step == SegmentScanner::Step::kRecord;
         step = scanner.Next(&record)) {
      RETURN_IF_ERROR(Take(record));
    }
    RETURN_IF_ERROR(OfferAll());
    if (step == SegmentScanner::Step::kBadRecord) {
      return state_.Damage(segment, scanner.offset(), scanner.problem());
    }
    if (scanner.summary() == source_.summary) return absl::OkStatus();
    return state_.Damage(segment, scanner.offset(),
                         "the segment's records are not those that were "
                         "there when it was sealed");
  }

 private:
  static constexpr size_t kAhead = 32;

  struct Waiting {
    KeyRef key;
    KeydirEntry entry;
  };

  absl::Status Take(const RecordView& record) {
    const RecordHeader& header = record.header;
    const bool is_put = header.kind == RecordKind::kPut;
    if (!is_put && header.kind != RecordKind::kDelete) {
      return absl::OkStatus();
    }
    const Location location = source_.segment->LocationOf(record.offset);
    Waiting& waiting = waiting_[waiting_count_++];
    waiting.key = {record.key, (*state_.hasher)(record.key)};
    waiting.entry = is_put ? KeydirEntry::Live(location, header.record_size(),
                                               header.expires)
                           : KeydirEntry::Tombstone(location);
    return waiting_count_ < kAhead ? absl::OkStatus() : OfferAll();
  }

  absl::Status OfferAll() {
    {
      EpochGuard guard;
      for (size_t i = 0; i < waiting_count_; ++i) {
        state_.keydir->Prefetch(waiting_[i].key.hash);
      }
    }
    for (size_t i = 0; i < waiting_count_; ++i) {
      const KeydirEntry entry = waiting_[i].entry;
      RETURN_IF_ERROR(state_.keydir->Offer(
          waiting_[i].key, entry,
          [entry](KeydirEntry present) { return IsLater(entry, present); }));
    }
    waiting_count_ = 0;
    return absl::OkStatus();
  }

  State& state_;
  const SegmentToRead& source_;
  std::array<Waiting, kAhead> waiting_;
  size_t waiting_count_ = 0;
};

// Drops tombstones, which have done their work, and counts what is left: by
// granules, which an entry tells without a look at its segment.
absl::Status CountLive(State* state, size_t part, size_t parts) {
  std::vector<uint64_t> live_bytes(state->segments->GranuleCount());
  state->keydir->Sweep(part, parts, [&](KeydirEntry entry) {
    if (entry.tombstone()) return false;
    live_bytes[SegmentSet::GranuleOf(entry.location())] += state->SizeOf(entry);
    return true;
  });
  for (size_t granule = 0; granule < live_bytes.size(); ++granule) {
    if (live_bytes[granule] == 0) continue;
    state->segments->SegmentOfGranule(granule)->live_bytes().fetch_add(
        live_bytes[granule], std::memory_order_relaxed);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FillKeydir(State* state,
                        const std::vector<SegmentToRead>& segments,
                        size_t threads) {
  RETURN_IF_ERROR(ParallelFor(segments.size(), threads, [&](size_t i) {
    return SegmentReader(state, segments[i]).Run();
  }));
  if (segments.empty()) return absl::OkStatus();
  return ParallelFor(threads, threads,
                     [&](size_t i) { return CountLive(state, i, threads); });
}

}  // namespace stave
