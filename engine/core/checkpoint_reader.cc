#include "engine/core/checkpoint_reader.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/base/durability_site.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/format/checkpoint.h"
#include "engine/format/file_names.h"
#include "engine/format/segment_header.h"
#include "engine/index/keydir.h"

namespace stave {
namespace {

static_assert(sizeof(KeydirSlot) == kCheckpointKeyBytes);

// Keys that are read and restored in one go, while a cache holds them.
constexpr uint64_t kKeysPerStretch = 16384;
// A header, and a key of one byte.
constexpr uint64_t kLeastRecordUnits = 4;
constexpr uint64_t kLeastLargeUnits =
    KeydirEntry::kMaxExactSize / kRecordAlignment + 1;

std::string_view BytesOf(absl::Span<const KeydirSlot> slots) {
  return std::string_view(reinterpret_cast<const char*>(slots.data()),
                          slots.size() * sizeof(KeydirSlot));
}

class CheckpointReader {
 public:
  CheckpointReader(uint64_t generation, const CheckpointBinding& binding,
                   const std::vector<std::shared_ptr<Segment>>& segments,
                   State* state, const File& file)
      : generation_(generation),
        binding_(binding),
        segments_(segments),
        state_(*state),
        file_(file) {}

  absl::Status Run(size_t threads) {
    RETURN_IF_ERROR(ReadHeader());
    RETURN_IF_ERROR(ReadTables());
    RETURN_IF_ERROR(DividePages());
    PlaceSegments();
    state_.keydir->ExpectKeys(header_.keys);
    std::vector<Counts> counts(threads, Counts(segments_.size()));
    std::atomic<size_t> next{0};
    const absl::Status done = ParallelFor(threads, threads, [&](size_t thread) {
      std::vector<KeydirSlot> slots;
      for (size_t i = next++; i < stretches_.size(); i = next++) {
        RETURN_IF_ERROR(ReadStretch(stretches_[i], &slots, &counts[thread]));
      }
      return absl::OkStatus();
    });
    RETURN_IF_ERROR(done);
    return Count(counts);
  }

 private:
  // Pages of one part of the keydir, or of several that follow one another.
  struct Stretch {
    size_t first_page = 0;
    size_t end_page = 0;
    uint64_t first_key = 0;
    uint64_t keys = 0;
  };
  // Where the records of the segment that has a granule are, in units of
  // checkpoints' locations, and what has to be added for the keydir's.
  struct Place {
    uint64_t begin = 0;
    uint64_t end = 0;
    uint64_t shift = 0;
    size_t segment = 0;
  };
  struct Counts {
    explicit Counts(size_t segments) : exact_bytes(segments), large(segments) {}

    std::vector<uint64_t> exact_bytes;  // of records that entries tell exactly
    std::vector<uint64_t> large;        // of other records the number
    bool has_expiries = false;
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
    const bool matches = binding_.Matches(header_, bound_);
    if (DURABILITY_SITE(kCheckpointBinding, !matches)) {
      return absl::FailedPreconditionError(
          "the checkpoint is of another state of the store");
    }
    return absl::OkStatus();
  }

  absl::Status DividePages() {
    Stretch stretch;
    for (size_t i = 0; i < pages_.size(); ++i) {
      const bool goes_on = stretch.keys < kKeysPerStretch ||
                           Keydir::PartOf(pages_[i].begin) ==
                               Keydir::PartOf(pages_[i - 1].begin);
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

  void PlaceSegments() {
    places_.resize(1);
    for (size_t i = 0; i < segments_.size(); ++i) {
      const uint64_t length = binding_.segments[i].summary.length;
      const uint64_t first = places_.size() << kCheckpointGranuleUnitBits;
      const Place place{first + kSegmentHeaderBytes / kRecordAlignment,
                        first + length / kRecordAlignment,
                        segments_[i]->LocationOf(0).unit - first, i};
      places_.insert(places_.end(), CheckpointGranules(length), place);
    }
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
    size_t first = 0;  // of the part's keys
    size_t at = 0;
    for (size_t i = 0; i < pages.size(); ++i) {
      const CheckpointPage& page = pages[i];
      RETURN_IF_ERROR(CheckPage(page, offset + at * sizeof(KeydirSlot),
                                all.subspan(at, page.keys), counts));
      part.push_back({page.begin, page.bits, page.keys});
      at += page.keys;
      const size_t number = Keydir::PartOf(page.begin);
      if (i + 1 < pages.size() &&
          Keydir::PartOf(pages[i + 1].begin) == number) {
        continue;
      }
      RETURN_IF_ERROR(state_.keydir->RestorePart(
          number, part, all.subspan(first, at - first)));
      part.clear();
      first = at;
    }
    return absl::OkStatus();
  }

  // Checks a page, and makes its locations the keydir's.
  absl::Status CheckPage(const CheckpointPage& page, uint64_t offset,
                         absl::Span<KeydirSlot> slots, Counts* counts) const {
    const bool damaged = CheckpointPageChecksum(
                             header_, offset, BytesOf(slots)) != page.checksum;
    if (DURABILITY_SITE(kCheckpointPageCheck, damaged)) {
      return absl::DataLossError(
          absl::StrCat("offset ", offset, ": wrong checksum of a page"));
    }
    for (KeydirSlot& slot : slots) {
      if (!TakeKey(&slot, counts)) {
        return absl::DataLossError(absl::StrCat(
            "offset ", offset, ": a key whose record lies in no segment"));
      }
    }
    return absl::OkStatus();
  }

  bool TakeKey(KeydirSlot* slot, Counts* counts) const {
    const KeydirEntry entry = slot->entry();
    const uint64_t unit = entry.location().unit;
    const uint64_t granule = unit >> kCheckpointGranuleUnitBits;
    if (granule >= places_.size()) return false;
    const Place& place = places_[granule];
    const bool is_large = entry.exact_size() == 0;
    const uint64_t size =
        is_large ? kLeastLargeUnits : entry.exact_size() / kRecordAlignment;
    if (unit < place.begin || unit > place.end || size > place.end - unit ||
        size < kLeastRecordUnits) {
      return false;
    }
    counts->exact_bytes[place.segment] += entry.exact_size();
    counts->large[place.segment] += is_large;
    counts->has_expiries |= entry.expires();
    slot->tagged_entry += place.shift << KeydirEntry::kLocationShift;
    return true;
  }

  // Makes known what was counted, if it is what the checkpoint says.
  absl::Status Count(const std::vector<Counts>& counts) {
    bool has_expiries = false;
    for (const Counts& each : counts) has_expiries |= each.has_expiries;
    for (size_t i = 0; i < bound_.size(); ++i) {
      uint64_t exact = 0;
      uint64_t large = 0;
      for (const Counts& each : counts) {
        exact += each.exact_bytes[i];
        large += each.large[i];
      }
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
    for (size_t i = 0; i < bound_.size(); ++i) {
      segments_[i]->live_bytes() = bound_[i].live_bytes;
      state_.live_bytes += bound_[i].live_bytes;
    }
    if (has_expiries) state_.has_expiries = true;
    return absl::OkStatus();
  }

  const uint64_t generation_;
  const CheckpointBinding& binding_;
  const std::vector<std::shared_ptr<Segment>>& segments_;
  State& state_;
  const File& file_;
  CheckpointHeader header_;
  std::vector<CheckpointSegment> bound_;
  std::vector<CheckpointPage> pages_;
  std::vector<Stretch> stretches_;
  std::vector<Place> places_;  // by granule
};

}  // namespace

absl::Status ReadCheckpoint(
    Directory* directory, uint64_t generation, const CheckpointBinding& binding,
    const std::vector<std::shared_ptr<Segment>>& segments, State* state,
    size_t threads) {
  ASSIGN_OR_RETURN(
      const std::unique_ptr<File> file,
      directory->OpenFile(CheckpointFileName(generation), /*writable=*/false));
  return CheckpointReader(generation, binding, segments, state, *file)
      .Run(threads);
}

}  // namespace stave
