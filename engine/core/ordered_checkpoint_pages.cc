#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/core/checkpoint_pages.h"
#include "engine/format/ordered_checkpoint_page.h"
#include "engine/index/ordered_leaves.h"

namespace stave {
namespace {

using Counts = CheckpointSegments::Counts;

// What is read in one go, and each thread has in memory.
constexpr uint64_t kBytesPerStretch = uint64_t{256} << 10;

class OrderedPagesReader {
 public:
  OrderedPagesReader(const CheckpointSource& source, KeyOrder* keydir)
      : source_(source), keydir_(*keydir) {}

  absl::Status Run(absl::Span<Counts> counts) {
    RETURN_IF_ERROR(DividePages());
    std::vector<OrderedLeaves> leaves(stretches_.size());
    std::atomic<size_t> next{0};
    const auto read_some = [&](size_t thread) {
      std::string bytes;
      for (size_t i = next++; i < stretches_.size(); i = next++) {
        RETURN_IF_ERROR(
            ReadStretch(stretches_[i], &bytes, &counts[thread], &leaves[i]));
      }
      return absl::OkStatus();
    };
    RETURN_IF_ERROR(ParallelFor(counts.size(), counts.size(), read_some));
    return keydir_.Restore(absl::MakeSpan(leaves));
  }

 private:
  // Pages that follow one another.
  struct Stretch {
    std::string_view pages;  // their part of the table
    uint64_t offset = 0;     // where they begin in the file
    uint64_t bytes = 0;
  };

  absl::Status DividePages() {
    uint64_t left = source_.header.ordered_bytes;
    for (std::string_view rest = source_.pages; !rest.empty();) {
      Stretch stretch;
      stretch.offset = source_.header.pages_offset() - left;
      stretch.pages = rest;
      while (!rest.empty() && stretch.bytes < kBytesPerStretch) {
        const uint64_t bytes = DecodeOrderedCheckpointPage(rest).bytes;
        if (bytes > left) return OtherSize();
        left -= bytes;
        stretch.bytes += bytes;
        rest.remove_prefix(kCheckpointPageBytes);
      }
      stretch.pages.remove_suffix(rest.size());
      stretches_.push_back(stretch);
    }
    return left == 0 ? absl::OkStatus() : OtherSize();
  }

  static absl::Status OtherSize() {
    return absl::DataLossError("the pages take another number of bytes");
  }

  absl::Status ReadStretch(const Stretch& stretch, std::string* buffer,
                           Counts* counts, OrderedLeaves* leaves) const {
    buffer->resize(stretch.bytes);
    RETURN_IF_ERROR(
        ReadExactly(source_.file, stretch.offset,
                    absl::MakeSpan(buffer->data(), buffer->size())));
    std::string_view bytes = *buffer;
    uint64_t offset = stretch.offset;
    for (std::string_view rest = stretch.pages; !rest.empty();
         rest.remove_prefix(kCheckpointPageBytes)) {
      const OrderedCheckpointPage page = DecodeOrderedCheckpointPage(rest);
      const std::string_view keys = bytes.substr(0, page.bytes);
      RETURN_IF_ERROR(source_.CheckPage(offset, keys, page.checksum));
      RETURN_IF_ERROR(VisitOrderedCheckpointPage(
          keys, page.keys, [&](const OrderedCheckpointKey& key) {
            return Add(key, offset, counts, leaves);
          }));
      bytes.remove_prefix(page.bytes);
      offset += page.bytes;
    }
    return leaves->Finish();
  }

  absl::Status Add(const OrderedCheckpointKey& key, uint64_t offset,
                   Counts* counts, OrderedLeaves* leaves) const {
    KeydirSlot slot{0, key.entry};
    const auto found = source_.segments.Relocate(&slot, counts);
    if (found == CheckpointSegments::Found::kNothing) {
      return absl::DataLossError(absl::StrCat(
          "offset ", offset, ": a key whose record lies in no segment"));
    }
    const bool is_gone = found == CheckpointSegments::Found::kGone;
    return leaves->Add(key.shared, key.rest,
                       is_gone ? KeydirEntry() : slot.entry());
  }

  const CheckpointSource& source_;
  KeyOrder& keydir_;
  std::vector<Stretch> stretches_;
};

}  // namespace

absl::Status ReadOrderedPages(const CheckpointSource& source, KeyOrder* keydir,
                              absl::Span<Counts> counts) {
  return OrderedPagesReader(source, keydir).Run(counts);
}

}  // namespace stave
