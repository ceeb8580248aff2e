#include "engine/core/checkpoint_reader.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/base/durability_site.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/format/checkpoint.h"
#include "engine/format/file_names.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/index/keydir.h"
#include "engine/log/hint_file.h"

namespace stave {
namespace {

static_assert(sizeof(KeydirSlot) == kCheckpointKeyBytes);

// Keys that are read and restored in one go, while a cache holds them.
constexpr uint64_t kKeysPerStretch = 16384;
constexpr uint64_t kMaxGranules =
    uint64_t{1} << (kLocationBits - kCheckpointGranuleUnitBits);
constexpr uint64_t kLeastRecordUnits = kLeastRecordBytes / kRecordAlignment;
constexpr uint64_t kLeastLargeUnits =
    KeydirEntry::kMaxExactSize / kRecordAlignment + 1;

std::string_view BytesOf(absl::Span<const KeydirSlot> slots) {
  return std::string_view(reinterpret_cast<const char*>(slots.data()),
                          slots.size() * sizeof(KeydirSlot));
}

class CheckpointReader {
 public:
  CheckpointReader(uint64_t generation, const CheckpointedStore& store,
                   State* state, const File& file)
      : generation_(generation),
        store_(store),
        segments_(*store.segments),
        state_(*state),
        file_(file) {}

  absl::StatusOr<CheckpointCoverage> Run(size_t threads) {
    RETURN_IF_ERROR(ReadHeader());
    RETURN_IF_ERROR(ReadTables());
    RETURN_IF_ERROR(FindSegments());
    RETURN_IF_ERROR(DividePages());
    state_.keydir->copier()->ExpectKeys(header_.keys);
    std::vector<Counts> counts(threads, Counts(bound_.size()));
    std::atomic<size_t> next{0};
    const absl::Status done = ParallelFor(threads, threads, [&](size_t thread) {
      std::vector<KeydirSlot> slots;
      for (size_t i = next++; i < stretches_.size(); i = next++) {
        RETURN_IF_ERROR(ReadStretch(stretches_[i], &slots, &counts[thread]));
      }
      return absl::OkStatus();
    });
    RETURN_IF_ERROR(done);
    if (covers_all_) RETURN_IF_ERROR(Count(counts));
    for (size_t i = 0; i < segments_.size(); ++i) {
      segments_[i].is_covered = covered_[i];
    }
    return covers_all_ ? CheckpointCoverage::kAll : CheckpointCoverage::kSome;
  }

 private:
  // Pages of one part of the keydir, or of several that follow one another.
  struct Stretch {
    size_t first_page = 0;
    size_t end_page = 0;
    uint64_t first_key = 0;
    uint64_t keys = 0;
  };
  // Where a segment's records are, in units of checkpoints' locations, and what
  // has to be added for the keydir's.
  struct Place {
    uint64_t begin = 0;
    uint64_t end = 0;
    uint64_t shift = 0;
    bool is_gone = false;  // it was merged since
  };
  enum class Found { kNothing, kGone, kRecord };
  struct Counts {
    explicit Counts(size_t segments)
        : exact_bytes(segments), large(segments), expiring(segments) {}

    std::vector<uint64_t> exact_bytes;  // of records that entries tell exactly
    std::vector<uint64_t> large;        // of other records the number
    std::vector<uint64_t> expiring;     // of those that expire
  };

  absl::Status ReadBytes(uint64_t offset, absl::Span<char> to) const {
    ASSIGN_OR_RETURN(const size_t read, file_.Read(offset, to));
    return read == to.size() ? absl::OkStatus()
                             : absl::DataLossError("the file became shorter");
  }

  absl::Status ReadHeader() {
    ASSIGN_OR_RETURN(const uint64_t size, file_.Size());
    std::string bytes(std::min<uint64_t>(size, kCheckpointHeaderBytes), '\0');
    RETURN_IF_ERROR(ReadBytes(0, absl::MakeSpan(bytes.data(), bytes.size())));
    ASSIGN_OR_RETURN(header_, DecodeCheckpointHeader(bytes));
    if (header_.generation != generation_) {
      return absl::DataLossError("the checkpoint has another file's name");
    }
    if (header_.file_bytes() != size) {
      return absl::DataLossError(absl::StrCat(
          "the file ends at offset ", size, ", not at ", header_.file_bytes()));
    }
    const bool is_of_another =
        header_.store_id != store_.store_id ||
        header_.secret_check != HintSecretCheck(*state_.hasher);
    if (is_of_another) {
      return absl::FailedPreconditionError("it is another store's checkpoint");
    }
    // I8: it may name what was lost, and not what that had replaced.
    const bool log_ends_before = header_.end_sequence > store_.last_sequence;
    if (DURABILITY_SITE(kCheckpointEndCheck, log_ends_before)) {
      return absl::FailedPreconditionError(
          absl::StrCat("the checkpoint knows of record ", header_.end_sequence,
                       ", the log ends with ", store_.last_sequence));
    }
    return absl::OkStatus();
  }

  absl::Status ReadTables() {
    std::string segments(header_.segments * kCheckpointSegmentBytes, '\0');
    std::string pages(header_.pages * kCheckpointPageBytes, '\0');
    RETURN_IF_ERROR(
        ReadBytes(header_.segments_offset(),
                  absl::MakeSpan(segments.data(), segments.size())));
    RETURN_IF_ERROR(ReadBytes(header_.pages_offset(),
                              absl::MakeSpan(pages.data(), pages.size())));
    const bool damaged =
        CheckpointTablesChecksum(segments, pages) != header_.tables_checksum;
    if (DURABILITY_SITE(kCheckpointTablesCheck, damaged)) {
      return absl::DataLossError("wrong checksum of the checkpoint's tables");
    }
    for (std::string_view rest = segments; !rest.empty();
         rest.remove_prefix(kCheckpointSegmentBytes)) {
      bound_.push_back(DecodeCheckpointSegment(rest));
    }
    for (std::string_view rest = pages; !rest.empty();
         rest.remove_prefix(kCheckpointPageBytes)) {
      pages_.push_back(DecodeCheckpointPage(rest));
    }
    return absl::OkStatus();
  }

  // Finds the bound segments among those that there are, and how far all that
  // there are are bound.
  absl::Status FindSegments() {
    absl::flat_hash_map<SegmentId, size_t> rows;
    for (size_t i = 0; i < bound_.size(); ++i) rows[bound_[i].id] = i;
    std::vector<const Segment*> segments(bound_.size());
    bool behind_another = false;
    for (const SegmentToRead& each : segments_) {
      const auto row = rows.find(each.segment->id());
      const bool is_bound = row != rows.end();
      behind_another |= !is_bound;
      // I8: what stands behind a merge's output may hide what that holds.
      const bool is_covered =
          is_bound && !DURABILITY_SITE(kCheckpointOrder, behind_another);
      covered_.push_back(is_covered);
      if (!is_bound) continue;
      const CheckpointSegment& bound = bound_[row->second];
      const bool is_another = bound.salt != each.segment->header().salt ||
                              bound.summary != each.summary;
      if (DURABILITY_SITE(kCheckpointBinding, is_another)) {
        return absl::FailedPreconditionError(absl::StrCat(
            "segment ", bound.id, " is not what the checkpoint says"));
      }
      segments[row->second] = each.segment.get();
    }
    covers_all_ = !behind_another && segments_.size() == bound_.size();
    return PlaceSegments(segments);
  }

  absl::Status DividePages() {
    Stretch stretch;
    for (size_t i = 0; i < pages_.size(); ++i) {
      const bool goes_on = stretch.keys < kKeysPerStretch ||
                           KeydirCopier::PartOf(pages_[i].begin) ==
                               KeydirCopier::PartOf(pages_[i - 1].begin);
      if (!goes_on) {
        stretches_.push_back(stretch);
        stretch = {i, i, stretch.first_key + stretch.keys, 0};
      }
      if (i > 0 && pages_[i].begin <= pages_[i - 1].begin) {
        return absl::DataLossError("pages out of order");
      }
      stretch.end_page = i + 1;
      stretch.keys += pages_[i].keys;
    }
    if (!pages_.empty()) stretches_.push_back(stretch);
    return stretch.first_key + stretch.keys == header_.keys
               ? absl::OkStatus()
               : absl::DataLossError("the pages have another number of keys");
  }

  // By row of the table; null: there is no such segment any more.
  absl::Status PlaceSegments(const std::vector<const Segment*>& segments) {
    rows_.assign(1, 0);
    for (size_t i = 0; i < bound_.size(); ++i) {
      const uint64_t length = bound_[i].summary.length;
      const uint64_t granules = CheckpointGranules(length);
      if (granules > kMaxGranules - rows_.size()) {
        return absl::DataLossError("a store can't have so long segments");
      }
      const uint64_t first = rows_.size() << kCheckpointGranuleUnitBits;
      Place place{first + kSegmentHeaderBytes / kRecordAlignment,
                  first + length / kRecordAlignment, 0, segments[i] == nullptr};
      if (!place.is_gone) place.shift = segments[i]->LocationOf(0).unit - first;
      places_.push_back(place);
      rows_.insert(rows_.end(), granules, static_cast<uint32_t>(i));
    }
    return absl::OkStatus();
  }

  absl::Status ReadStretch(const Stretch& stretch,
                           std::vector<KeydirSlot>* slots, Counts* counts) {
    if (slots->size() < stretch.keys) slots->resize(stretch.keys);
    const absl::Span<KeydirSlot> all =
        absl::MakeSpan(*slots).subspan(0, stretch.keys);
    const uint64_t offset =
        header_.keys_offset() + stretch.first_key * kCheckpointKeyBytes;
    RETURN_IF_ERROR(
        ReadBytes(offset, absl::MakeSpan(reinterpret_cast<char*>(all.data()),
                                         all.size() * sizeof(KeydirSlot))));
    const absl::Span<const CheckpointPage> pages =
        absl::MakeConstSpan(pages_).subspan(
            stretch.first_page, stretch.end_page - stretch.first_page);
    std::vector<KeydirPage> part;
    size_t at = 0;     // of the page that is read
    size_t first = 0;  // of the part's keys that stay
    size_t end = 0;
    for (size_t i = 0; i < pages.size(); ++i) {
      const CheckpointPage& page = pages[i];
      ASSIGN_OR_RETURN(const size_t kept,
                       CheckPage(page, offset + at * sizeof(KeydirSlot),
                                 all.subspan(at, page.keys), counts));
      if (end != at) std::copy_n(all.begin() + at, kept, all.begin() + end);
      if (kept > 0) {
        part.push_back({page.begin, page.bits, static_cast<uint32_t>(kept)});
      }
      at += page.keys;
      end += kept;
      const size_t number = KeydirCopier::PartOf(page.begin);
      if (i + 1 < pages.size() &&
          KeydirCopier::PartOf(pages[i + 1].begin) == number) {
        continue;
      }
      RETURN_IF_ERROR(state_.keydir->copier()->RestorePart(
          number, part, all.subspan(first, end - first)));
      part.clear();
      first = end;
    }
    return absl::OkStatus();
  }

  // Checks a page, makes its locations the keydir's, and moves the keys whose
  // segment is there to its front. Returns how many these are.
  absl::StatusOr<size_t> CheckPage(const CheckpointPage& page, uint64_t offset,
                                   absl::Span<KeydirSlot> slots,
                                   Counts* counts) const {
    const bool damaged = CheckpointPageChecksum(
                             header_, offset, BytesOf(slots)) != page.checksum;
    if (DURABILITY_SITE(kCheckpointPageCheck, damaged)) {
      return absl::DataLossError(
          absl::StrCat("offset ", offset, ": wrong checksum of a page"));
    }
    size_t kept = 0;
    for (KeydirSlot slot : slots) {
      const Found found = Relocate(&slot, counts);
      if (found == Found::kNothing) {
        return absl::DataLossError(absl::StrCat(
            "offset ", offset, ": a key whose record lies in no segment"));
      }
      if (found == Found::kRecord) slots[kept++] = slot;
    }
    return kept;
  }

  Found Relocate(KeydirSlot* slot, Counts* counts) const {
    const KeydirEntry entry = slot->entry();
    const uint64_t unit = entry.location().unit;
    const uint64_t granule = unit >> kCheckpointGranuleUnitBits;
    if (granule == 0 || granule >= rows_.size()) return Found::kNothing;
    const uint32_t row = rows_[granule];
    const Place& place = places_[row];
    const bool is_large = entry.exact_size() == 0;
    const uint64_t size =
        is_large ? kLeastLargeUnits : entry.exact_size() / kRecordAlignment;
    if (unit < place.begin || unit > place.end || size > place.end - unit ||
        size < kLeastRecordUnits) {
      return Found::kNothing;
    }
    if (place.is_gone) return Found::kGone;
    counts->exact_bytes[row] += entry.exact_size();
    counts->large[row] += is_large;
    counts->expiring[row] += entry.expires();
    slot->tagged_entry += place.shift << KeydirEntry::kLocationShift;
    return Found::kRecord;
  }

  // Makes known what was counted, if it is what the checkpoint says.
  absl::Status Count(const std::vector<Counts>& counts) {
    std::vector<uint64_t> expiring(bound_.size());
    std::vector<uint64_t> large_records(bound_.size());
    for (size_t i = 0; i < bound_.size(); ++i) {
      uint64_t exact = 0;
      uint64_t large = 0;
      for (const Counts& each : counts) {
        exact += each.exact_bytes[i];
        large += each.large[i];
        expiring[i] += each.expiring[i];
      }
      large_records[i] = large;
      const uint64_t live = bound_[i].live_bytes;
      const bool plausible =
          live <= bound_[i].summary.length &&
          (large == 0
               ? live == exact
               : live > exact && (live - exact) / large >=
                                     kLeastLargeUnits * kRecordAlignment);
      if (!plausible) {
        return absl::DataLossError(absl::StrCat(
            "segment ", bound_[i].id, " can't have ", live, " live bytes"));
      }
    }
    for (const SegmentToRead& each : segments_) {
      for (size_t i = 0; i < bound_.size(); ++i) {
        if (bound_[i].id != each.segment->id()) continue;
        each.segment->live_bytes() = bound_[i].live_bytes;
        each.segment->may_have_less() = large_records[i] > 0;
        state_.live_bytes += bound_[i].live_bytes;
        if (expiring[i] == 0) continue;
        each.segment->NoteExpiry(0);  // when, only its records know
        state_.has_expiries = true;
      }
    }
    return absl::OkStatus();
  }

  const uint64_t generation_;
  const CheckpointedStore& store_;
  std::vector<SegmentToRead>& segments_;
  State& state_;
  const File& file_;
  CheckpointHeader header_;
  std::vector<CheckpointSegment> bound_;
  std::vector<CheckpointPage> pages_;
  std::vector<Stretch> stretches_;
  std::vector<Place> places_;   // by row
  std::vector<uint32_t> rows_;  // by granule
  std::vector<bool> covered_;   // of segments_
  bool covers_all_ = false;
};

}  // namespace

absl::StatusOr<CheckpointCoverage> ReadCheckpoint(
    Directory* directory, uint64_t generation, const CheckpointedStore& store,
    State* state, size_t threads) {
  ASSIGN_OR_RETURN(
      const std::unique_ptr<File> file,
      directory->OpenFile(CheckpointFileName(generation), /*writable=*/false));
  return CheckpointReader(generation, store, state, *file).Run(threads);
}

}  // namespace stave
