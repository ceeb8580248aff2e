#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/core/checkpoint_pages.h"
#include "engine/core/hashed_checkpoint_keys.h"

namespace stave {
namespace {

using Counts = CheckpointSegments::Counts;

class HashedPagesReader {
 public:
  HashedPagesReader(const CheckpointSource& source, KeydirCopier* keydir)
      : source_(source), keydir_(*keydir) {}

  absl::Status Run(absl::Span<Counts> counts) {
    for (std::string_view rest = source_.pages; !rest.empty();
         rest.remove_prefix(kCheckpointPageBytes)) {
      pages_.push_back(DecodeCheckpointPage(rest));
    }
    RETURN_IF_ERROR(DividePages());
    keydir_.ExpectKeys(source_.header.keys);
    std::atomic<size_t> next{0};
    return ParallelFor(counts.size(), counts.size(), [&](size_t thread) {
      std::vector<KeydirSlot> slots;
      for (size_t i = next++; i < stretches_.size(); i = next++) {
        RETURN_IF_ERROR(ReadStretch(stretches_[i], &slots, &counts[thread]));
      }
      return absl::OkStatus();
    });
  }

 private:
  // Pages of one part of the keydir, or of several that follow one another.
  struct Stretch {
    size_t first_page = 0;
    size_t end_page = 0;
    uint64_t first_key = 0;
    uint64_t keys = 0;
  };

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
    return stretch.first_key + stretch.keys == source_.header.keys
               ? absl::OkStatus()
               : absl::DataLossError("the pages have another number of keys");
  }

  absl::Status ReadStretch(const Stretch& stretch,
                           std::vector<KeydirSlot>* slots, Counts* counts) {
    if (slots->size() < stretch.keys) slots->resize(stretch.keys);
    const absl::Span<KeydirSlot> all =
        absl::MakeSpan(*slots).subspan(0, stretch.keys);
    const uint64_t offset =
        source_.header.keys_offset() + stretch.first_key * kCheckpointKeyBytes;
    RETURN_IF_ERROR(
        ReadExactly(source_.file, offset,
                    absl::MakeSpan(reinterpret_cast<char*>(all.data()),
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
      RETURN_IF_ERROR(
          keydir_.RestorePart(number, part, all.subspan(first, end - first)));
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
    RETURN_IF_ERROR(source_.CheckPage(offset, BytesOf(slots), page.checksum));
    size_t kept = 0;
    for (KeydirSlot slot : slots) {
      const auto found = source_.segments.Relocate(&slot, counts);
      if (found == CheckpointSegments::Found::kNothing) {
        return absl::DataLossError(absl::StrCat(
            "offset ", offset, ": a key whose record lies in no segment"));
      }
      if (found == CheckpointSegments::Found::kRecord) slots[kept++] = slot;
    }
    return kept;
  }

  const CheckpointSource& source_;
  KeydirCopier& keydir_;
  std::vector<CheckpointPage> pages_;
  std::vector<Stretch> stretches_;
};

}  // namespace

absl::Status ReadHashedPages(const CheckpointSource& source,
                             KeydirCopier* keydir, absl::Span<Counts> counts) {
  return HashedPagesReader(source, keydir).Run(counts);
}

}  // namespace stave
