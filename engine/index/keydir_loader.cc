#include "engine/index/keydir_loader.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <utility>

#include "absl/types/span.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/index/hash_page.h"
#include "engine/index/hash_partition.h"
#include "engine/index/hash_stretch.h"
#include "engine/index/page_directory.h"

namespace stave {
namespace {

// Half of a part's last chunk is empty on average: in long ones that would be
// much memory, short ones take time.
constexpr size_t kMinChunkSlots = 64;
constexpr size_t kMaxChunkSlots = 1024;
constexpr size_t kChunksPerPart = 64;
// Chunks of whole pages are given back as soon as they are read.
constexpr size_t kPageBytes = 4096;

// So few are left to be compared with one another.
constexpr size_t kSlotsPerBucket = 4;

constexpr uint32_t kMaxKeysPerPage = HashPage::Capacity(kMaxPageLength);

// By hash, and one key's by location.
bool IsBefore(const KeydirSlot& a, const KeydirSlot& b) {
  return a.prefix != b.prefix ? a.prefix < b.prefix
                              : a.tagged_entry < b.tagged_entry;
}

bool AreOfSameKey(const KeydirSlot& a, const KeydirSlot& b) {
  return a.prefix == b.prefix &&
         (a.tagged_entry ^ b.tagged_entry) >> KeydirSlot::kTagShift == 0;
}

// Deals the slots of a part out to buckets of like hashes, in their order.
class Buckets {
 public:
  Buckets(size_t part, size_t slots) : least_(LeastHash(part)) {
    const uint64_t greatest =
        part + 1 == kPartitions ? UINT64_MAX : LeastHash(part + 1) - 1;
    const int bits = std::bit_width(slots / kSlotsPerBucket);
    shift_ = std::bit_width(greatest - least_) - bits;
    ends_.resize((size_t{1} << bits) + 1);
  }

  // First all are counted, then all placed.
  void Count(const KeydirSlot& slot) { ++ends_[BucketOf(slot) + 1]; }
  void BeginPlacing() {
    for (size_t i = 1; i < ends_.size(); ++i) ends_[i] += ends_[i - 1];
  }
  // What was the place where a bucket begins is the place where it ends when
  // all have theirs.
  size_t PlaceOf(const KeydirSlot& slot) { return ends_[BucketOf(slot)]++; }

  // Calls visit(begin, end) for each bucket.
  template <typename Visit>
  void ForEach(Visit visit) const {
    size_t begin = 0;
    for (const size_t end : ends_) {
      if (begin != end) visit(begin, end);
      begin = end;
    }
  }

 private:
  size_t BucketOf(const KeydirSlot& slot) const {
    return (slot.prefix - least_) >> shift_;
  }

  const uint64_t least_;
  int shift_;
  std::vector<size_t> ends_;
};

// Divides a part's slots, which are in order, into pages.
class Pages {
 public:
  absl::Status Divide(uint64_t begin, int bits,
                      absl::Span<const KeydirSlot> slots) {
    if (slots.empty()) return absl::OkStatus();
    if (slots.size() <= kMaxKeysPerPage) {
      all_.push_back({begin, bits, static_cast<uint32_t>(slots.size())});
      return absl::OkStatus();
    }
    if (bits == kPartitionBits + PageDirectory::kMaxDepth) {
      return absl::ResourceExhaustedError(
          "keydir: too many keys with almost the same hash");
    }
    const uint64_t middle = begin | uint64_t{1} << (63 - bits);
    const auto high = std::lower_bound(
        slots.begin(), slots.end(), LeastHashStretchedTo(middle),
        [](const KeydirSlot& slot, uint64_t hash) {
          return slot.prefix < hash;
        });
    const size_t low = static_cast<size_t>(high - slots.begin());
    RETURN_IF_ERROR(Divide(begin, bits + 1, slots.subspan(0, low)));
    return Divide(middle, bits + 1, slots.subspan(low));
  }

  absl::Span<const KeydirPage> all() const { return all_; }

 private:
  std::vector<KeydirPage> all_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<KeydirLoader>> KeydirLoader::Create(
    Keydir* keydir, uint64_t most, size_t writers) {
  const size_t chunk_slots = std::clamp<size_t>(
      std::bit_ceil(most / (Keydir::kParts * kChunksPerPart)), kMinChunkSlots,
      kMaxChunkSlots);
  // A writer may leave a chunk of each part unfinished.
  const uint64_t slots = most + writers * Keydir::kParts * chunk_slots;
  ASSIGN_OR_RETURN(MemoryRange memory,
                   MemoryRange::Reserve(slots * sizeof(KeydirSlot)));
  return std::unique_ptr<KeydirLoader>(
      new KeydirLoader(keydir, std::move(memory), chunk_slots));
}

absl::Status KeydirLoader::Writer::Take(const KeyRef& key, KeydirEntry entry) {
  const KeyHash& hash = key.hash;
  const size_t part = PartitionOf(StretchHash(hash.prefix));
  Vacant& vacant = vacant_[part];
  if (vacant.next == vacant.end) [[unlikely]] {
    vacant.next = loader_.NewChunk(part);
    if (vacant.next == nullptr) {
      vacant.end = nullptr;
      return absl::ResourceExhaustedError(
          "keydir: more entries are loaded than there can be");
    }
    vacant.end = vacant.next + loader_.chunk_slots_;
  }
  *vacant.next++ = {hash.prefix,
                    uint64_t{hash.tag} << KeydirSlot::kTagShift | entry.bits()};
  return absl::OkStatus();
}

KeydirSlot* KeydirLoader::NewChunk(size_t part) {
  const size_t bytes = chunk_slots_ * sizeof(KeydirSlot);
  SpinLockHolder hold(&lock_);
  if (used_chunks_ == memory_.size() / bytes) return nullptr;
  auto* const chunk =
      reinterpret_cast<KeydirSlot*>(memory_.data() + used_chunks_++ * bytes);
  chunks_[part].push_back(chunk);
  return chunk;
}

void KeydirLoader::GiveBack(KeydirSlot* chunk) {
  const size_t bytes = chunk_slots_ * sizeof(KeydirSlot);
  if (bytes % kPageBytes != 0) return;
  const char* const begin = reinterpret_cast<const char*>(chunk);
  memory_.Release(static_cast<size_t>(begin - memory_.data()), bytes);
}

absl::Status KeydirLoader::Load(size_t threads) {
  {
    SpinLockHolder hold(&lock_);
    keydir_.ExpectKeys(used_chunks_ * chunk_slots_);
  }
  std::atomic<size_t> next{0};
  return ParallelFor(threads, threads, [&](size_t) {
    std::vector<KeydirSlot> scratch;
    for (size_t part = next++; part < Keydir::kParts; part = next++) {
      RETURN_IF_ERROR(LoadPart(part, &scratch));
    }
    return absl::OkStatus();
  });
}

absl::Status KeydirLoader::LoadPart(size_t part,
                                    std::vector<KeydirSlot>* scratch) {
  std::vector<KeydirSlot*> chunks;
  {
    SpinLockHolder hold(&lock_);
    chunks.swap(chunks_[part]);
  }
  std::vector<KeydirSlot>& slots = *scratch;
  const auto for_each_slot = [&](KeydirSlot* chunk, auto visit) {
    for (const KeydirSlot& slot : absl::MakeSpan(chunk, chunk_slots_)) {
      if (slot.entry().absent()) break;
      visit(slot);
    }
  };
  Buckets buckets(part, chunks.size() * chunk_slots_);
  size_t size = 0;
  for (KeydirSlot* const chunk : chunks) {
    for_each_slot(chunk, [&](const KeydirSlot& slot) {
      buckets.Count(slot);
      ++size;
    });
  }
  buckets.BeginPlacing();
  slots.resize(size);
  for (KeydirSlot* const chunk : chunks) {
    for_each_slot(chunk, [&](const KeydirSlot& slot) {
      slots[buckets.PlaceOf(slot)] = slot;
    });
    GiveBack(chunk);
  }
  // Each key's last entry stays.
  size_t kept = 0;
  buckets.ForEach([&](size_t begin, size_t end) {
    std::sort(slots.begin() + begin, slots.begin() + end, IsBefore);
    for (size_t i = begin; i < end; ++i) {
      const bool is_last =
          i + 1 == end || !AreOfSameKey(slots[i], slots[i + 1]);
      if (is_last) slots[kept++] = slots[i];
    }
  });
  const auto latest = absl::MakeConstSpan(slots).subspan(0, kept);
  Pages pages;
  RETURN_IF_ERROR(pages.Divide(PartitionBegin(part), kPartitionBits, latest));
  return keydir_.RestorePart(part, pages.all(), latest);
}

}  // namespace stave
