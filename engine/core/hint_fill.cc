#include "engine/core/hint_fill.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/format/hint.h"
#include "engine/index/keydir.h"
#include "engine/log/hint_file.h"

namespace stave {
namespace {

// Files are mapped in groups of so many bytes, or a quarter of all. The pages
// that have been read come on top of the keydir: 4 bytes a key.
constexpr uint64_t kLeastGroupBytes = 8 << 20;
constexpr uint64_t kGroups = 4;
// Keys in a range of hashes, so that its part of the keydir is in a cache; and
// in one file's part of it, so that finding its ends is not most of the work.
constexpr uint64_t kKeysPerRange = 8192;
constexpr uint64_t kKeysPerFileAndRange = 256;

// A segment that is being restored.
struct Source {
  SegmentToRead* segment = nullptr;
  std::unique_ptr<HintFile> hint;  // null if it is not valid
  std::atomic<bool> is_damaged{false};

  bool is_valid() const {
    return hint != nullptr && !is_damaged.load(std::memory_order_relaxed);
  }
};

class HintFiller {
 public:
  HintFiller(State* state, Directory* directory, size_t threads)
      : state_(*state), directory_(directory), threads_(threads) {}

  absl::Status Run(const std::vector<SegmentToRead*>& segments) {
    uint64_t all_bytes = 0;
    for (const SegmentToRead* each : segments) all_bytes += BytesOf(*each);
    const uint64_t most = std::max(kLeastGroupBytes, all_bytes / kGroups);
    for (size_t begin = 0; begin < segments.size();) {
      size_t end = begin;
      uint64_t bytes = 0;
      do {
        bytes += BytesOf(*segments[end++]);
      } while (end < segments.size() &&
               bytes + BytesOf(*segments[end]) <= most);
      RETURN_IF_ERROR(FillFromGroup(
          absl::MakeConstSpan(segments).subspan(begin, end - begin)));
      begin = end;
    }
    // A checkpoint that covers everything has counted everything.
    const bool are_covered =
        std::all_of(segments.begin(), segments.end(),
                    [](const auto* segment) { return segment->is_covered; });
    return are_covered ? absl::OkStatus() : OpenSizes(segments);
  }

 private:
  // About how much of its hint file is read.
  static uint64_t BytesOf(const SegmentToRead& segment) {
    if (segment.is_covered) return 0;
    return segment.summary.records * sizeof(HintEntry);
  }

  bool IsWanted(const Source& source) const {
    return source.is_valid() && !source.segment->is_covered &&
           state_.keydir->order() == nullptr;
  }

  absl::StatusOr<std::unique_ptr<HintFile>> Open(
      const SegmentToRead& segment) const {
    return HintFile::Open(directory_, segment.segment->header(),
                          segment.summary, *state_.hasher, state_.read_mode);
  }

  absl::Status FillFromGroup(absl::Span<SegmentToRead* const> segments) {
    std::vector<Source> sources(segments.size());
    RETURN_IF_ERROR(ParallelFor(sources.size(), threads_, [&](size_t i) {
      sources[i].segment = segments[i];
      absl::StatusOr<std::unique_ptr<HintFile>> hint = Open(*segments[i]);
      if (hint.ok()) sources[i].hint = *std::move(hint);
      return absl::OkStatus();
    }));
    uint64_t keys = 0;
    for (const Source& source : sources) {
      if (IsWanted(source)) keys += source.hint->entries();
    }
    const uint64_t ranges =
        1 +
        keys / std::max(kKeysPerRange, kKeysPerFileAndRange * sources.size());
    const uint64_t width = UINT64_MAX / ranges;
    RETURN_IF_ERROR(ParallelFor(ranges, threads_, [&](size_t range) {
      const uint64_t least = range * width;
      const bool is_last = range + 1 == ranges;
      return FillRange(&sources, least,
                       is_last ? UINT64_MAX : least + (width - 1));
    }));
    for (Source& source : sources) {
      if (!source.is_valid()) continue;
      source.segment->is_restored = true;
      source.segment->has_large_records = source.hint->sizes() > 0;
      source.segment->segment->hint_bytes() = source.hint->file_bytes();
    }
    return absl::OkStatus();
  }

  absl::Status FillRange(std::vector<Source>* sources, uint64_t least,
                         uint64_t greatest) {
    for (Source& source : *sources) {
      if (!IsWanted(source)) continue;
      const Segment& segment = *source.segment->segment;
      const absl::Status status = source.hint->Visit(
          least, greatest, [&](absl::Span<const HintEntry> entries) {
            return Offer(entries, segment.LocationOf(0));
          });
      if (absl::IsDataLoss(status)) {
        source.is_damaged = true;
      } else {
        RETURN_IF_ERROR(status);
      }
    }
    return absl::OkStatus();
  }

  absl::Status Offer(absl::Span<const HintEntry> entries, Location first) {
    for (const HintEntry& each : entries) {
      const KeydirEntry entry =
          KeydirEntry::FromBits(each.keydir_bits() + (first.unit << 8));
      RETURN_IF_ERROR(state_.keydir->Offer(
          {{}, each.hash()}, entry,
          [entry](KeydirEntry present) { return IsLater(entry, present); }));
    }
    return absl::OkStatus();
  }

  // Once more, so that no pages of entries count as memory meanwhile.
  absl::Status OpenSizes(const std::vector<SegmentToRead*>& segments) {
    return ParallelFor(segments.size(), threads_, [&](size_t i) {
      SegmentToRead& segment = *segments[i];
      if (!segment.is_restored || !segment.has_large_records) {
        return absl::OkStatus();
      }
      absl::StatusOr<std::unique_ptr<HintFile>> hint = Open(segment);
      if (hint.ok() && (*hint)->VerifySizes().ok()) {
        segment.sizes = *std::move(hint);
      }
      return absl::OkStatus();
    });
  }

  State& state_;
  Directory* const directory_;
  const size_t threads_;
};

}  // namespace

absl::Status FillFromHints(State* state, Directory* directory,
                           std::vector<SegmentToRead>* segments,
                           size_t threads) {
  std::vector<SegmentToRead*> hinted;
  for (SegmentToRead& each : *segments) {
    if (each.has_hint_file) hinted.push_back(&each);
  }
  return HintFiller(state, directory, threads).Run(hinted);
}

}  // namespace stave
