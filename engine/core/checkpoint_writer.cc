#include "engine/core/checkpoint_writer.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/format/checkpoint.h"
#include "engine/format/file_names.h"
#include "engine/index/keydir.h"
#include "engine/log/segment.h"
#include "engine/log/segment_set.h"

namespace stave {
namespace {

static_assert(sizeof(KeydirSlot) == kCheckpointKeyBytes);

// Keys that are copied and written in one go, while a cache holds them.
constexpr uint64_t kKeysPerStretch = 16384;

std::string_view BytesOf(absl::Span<const KeydirSlot> slots) {
  return std::string_view(reinterpret_cast<const char*>(slots.data()),
                          slots.size() * sizeof(KeydirSlot));
}

class CheckpointWriter {
 public:
  CheckpointWriter(uint64_t generation, const CheckpointBinding& binding,
                   State* state, File* file)
      : state_(*state), keydir_(*state->keydir), file_(*file) {
    header_.generation = generation;
    header_.store_id = binding.store_id;
    header_.secret_check = binding.secret_check;
    header_.log_end = binding.log_end;
    header_.segments = static_cast<uint32_t>(binding.segments.size());
    PlaceSegments(binding);
    DivideKeys();
  }

  absl::Status Run(size_t threads) {
    std::atomic<size_t> next{0};
    const absl::Status done = ParallelFor(threads, threads, [&](size_t) {
      std::vector<KeydirSlot> slots;
      for (size_t i = next++; i < stretches_.size(); i = next++) {
        slots.clear();
        RETURN_IF_ERROR(WriteStretch(&stretches_[i], &slots));
      }
      return absl::OkStatus();
    });
    RETURN_IF_ERROR(done);
    std::string pages;
    for (const Stretch& stretch : stretches_) pages += stretch.pages;
    header_.pages = static_cast<uint32_t>(pages.size() / kCheckpointPageBytes);
    header_.tables_checksum = CheckpointTablesChecksum(segments_, pages);
    RETURN_IF_ERROR(file_.Write(header_.segments_offset(), segments_));
    RETURN_IF_ERROR(file_.Write(header_.pages_offset(), pages));
    RETURN_IF_ERROR(file_.SyncData());
    // What has a header is complete on the device: so damage can be told from
    // a checkpoint that was never finished.
    RETURN_IF_ERROR(file_.Write(0, EncodeCheckpointHeader(header_)));
    return file_.SyncData();
  }

 private:
  // Some parts of the keydir, one after another.
  struct Stretch {
    size_t first_part = 0;
    size_t end_part = 0;
    uint64_t first_key = 0;
    uint64_t keys = 0;
    std::string pages = {};  // their part of the pages' table
  };

  // Segments that are bound, one behind another, as locations in checkpoints
  // count them.
  void PlaceSegments(const CheckpointBinding& binding) {
    shifts_.assign(state_.segments->GranuleCount(), kNowhere);
    const std::vector<std::shared_ptr<Segment>> all = state_.segments->All();
    uint64_t granule = 1;
    for (CheckpointSegment bound : binding.segments) {
      const auto found = std::find_if(
          all.begin(), all.end(),
          [&bound](const auto& segment) { return segment->id() == bound.id; });
      if (found != all.end()) {
        bound.live_bytes = (*found)->live_bytes();
        const uint64_t last = std::max<uint64_t>(bound.summary.length, 1) - 1;
        const size_t end = SegmentSet::GranuleOf((*found)->LocationOf(last));
        for (size_t i = SegmentSet::GranuleOf((*found)->LocationOf(0));
             i <= end && i < shifts_.size(); ++i) {
          shifts_[i] = (granule << kCheckpointGranuleUnitBits) -
                       (*found)->LocationOf(0).unit;
        }
      }
      AppendCheckpointSegment(bound, &segments_);
      granule += CheckpointGranules(bound.summary.length);
    }
  }

  void DivideKeys() {
    Stretch stretch;
    for (size_t part = 0; part < Keydir::kParts; ++part) {
      stretch.keys += keydir_.KeysIn(part);
      stretch.end_part = part + 1;
      const bool is_last = part + 1 == Keydir::kParts;
      if (stretch.keys < kKeysPerStretch && !is_last) continue;
      stretches_.push_back(stretch);
      header_.keys += stretch.keys;
      stretch = {stretch.end_part, stretch.end_part, header_.keys, 0};
    }
  }

  absl::Status WriteStretch(Stretch* stretch, std::vector<KeydirSlot>* slots) {
    std::vector<KeydirPage> pages;
    for (size_t i = stretch->first_part; i < stretch->end_part; ++i) {
      keydir_.CopyPart(i, &pages, slots);
    }
    if (slots->size() != stretch->keys || !Relocate(absl::MakeSpan(*slots))) {
      return absl::FailedPreconditionError(
          "the keydir is not that of the segments that are listed");
    }
    const uint64_t begin =
        header_.keys_offset() + stretch->first_key * kCheckpointKeyBytes;
    const std::string_view bytes = BytesOf(*slots);
    size_t at = 0;
    for (const KeydirPage& page : pages) {
      const size_t size = page.keys * kCheckpointKeyBytes;
      const uint32_t checksum =
          CheckpointPageChecksum(header_, begin + at, bytes.substr(at, size));
      AppendCheckpointPage(
          {page.begin, checksum, static_cast<uint16_t>(page.keys),
           static_cast<uint8_t>(page.bits)},
          &stretch->pages);
      at += size;
    }
    return bytes.empty() ? absl::OkStatus() : file_.Write(begin, bytes);
  }

  // False if a key's segment is not bound: then a merge went wrong.
  bool Relocate(absl::Span<KeydirSlot> slots) const {
    bool all_known = true;
    for (KeydirSlot& slot : slots) {
      const size_t granule = SegmentSet::GranuleOf(slot.entry().location());
      const uint64_t shift =
          granule < shifts_.size() ? shifts_[granule] : kNowhere;
      all_known &= shift != kNowhere;
      slot.tagged_entry += shift << KeydirEntry::kLocationShift;
    }
    return all_known;
  }

  static constexpr uint64_t kNowhere = UINT64_MAX;

  State& state_;
  Keydir& keydir_;
  File& file_;
  CheckpointHeader header_;
  std::string segments_;  // their table
  std::vector<Stretch> stretches_;
  // What is to be added to the units of locations, by granule.
  std::vector<uint64_t> shifts_;
};

}  // namespace

absl::Status WriteCheckpoint(Directory* directory, uint64_t generation,
                             const CheckpointBinding& binding, State* state,
                             size_t threads) {
  const std::string name = CheckpointFileName(generation);
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                   directory->CreateFile(name));
  const absl::Status status =
      CheckpointWriter(generation, binding, state, file.get()).Run(threads);
  if (!status.ok()) directory->Unlink(name).IgnoreError();
  return status;
}

}  // namespace stave
