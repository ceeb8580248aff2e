#include "engine/core/checkpoint_writer.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/durability_site.h"
#include "engine/base/epoch.h"
#include "engine/base/mutex.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/core/hashed_checkpoint_keys.h"
#include "engine/format/checkpoint.h"
#include "engine/format/file_names.h"
#include "engine/format/ordered_checkpoint_page.h"
#include "engine/format/segment_header.h"
#include "engine/index/keydir.h"
#include "engine/log/hint_file.h"

namespace stave {
namespace {

// As many as a leaf has.
constexpr size_t kKeysPerOrderedPage = 64;

class CheckpointWriter {
 public:
  CheckpointWriter(uint64_t generation, const CheckpointScope& scope,
                   State* state, Log* log, File* file,
                   const std::atomic<bool>& cancelled)
      : state_(*state),
        order_(state->keydir->order()),
        log_(*log),
        file_(*file),
        cancelled_(cancelled) {
    if (order_ != nullptr) header_.kind = CheckpointKind::kOrdered;
    header_.generation = generation;
    header_.store_id = scope.store_id;
    header_.secret_check = HintSecretCheck(*state_.hasher);
    header_.segments = static_cast<uint32_t>(scope.segments.size());
    expired_keys_removed_ = state_.expired_keys_removed;
    PlaceSegments(scope);
    order_ != nullptr ? DivideKeys() : DivideParts();
  }

  uint64_t file_bytes() const { return header_.file_bytes(); }

  absl::Status Run(size_t threads) {
    const uint64_t appended = log_.bytes_appended();
    RETURN_IF_ERROR(WriteKeys(threads));
    // Else an open that finds nothing more in the log than this covers would
    // take the segments' live bytes for what the keys come to.
    if (state_.expired_keys_removed != expired_keys_removed_ &&
        log_.bytes_appended() == appended) {
      return absl::AbortedError("keys that had expired left meanwhile");
    }
    std::string pages;
    for (const Stretch& stretch : stretches_) pages += stretch.pages;
    if (order_ != nullptr) {
      header_.ordered_bytes = PlacedBytes();
    } else {
      header_.keys = PlacedBytes() / kCheckpointKeyBytes;
    }
    header_.pages = static_cast<uint32_t>(pages.size() / kCheckpointPageBytes);
    header_.tables_checksum = CheckpointTablesChecksum(segments_, pages);
    RETURN_IF_ERROR(file_.Write(header_.segments_offset(), segments_));
    RETURN_IF_ERROR(file_.Write(header_.pages_offset(), pages));
    RETURN_IF_ERROR(file_.SyncData());
    RETURN_IF_ERROR(SyncLog());
    // What has a header is complete on the device: so damage can be told from
    // a checkpoint that was never finished.
    RETURN_IF_ERROR(file_.Write(0, EncodeCheckpointHeader(header_)));
    return file_.SyncData();
  }

 private:
  // Some parts of the keydir, one after another; or, if it has an order, keys
  // from one on, and up to another.
  struct Stretch {
    size_t first_part = 0;
    size_t end_part = 0;
    std::string from = {};
    std::optional<std::string> to = std::nullopt;
    std::string pages = {};  // their part of the pages' table
  };
  // What was copied of a stretch, without the keys of other segments.
  struct Copied {
    std::vector<KeydirPage> pages;
    std::vector<KeydirSlot> slots;
    std::vector<OrderedCheckpointPage> ordered_pages;  // without checksums
    std::string ordered_bytes;

    std::string_view bytes() const {
      return slots.empty() ? ordered_bytes : BytesOf(slots);
    }
  };

  // The segments, one behind another, as locations in checkpoints count them.
  void PlaceSegments(const CheckpointScope& scope) {
    shifts_.assign(state_.segments->GranuleCount(), kNowhere);
    uint64_t granule = 1;
    for (const auto& [segment, summary] : scope.segments) {
      const uint64_t first = segment->LocationOf(0).unit;
      const size_t begin = SegmentSet::GranuleOf(segment->LocationOf(0));
      const uint64_t granules = CheckpointGranules(summary.length);
      for (size_t i = begin; i < begin + granules && i < shifts_.size(); ++i) {
        shifts_[i] = (granule << kCheckpointGranuleUnitBits) - first;
      }
      granule += granules;
      AppendCheckpointSegment({segment->id(), segment->header().salt, summary,
                               segment->live_bytes()},
                              &segments_);
    }
  }

  void DivideParts() {
    Stretch stretch;
    uint64_t keys = 0;
    const KeydirCopier& keydir = *state_.keydir->copier();
    for (size_t part = 0; part < KeydirCopier::kParts; ++part) {
      keys += keydir.KeysIn(part);
      stretch.end_part = part + 1;
      const bool is_last = part + 1 == KeydirCopier::kParts;
      if (keys < kKeysPerStretch && !is_last) continue;
      stretches_.push_back(stretch);
      stretch = {stretch.end_part, stretch.end_part};
      keys = 0;
    }
  }

  void DivideKeys() {
    EpochGuard guard;
    Stretch stretch;
    for (std::string& key : order_->Partings()) {
      stretch.to = key;
      stretches_.push_back(std::move(stretch));
      stretch = {};
      stretch.from = std::move(key);
    }
    stretches_.push_back(std::move(stretch));
  }

  absl::Status WriteKeys(size_t threads) {
    std::atomic<size_t> next{0};
    return ParallelFor(threads, threads, [&](size_t) {
      Copied copied;
      // Who has taken a stretch places it: others wait for that.
      while (!cancelled_) {
        const size_t i = next++;
        if (i >= stretches_.size()) return absl::OkStatus();
        order_ != nullptr ? CopyInOrder(stretches_[i], &copied)
                          : Copy(stretches_[i], &copied);
        const uint64_t offset = Place(i, copied.bytes().size());
        RETURN_IF_ERROR(Write(copied, offset, &stretches_[i].pages));
      }
      return absl::CancelledError("the store is being closed");
    });
  }

  void Copy(const Stretch& stretch, Copied* copied) {
    copied->pages.clear();
    copied->slots.clear();
    copied->slots.reserve(2 * kKeysPerStretch);  // not while it holds a lock
    for (size_t i = stretch.first_part; i < stretch.end_part; ++i) {
      state_.keydir->copier()->CopyPart(i, &copied->pages, &copied->slots);
    }
    size_t from = 0;
    size_t to = 0;
    size_t pages = 0;
    for (KeydirPage page : copied->pages) {
      const size_t end = from + page.keys;
      const size_t begin = to;
      for (; from < end; ++from) {
        KeydirSlot slot = copied->slots[from];
        if (Relocate(&slot)) copied->slots[to++] = slot;
      }
      page.keys = static_cast<uint32_t>(to - begin);
      if (page.keys > 0) copied->pages[pages++] = page;
    }
    copied->pages.resize(pages);
    copied->slots.resize(to);
  }

  // Without a lock: of a key that comes or goes meanwhile the log knows.
  void CopyInOrder(const Stretch& stretch, Copied* copied) {
    copied->ordered_pages.clear();
    copied->ordered_bytes.clear();
    KeyRun run(KeyRun::Keys::kAll);
    OrderedCheckpointPageBuilder page;
    bool has_more = true;
    for (std::string from = stretch.from; has_more;
         from = run.last() + '\0') {  // the least key behind it
      run.Clear();
      EpochGuard guard;
      order_->CopyFrom(from, kKeysPerOrderedPage, &run);
      has_more = !run.empty();
      for (size_t i = 0; i < run.size() && has_more; ++i) {
        has_more = !stretch.to.has_value() || run.key(i) < *stretch.to;
        KeydirSlot slot{0, run.entry(i).bits()};
        if (!has_more || !Relocate(&slot)) continue;
        page.Add(run.key(i), slot.tagged_entry);
      }
      const uint32_t keys = page.keys();
      if (keys == 0) continue;
      const uint64_t bytes = page.AppendTo(&copied->ordered_bytes);
      copied->ordered_pages.push_back({bytes, 0, keys});
    }
  }

  // False if its record is in a segment that is not covered: recovery finds
  // it there, or what came after it.
  bool Relocate(KeydirSlot* slot) const {
    const size_t granule = SegmentSet::GranuleOf(slot->entry().location());
    const uint64_t shift =
        granule < shifts_.size() ? shifts_[granule] : kNowhere;
    if (shift == kNowhere) return false;
    slot->tagged_entry += shift << KeydirEntry::kLocationShift;
    return true;
  }

  // Stretches stand in the file in their order, though nobody knows before how
  // many keys one has. Returns where this one begins.
  uint64_t Place(size_t stretch, uint64_t bytes) {
    MutexLock lock(&mutex_);
    while (placed_ < stretch) has_placed_.Wait(&mutex_);
    ++placed_;
    has_placed_.SignalAll();
    const uint64_t offset = header_.keys_offset() + placed_bytes_;
    placed_bytes_ += bytes;
    return offset;
  }
  uint64_t PlacedBytes() {
    MutexLock lock(&mutex_);
    return placed_bytes_;
  }

  absl::Status Write(const Copied& copied, uint64_t offset,
                     std::string* table) {
    const std::string_view bytes = copied.bytes();
    if (bytes.empty()) return absl::OkStatus();
    uint64_t at = 0;
    const auto checksum_of_next = [&](uint64_t size) {
      const uint64_t begin = std::exchange(at, at + size);
      return CheckpointPageChecksum(header_, offset + begin,
                                    bytes.substr(begin, size));
    };
    if (order_ != nullptr) {
      for (OrderedCheckpointPage page : copied.ordered_pages) {
        page.checksum = checksum_of_next(page.bytes);
        AppendCheckpointPage(page, table);
      }
    } else {
      for (const KeydirPage& page : copied.pages) {
        AppendCheckpointPage(
            {page.begin, checksum_of_next(page.keys * kCheckpointKeyBytes),
             static_cast<uint16_t>(page.keys), static_cast<uint8_t>(page.bits)},
            table);
      }
    }
    return file_.Write(offset, bytes);
  }

  // I8: a key is left out if what the keydir named was in a segment that is not
  // covered, and what that had replaced is not in the copy either.
  absl::Status SyncLog() {
    {
      MutexLock lock(&log_.append_mutex());
      header_.end_sequence = log_.last_change();
    }
    return DURABILITY_SITE(kCheckpointLogSync,
                           log_.SyncThrough(header_.end_sequence));
  }

  static constexpr uint64_t kNowhere = UINT64_MAX;

  State& state_;
  KeyOrder* const order_;  // null where the keydir has hashes
  Log& log_;
  File& file_;
  const std::atomic<bool>& cancelled_;
  CheckpointHeader header_;
  std::string segments_;  // their table
  uint64_t expired_keys_removed_ = 0;
  std::vector<Stretch> stretches_;
  // What is to be added to the units of locations, by granule.
  std::vector<uint64_t> shifts_;

  Mutex mutex_;
  CondVar has_placed_;
  size_t placed_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t placed_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

CheckpointScope CheckpointScope::Of(const ManifestState& manifest,
                                    const SegmentSet& segments) {
  absl::flat_hash_map<SegmentId, std::shared_ptr<Segment>> open;
  for (auto& segment : segments.All()) open[segment->id()] = segment;
  CheckpointScope scope;
  scope.store_id = manifest.base.store_id;
  for (const ListedSegment& listed : manifest.segments) {
    if (!listed.sealed.has_value()) continue;
    const auto found = open.find(listed.header.id);
    // Installed, but not open as yet; or merged meanwhile.
    if (found == open.end()) continue;
    scope.segments.push_back({found->second, *listed.sealed});
  }
  return scope;
}

uint64_t CheckpointScope::UncoveredBytes(const SegmentSet& all) const {
  uint64_t bytes = 0;
  for (const std::shared_ptr<Segment>& segment : all.All()) {
    const bool is_covered =
        std::any_of(segments.begin(), segments.end(),
                    [&](const auto& each) { return each.segment == segment; });
    if (!is_covered) bytes += segment->end() - kSegmentHeaderBytes;
  }
  return bytes;
}

absl::StatusOr<uint64_t> WriteCheckpoint(Directory* directory,
                                         uint64_t generation,
                                         const CheckpointScope& scope,
                                         State* state, Log* log, size_t threads,
                                         const std::atomic<bool>& cancelled) {
  const std::string name = CheckpointFileName(generation);
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                   directory->CreateFile(name));
  CheckpointWriter writer(generation, scope, state, log, file.get(), cancelled);
  const absl::Status status = writer.Run(threads);
  if (status.ok()) return writer.file_bytes();
  directory->Unlink(name).IgnoreError();
  return status;
}

}  // namespace stave
