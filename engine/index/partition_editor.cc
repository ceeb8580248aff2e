#include "engine/index/partition_editor.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/base/status_macros.h"
#include "engine/index/hash_stretch.h"

namespace stave {
namespace {

// Buddies that have no more keys together are merged; splitting takes twice
// as many, so that neither follows soon upon the other.
constexpr uint32_t kMaxKeysToMerge = HashPage::Capacity(kMaxPageLength) / 2;

// The length for a page that has lost keys: with room for a sixteenth more, or
// the next new key would have it copied again.
uint32_t ShrunkLength(uint32_t keys) {
  return HashPage::LengthFor(keys + keys / 16);
}

absl::Status CantBe(std::string_view what) {
  return absl::DataLossError(ToAbsl(what));
}

bool HasManyDead(PageRef page, const PageUse& use) {
  return use.dead() > page.length() * kSlotsPerLine / 8;
}

}  // namespace

PartitionEditor::PartitionEditor(size_t number, Partition* partition,
                                 std::atomic<PageDirectory>* directory,
                                 PageArena* arena, RetiredPages* retired)
    : number_(number),
      least_hash_(LeastHash(number)),
      partition_(*partition),
      directory_(*directory),
      arena_(*arena),
      retired_(*retired) {
  partition_.lock.Lock();
}

PartitionEditor::~PartitionEditor() { partition_.lock.Unlock(); }

KeydirEntry PartitionEditor::Seek(const KeyPosition& position) {
  position_ = &position;
  place_ = HashPage::Place();
  if (!directory().exists()) return KeydirEntry();
  index_ = directory().IndexAt(position.stretched);
  const PageRef page = directory().page(index_);
  if (!page.empty())
    place_ = At(page).Locate(position.key, directory().use(index_));
  return place_.entry;
}

absl::Status PartitionEditor::Set(KeydirEntry entry) {
  if (!place_.entry.absent()) {
    Replace(entry);
    return absl::OkStatus();
  }
  while (!HasRoom()) {
    RETURN_IF_ERROR(MakeRoom());
    Seek(*position_);
  }
  CountKeys(1);
  Replace(entry);
  return absl::OkStatus();
}

void PartitionEditor::Replace(KeydirEntry entry) {
  At(directory().page(index_))
      .Store(place_, position_->key, entry, directory().use(index_));
}

// Whether the key sought last can have its place.
bool PartitionEditor::HasRoom() const {
  if (place_.slot == nullptr) return false;
  if (!HashPage::NeverUsed(*place_.slot)) return true;
  return directory().use(index_).used() <
         HashPage::Capacity(directory().page(index_).length());
}

absl::Status PartitionEditor::MakeRoom() {
  if (!directory().exists()) {
    Publish(PageDirectory::Create());
    index_ = 0;
  }
  const PageRef page = directory().page(index_);
  if (page.length() == kMaxPageLength) return Split(index_);
  return Rebuild(index_, page.length() + 1);
}

void PartitionEditor::Remove() {
  HashPage::Remove(*place_.slot, directory().use(index_));
  CountKeys(-1);
  Tidy(index_);
}

absl::Status PartitionEditor::Split(size_t index) {
  if (directory().page(index).depth() == directory().depth()) {
    if (directory().depth() == PageDirectory::kMaxDepth) {
      return absl::ResourceExhaustedError(
          "keydir: too many keys with almost the same hash");
    }
    Publish(directory().CopyWithDepth(directory().depth() + 1));
    index *= 2;
  }
  const PageRef page = directory().page(index);
  const int depth = page.depth() + 1;
  const auto half_of = [this, depth](const Slot& slot) {
    return StretchedHashOf(slot) >> (64 - kPartitionBits - depth) & 1;
  };
  std::array<uint32_t, 2> keys{};
  At(page).ForEachKey([&](const Slot& slot) { ++keys[half_of(slot)]; });
  ASSIGN_OR_RETURN(const PageRef low,
                   NewPage(HashPage::LengthFor(keys[0]), depth));
  const absl::StatusOr<PageRef> high =
      NewPage(HashPage::LengthFor(keys[1]), depth);
  if (!high.ok()) {
    Retire(low);
    return high.status();
  }
  std::array<HashPageBuilder, 2> halves = {Fill(low), Fill(*high)};
  At(page).ForEachKey(
      [&](const Slot& slot) { halves[half_of(slot)].Add(slot); });
  directory().SetPage(index, low, halves[0].Finish());
  directory().SetPage(index + directory().EntriesOf(low), *high,
                      halves[1].Finish());
  Retire(page);
  return absl::OkStatus();
}

// Makes up for the dead slots of a page, if they have become many.
void PartitionEditor::Tidy(size_t index) {
  const PageRef page = directory().page(index);
  const PageUse& use = directory().use(index);
  if (use.keys() != 0 && !HasManyDead(page, use)) return;
  if (MergeWithBuddy(index)) return;
  // Without memory for a copy, the page may as well stay as it is.
  Rebuild(index, std::min(ShrunkLength(use.keys()), page.length()))
      .IgnoreError();
}

bool PartitionEditor::MergeWithBuddy(size_t index) {
  const PageRef page = directory().page(index);
  if (page.depth() == 0) return false;
  const size_t entries = directory().EntriesOf(page);
  const PageRef buddy = directory().page(index ^ entries);
  if (buddy.depth() != page.depth()) return false;
  const uint32_t keys =
      directory().use(index).keys() + directory().use(index ^ entries).keys();
  if (keys > kMaxKeysToMerge) return false;
  const absl::StatusOr<PageRef> merged =
      NewPage(ShrunkLength(keys), page.depth() - 1);
  if (!merged.ok()) return false;
  HashPageBuilder builder = Fill(*merged);
  for (const PageRef half : {page, buddy}) {
    At(half).ForEachKey([&](const Slot& slot) { builder.Add(slot); });
  }
  directory().SetPage(index & ~entries, *merged, builder.Finish());
  Retire(page);
  Retire(buddy);
  const int depth = directory().MaxPageDepth();
  if (depth < directory().depth()) Publish(directory().CopyWithDepth(depth));
  return true;
}

// Copies the page into one of at least `min_length` lines.
absl::Status PartitionEditor::Rebuild(size_t index, uint32_t min_length) {
  const PageRef page = directory().page(index);
  ASSIGN_OR_RETURN(const PageRef copy, NewPage(min_length, page.depth()));
  HashPageBuilder builder = Fill(copy);
  At(page).ForEachKey([&](const Slot& slot) { builder.Add(slot); });
  directory().SetPage(index, copy, builder.Finish());
  Retire(page);
  return absl::OkStatus();
}

absl::StatusOr<PageRef> PartitionEditor::NewPage(uint32_t min_length,
                                                 int depth) {
  if (min_length == 0) return PageRef::Empty(depth);
  ASSIGN_OR_RETURN(const PageArena::Block block, arena_.Allocate(min_length));
  return PageRef(block.offset, block.length, depth);
}

void PartitionEditor::Retire(PageRef page) {
  if (page.empty()) return;
  retired_.Add(page);
  retired_any_ = true;
}

void PartitionEditor::Publish(PageDirectory directory) {
  const PageDirectory old = this->directory();
  directory_.store(directory, std::memory_order_release);
  if (!old.exists()) return;
  retired_.Add(old);
  retired_any_ = true;
}

void PartitionEditor::CountKeys(int64_t change) {
  // Written under the lock, so this takes no read-modify-write.
  const uint64_t keys = partition_.keys.load(std::memory_order_relaxed);
  partition_.keys.store(keys + static_cast<uint64_t>(change),
                        std::memory_order_relaxed);
}

uint64_t PartitionEditor::SweepPage(uint64_t begin,
                                    absl::FunctionRef<bool(KeydirEntry)> keep) {
  if (!directory().exists()) return PartitionEnd(PartitionOf(begin));
  const size_t index = directory().IndexAt(begin);
  const uint64_t end = directory().PageEnd(begin);
  PageUse& use = directory().use(index);
  const uint32_t keys = use.keys();
  At(directory().page(index)).ForEachKey([&](Slot& slot) {
    if (StretchedHashOf(slot) < begin) return;
    if (keep(HashPage::EntryOf(slot))) return;
    HashPage::Remove(slot, use);
  });
  if (use.keys() == keys) return end;
  CountKeys(int64_t{use.keys()} - int64_t{keys});
  Tidy(index);
  return end;
}

void PartitionEditor::Copy(std::vector<KeydirPage>* pages,
                           std::vector<KeydirSlot>* slots) const {
  if (!directory().exists()) return;
  const int entry_shift = 64 - kPartitionBits - directory().depth();
  for (size_t index = 0; index < directory().size();) {
    const PageRef page = directory().page(index);
    const uint32_t keys = directory().use(index).keys();
    if (keys != 0) {
      pages->push_back(
          {PartitionBegin(number_) + (uint64_t{index} << entry_shift),
           kPartitionBits + page.depth(), keys});
      At(page).ForEachKey([&](const Slot& slot) {
        slots->push_back({least_hash_ + HashPage::HashOf(slot),
                          slot.tagged_entry.load(std::memory_order_relaxed)});
      });
    }
    index += directory().EntriesOf(page);
  }
}

absl::Status PartitionEditor::Restore(absl::Span<const KeydirPage> pages,
                                      absl::Span<const KeydirSlot> slots) {
  if (pages.empty()) return absl::OkStatus();
  int depth = 0;
  for (const KeydirPage& page : pages) {
    if (page.bits < kPartitionBits ||
        page.bits > kPartitionBits + PageDirectory::kMaxDepth) {
      return CantBe("a page of a depth that no page has");
    }
    depth = std::max(depth, page.bits - kPartitionBits);
  }
  // Else a few bytes could have a directory take much memory.
  if (depth > 0 && size_t{1} << depth > slots.size()) {
    return CantBe("pages that are deeper than their keys need");
  }
  Publish(PageDirectory::Create(depth));
  const int entry_shift = 64 - kPartitionBits - depth;
  size_t end = 0;  // of the entries that have their page
  for (const KeydirPage& page : pages) {
    const uint64_t after_begin = page.begin << page.bits;
    const size_t index = (page.begin - PartitionBegin(number_)) >> entry_shift;
    if (PartitionOf(page.begin) != number_ || after_begin != 0 || index < end) {
      return CantBe("pages out of order");
    }
    if (page.keys == 0 || page.keys > HashPage::Capacity(kMaxPageLength) ||
        page.keys > slots.size()) {
      return CantBe("a page with a number of keys that no page has");
    }
    SetEmpty(end, index);
    RETURN_IF_ERROR(RestorePage(index, page, slots.subspan(0, page.keys)));
    slots.remove_prefix(page.keys);
    end = index + directory().EntriesOf(directory().page(index));
  }
  SetEmpty(end, directory().size());
  return slots.empty() ? absl::OkStatus() : CantBe("keys without a page");
}

// Covers these entries of the directory with pages without keys, each as large
// as pages can be there.
void PartitionEditor::SetEmpty(size_t begin, size_t end) {
  while (begin < end) {
    size_t entries = directory().size();
    int depth = 0;
    while (begin % entries != 0 || begin + entries > end) {
      entries /= 2;
      ++depth;
    }
    directory().SetPage(begin, PageRef::Empty(depth), PageUse());
    begin += entries;
  }
}

absl::Status PartitionEditor::RestorePage(size_t index, const KeydirPage& page,
                                          absl::Span<const KeydirSlot> slots) {
  // The stretched hash of the greatest hash is beyond the last page's begin, so
  // that of the next page is the least that can't be in this one.
  const uint64_t least = LeastHashStretchedTo(page.begin);
  const uint64_t next = page.begin + (uint64_t{1} << (64 - page.bits));
  const uint64_t greatest =
      next == 0 ? UINT64_MAX : LeastHashStretchedTo(next) - 1;
  ASSIGN_OR_RETURN(const PageRef ref, NewPage(HashPage::LengthFor(page.keys),
                                              page.bits - kPartitionBits));
  HashPageBuilder builder = Fill(ref);
  bool all_fit = true;
  for (const KeydirSlot& slot : slots) {
    all_fit &= slot.prefix >= least && slot.prefix <= greatest;
    all_fit &= !slot.entry().absent();
    builder.Add((slot.prefix - least_hash_) & PageKey::kMaxHash,
                slot.tagged_entry);
  }
  if (!all_fit) return CantBe("a key that can't be in its page");
  directory().SetPage(index, ref, builder.Finish());
  CountKeys(int64_t{page.keys});
  return absl::OkStatus();
}

bool PartitionEditor::MovePage(
    absl::FunctionRef<bool(uint32_t offset)> unwanted) {
  if (!directory().exists()) return false;
  for (size_t index = 0; index < directory().size();) {
    const PageRef page = directory().page(index);
    if (!page.empty() && unwanted(page.offset())) {
      return Rebuild(index, page.length()).ok();
    }
    index += directory().EntriesOf(page);
  }
  return false;
}

}  // namespace stave
