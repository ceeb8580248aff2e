#include "engine/core/keydir_fill.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/durability_site.h"
#include "engine/base/epoch.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/format/record.h"
#include "engine/index/keydir_loader.h"
#include "engine/log/segment_scanner.h"

namespace stave {
namespace {

// Collects keys and offers them to the keydir in groups of like hashes, or, if
// the keydir has an order, all in it: then neighbours come one after another. A
// group's slots are on their way from memory together, and many groups' worth
// of keys wait, so that each visits a part of the keydir that the processor's
// cache can hold, and its next visit comes soon: one access to memory serves
// several keys. Threads seldom change the same part at once.
class KeydirFeeder {
 public:
  // `records`: about how many keys are to come. `keeps_bytes`: whether those of
  // keys are to be kept here; else they stay where they are.
  KeydirFeeder(Keydir* keydir, uint64_t records, bool keeps_bytes)
      : keydir_(*keydir),
        keeps_bytes_(keeps_bytes),
        group_bits_(std::clamp<int>(
            std::bit_width(records / (kGroupSize * kWaitingShare)) - 1, 1,
            kMaxGroupBits)),
        waiting_(size_t{kGroupSize} << group_bits_),
        counts_(size_t{1} << group_bits_) {}

  absl::Status Take(const KeyRef& key, KeydirEntry entry) {
    if (keydir_.order() != nullptr) return TakeForOrder(key, entry);
    const size_t group = key.hash.prefix >> (64 - group_bits_);
    waiting_[group * kGroupSize + counts_[group]++] = {key, entry};
    return counts_[group] < kGroupSize ? absl::OkStatus() : Offer(group);
  }

  absl::Status OfferAll() {
    RETURN_IF_ERROR(OfferInOrder());
    for (size_t group = 0; group < counts_.size(); ++group) {
      RETURN_IF_ERROR(Offer(group));
    }
    return absl::OkStatus();
  }

 private:
  // At most half a million keys wait, in 24 MiB, and no more than an eighth of
  // all keys, or 1,024: next to the keydir that is little.
  static constexpr size_t kGroupSize = 512;
  static constexpr int kMaxGroupBits = 10;
  static constexpr uint64_t kWaitingShare = 8;
  // So many slots at a time are on their way from memory.
  static constexpr size_t kPrefetched = 64;

  using Waiting = KeyOrder::Offered;

  absl::Status TakeForOrder(const KeyRef& key, KeydirEntry entry) {
    std::string_view bytes = key.bytes;
    if (keeps_bytes_) bytes = kept_.emplace_back(bytes);
    waiting_[in_order_++] = {{bytes, key.hash}, entry};
    return in_order_ < waiting_.size() ? absl::OkStatus() : OfferInOrder();
  }

  absl::Status OfferInOrder() {
    const auto all = absl::MakeSpan(waiting_).subspan(0, in_order_);
    in_order_ = 0;
    std::sort(all.begin(), all.end(), [](const Waiting& a, const Waiting& b) {
      return a.key.bytes < b.key.bytes;
    });
    if (all.empty()) return absl::OkStatus();
    const absl::Status offered = keydir_.order()->OfferInOrder(all, IsLater);
    kept_.clear();
    return offered;
  }

  absl::Status Offer(size_t group) {
    absl::Span<const Waiting> all = absl::MakeConstSpan(waiting_).subspan(
        group * kGroupSize, counts_[group]);
    counts_[group] = 0;
    for (; !all.empty(); all.remove_prefix(std::min(kPrefetched, all.size()))) {
      RETURN_IF_ERROR(OfferPrefetched(all.subspan(0, kPrefetched)));
    }
    return absl::OkStatus();
  }

  absl::Status OfferPrefetched(absl::Span<const Waiting> some) {
    {
      EpochGuard guard;
      for (const Waiting& each : some) keydir_.Prefetch(each.key);
    }
    for (const Waiting& each : some) {
      RETURN_IF_ERROR(
          keydir_.Offer(each.key, each.entry, [&each](KeydirEntry present) {
            return IsLater(each.entry, present);
          }));
    }
    return absl::OkStatus();
  }

  Keydir& keydir_;
  const bool keeps_bytes_;
  const int group_bits_;
  std::vector<Waiting> waiting_;  // kGroupSize places a group
  std::vector<size_t> counts_;
  std::deque<std::string> kept_;
  size_t in_order_ = 0;  // keys that wait for their turn in that
};

// Walks one segment, and hands its keys to `sink`.
template <typename Sink>
class SegmentReader {
 public:
  SegmentReader(State* state, const SegmentToRead& source, Sink* sink)
      : state_(*state), source_(source), sink_(*sink) {}

  absl::Status Run() {
    if (source_.stretches.empty()) {
      return Read({kSegmentHeaderBytes, source_.summary.length});
    }
    for (const ByteRange& stretch : source_.stretches) {
      RETURN_IF_ERROR(Read(stretch));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Read(ByteRange bytes) {
    const Segment& segment = *source_.segment;
    SegmentScanner scanner(segment, bytes.end, source_.check_bodies,
                           bytes.begin);
    RecordView record;
    auto step = scanner.Next(&record);
    for (; step == SegmentScanner::Step::kRecord;
         step = scanner.Next(&record)) {
      RETURN_IF_ERROR(Take(record));
    }
    if (step == SegmentScanner::Step::kBadRecord) {
      return state_.Damage(segment, scanner.offset(), scanner.problem());
    }
    // I3: zeros where records were are no damage to the scanner.
    const bool as_expected = source_.stretches.empty()
                                 ? scanner.summary() == source_.summary
                                 : scanner.offset() == bytes.end;
    if (!DURABILITY_SITE(kSummaryCheck, !as_expected)) return absl::OkStatus();
    return state_.Damage(segment, scanner.offset(),
                         "the segment's records are not those that were "
                         "there when it was sealed");
  }

  absl::Status Take(const RecordView& record) {
    const RecordHeader& header = record.header;
    const bool is_put = header.kind == RecordKind::kPut;
    if (!is_put && header.kind != RecordKind::kDelete) {
      return absl::OkStatus();
    }
    state_.NoteRecordSize(header.record_size());
    if (source_.is_covered) return absl::OkStatus();
    const Location location = source_.segment->LocationOf(record.offset);
    return sink_.Take({record.key, (*state_.hasher)(record.key)},
                      is_put ? KeydirEntry::Live(location, header.record_size(),
                                                 header.expires)
                             : KeydirEntry::Tombstone(location));
  }

  State& state_;
  const SegmentToRead& source_;
  Sink& sink_;
};

// The sizes of records, those that a keydir's entry does not tell from hint
// files where there are some: to ask the record costs a page of its segment.
class Sizes {
 public:
  Sizes(const State& state, const std::vector<SegmentToRead>& segments)
      : state_(state) {
    for (const SegmentToRead& each : segments) {
      if (each.sizes != nullptr) hints_[each.segment.get()] = each.sizes.get();
    }
  }

  // Of one that the entry does not tell.
  absl::StatusOr<uint64_t> SizeOfLarge(KeydirEntry entry) const {
    const Segment* const segment = state_.segments->Find(entry.location());
    const auto hint = hints_.find(segment);
    const uint64_t size =
        hint == hints_.end()
            ? 0
            : hint->second->LargeSizeAt(segment->OffsetOf(entry.location()));
    if (size != 0) return size;
    return state_.SizeOf(entry);
  }

 private:
  const State& state_;
  absl::flat_hash_map<const Segment*, const HintFile*> hints_;
};

// Drops tombstones, which have done their work, and counts what is left: by
// granules, which an entry tells without a look at its segment.
absl::Status CountLive(State* state, const Sizes& sizes, size_t part,
                       size_t parts) {
  std::vector<uint64_t> live_bytes(state->segments->GranuleCount());
  std::vector<bool> has_expiries(live_bytes.size());
  absl::Status status;
  state->keydir->Sweep(part, parts, [&](KeydirEntry entry) {
    if (entry.tombstone()) return false;
    const size_t granule = SegmentSet::GranuleOf(entry.location());
    if (entry.expires()) has_expiries[granule] = true;
    if (entry.exact_size() != 0) [[likely]] {
      live_bytes[granule] += entry.exact_size();
      return true;
    }
    const absl::StatusOr<uint64_t> size = sizes.SizeOfLarge(entry);
    if (size.ok()) live_bytes[granule] += *size;
    status.Update(size.status());
    return true;
  });
  RETURN_IF_ERROR(status);
  for (size_t granule = 0; granule < live_bytes.size(); ++granule) {
    if (live_bytes[granule] == 0) continue;
    if (has_expiries[granule]) {
      // When, only the records know.
      state->segments->SegmentOfGranule(granule)->NoteExpiry(0);
      state->has_expiries.store(true, std::memory_order_relaxed);
    }
    state->segments->SegmentOfGranule(granule)->live_bytes().fetch_add(
        live_bytes[granule], std::memory_order_relaxed);
    state->live_bytes.fetch_add(live_bytes[granule], std::memory_order_relaxed);
  }
  return absl::OkStatus();
}

// Hint files know no bytes of keys.
bool IsFilled(const State& state, const SegmentToRead& segment) {
  return segment.is_restored &&
         (segment.is_covered || state.keydir->order() == nullptr);
}

uint64_t RecordsToTake(const State& state,
                       absl::Span<const SegmentToRead> segments) {
  uint64_t records = 0;
  for (const SegmentToRead& each : segments) {
    const bool is_taken = !IsFilled(state, each) && !each.is_covered;
    if (is_taken) records += each.summary.records;
  }
  return records;
}

// Walks those segments whose keys are still wanted, on `readers` threads;
// with(walk) is called on each, and calls walk(sink) with what takes the
// thread's keys.
absl::Status Walk(State* state, absl::Span<const SegmentToRead> segments,
                  size_t readers, auto with) {
  // All are told of, so that the first in log order is reported.
  std::vector<absl::Status> results(segments.size());
  std::atomic<size_t> next{0};
  const absl::Status walked = ParallelFor(readers, readers, [&](size_t) {
    return with([&](auto* sink) {
      for (size_t i = next++; i < segments.size(); i = next++) {
        if (IsFilled(*state, segments[i])) continue;
        results[i] = SegmentReader(state, segments[i], sink).Run();
        if (!results[i].ok()) next = segments.size();
      }
    });
  });
  for (const absl::Status& result : results) RETURN_IF_ERROR(result);
  return walked;
}

// How many segments, from the first on, are best loaded into a keydir without
// keys: none if they have few records, and no more than memory is there for.
size_t CountToLoad(const State& state,
                   absl::Span<const SegmentToRead> segments) {
  constexpr uint64_t kFewRecords = uint64_t{1} << 16;
  constexpr uint64_t kMostRecords = uint64_t{1} << 25;  // 512 MiB
  size_t count = 0;
  uint64_t records = 0;
  for (; count < segments.size(); ++count) {
    records += RecordsToTake(state, segments.subspan(count, 1));
    if (records > kMostRecords) break;
  }
  return RecordsToTake(state, segments.subspan(0, count)) < kFewRecords ? 0
                                                                        : count;
}

absl::Status Feed(State* state, absl::Span<const SegmentToRead> segments,
                  size_t threads) {
  const uint64_t records = RecordsToTake(*state, segments) / threads;
  return Walk(state, segments, threads, [&](auto walk) {
    KeydirFeeder feeder(state->keydir.get(), records,
                        state->read_mode == ReadMode::kPread);
    walk(&feeder);
    return feeder.OfferAll();
  });
}

// As Feed, if there are no addresses for it.
absl::Status Load(State* state, absl::Span<const SegmentToRead> segments,
                  size_t threads) {
  // What they turn out to have, the walk has yet to show.
  uint64_t most = 0;
  for (const SegmentToRead& each : segments) {
    most += each.summary.length / kLeastRecordBytes;
  }
  const absl::StatusOr<std::unique_ptr<KeydirLoader>> created =
      KeydirLoader::Create(state->keydir->copier(), most, threads);
  if (!created.ok()) return Feed(state, segments, threads);
  KeydirLoader* const loader = created->get();
  RETURN_IF_ERROR(Walk(state, segments, threads, [&](auto walk) {
    KeydirLoader::Writer writer(loader);
    walk(&writer);
    return absl::OkStatus();
  }));
  return loader->Load(threads);
}

}  // namespace

absl::Status FillKeydir(State* state,
                        const std::vector<SegmentToRead>& segments,
                        size_t threads) {
  if (segments.empty()) return absl::OkStatus();
  const absl::Span<const SegmentToRead> all = segments;
  const size_t readers = std::min(threads, segments.size());
  const bool can_load = state->keydir->copier() != nullptr &&
                        state->keydir->GetStatistics().keys == 0;
  const size_t loaded = can_load ? CountToLoad(*state, all) : 0;
  if (loaded > 0) {
    RETURN_IF_ERROR(Load(state, all.subspan(0, loaded), readers));
  }
  return Feed(state, all.subspan(loaded), readers);
}

absl::Status CountLiveRecords(State* state,
                              const std::vector<SegmentToRead>& segments,
                              size_t threads) {
  if (segments.empty()) return absl::OkStatus();
  const Sizes sizes(*state, segments);
  return ParallelFor(threads, threads, [&](size_t i) {
    return CountLive(state, sizes, i, threads);
  });
}

}  // namespace stave
