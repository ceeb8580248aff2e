#include "engine/index/hash_keydir.h"

#include "engine/index/hash_page.h"
#include "engine/index/hash_stretch.h"

namespace stave {

static_assert(KeydirCopier::kParts == kPartitions);
static_assert(KeydirCopier::PartOf(PartitionBegin(1)) == 1);

HashKeydir::~HashKeydir() {
  for (std::atomic<PageDirectory>& directory : directories_) {
    PageDirectory::Destroy(directory.load(std::memory_order_relaxed));
  }
}

PageRef HashKeydir::PageOf(const KeyPosition& position) const {
  const PageDirectory directory =
      directories_[position.partition].load(std::memory_order_acquire);
  return directory.exists() ? directory.PageAt(position.stretched) : PageRef();
}

void HashKeydir::Prefetch(const KeyRef& key) const {
  const KeyPosition position(key.hash);
  const PageRef page = PageOf(position);
  if (!page.empty()) At(page).Prefetch(position.key);
}

void HashKeydir::PrefetchDirectory(const KeyHash& hash) const {
  const KeyPosition position(hash);
  directories_[position.partition]
      .load(std::memory_order_relaxed)
      .Prefetch(position.stretched);
}

KeydirEntry HashKeydir::Find(const KeyRef& key) const {
  const KeyPosition position(key.hash);
  const PageRef page = PageOf(position);
  return page.empty() ? KeydirEntry() : At(page).Find(position.key);
}

template <typename Change>
auto HashKeydir::Edit(size_t partition, Change change) {
  bool retired_any = false;
  auto result = [&] {
    PartitionEditor editor(partition, &partitions_[partition],
                           &directories_[partition], &arena_, &retired_);
    auto changed = change(editor);
    retired_any = editor.retired_any();
    return changed;
  }();
  if (retired_any) [[unlikely]]
    CleanUp();
  return result;
}

template <typename Change>
auto HashKeydir::EditKey(const KeyHash& hash, Change change) {
  const KeyPosition position(hash);
  return Edit(position.partition, [&](PartitionEditor& editor) {
    return change(editor, editor.Seek(position));
  });
}

absl::StatusOr<KeydirEntry> HashKeydir::Put(const KeyRef& key,
                                            KeydirEntry entry) {
  return EditKey(key.hash,
                 [entry](PartitionEditor& editor,
                         KeydirEntry present) -> absl::StatusOr<KeydirEntry> {
                   absl::Status status = editor.Set(entry);
                   if (!status.ok()) return status;
                   return present;
                 });
}

KeydirEntry HashKeydir::Remove(const KeyRef& key) {
  return EditKey(key.hash, [](PartitionEditor& editor, KeydirEntry present) {
    if (!present.absent()) editor.Remove();
    return present;
  });
}

bool HashKeydir::CompareAndSwap(const KeyRef& key, KeydirEntry expected,
                                KeydirEntry desired) {
  return EditKey(key.hash, [&](PartitionEditor& editor, KeydirEntry present) {
    if (present.absent() || present != expected) return false;
    if (desired.absent()) {
      editor.Remove();
    } else {
      editor.Replace(desired);
    }
    return true;
  });
}

absl::Status HashKeydir::Offer(
    const KeyRef& key, KeydirEntry candidate,
    absl::FunctionRef<bool(KeydirEntry present)> supersedes) {
  return EditKey(key.hash, [&](PartitionEditor& editor, KeydirEntry present) {
    if (!present.absent() && !supersedes(present)) return absl::OkStatus();
    return editor.Set(candidate);
  });
}

void HashKeydir::Sweep(size_t part, size_t parts,
                       absl::FunctionRef<bool(KeydirEntry)> keep) {
  const size_t end = kPartitions * (part + 1) / parts;
  for (size_t partition = kPartitions * part / parts; partition < end;
       ++partition) {
    // Page by page, so that nobody waits for long.
    uint64_t begin = PartitionBegin(partition);
    do {
      begin = Edit(partition, [&](PartitionEditor& editor) {
        return editor.SweepPage(begin, keep);
      });
    } while (begin != PartitionEnd(partition));
  }
}

Keydir::Statistics HashKeydir::GetStatistics() const {
  Statistics statistics;
  statistics.bytes =
      sizeof(*this) + arena_.bytes() + retired_.directory_bytes();
  for (const Partition& partition : partitions_) {
    statistics.keys += partition.keys.load(std::memory_order_relaxed);
  }
  for (const std::atomic<PageDirectory>& directory : directories_) {
    statistics.bytes += directory.load(std::memory_order_relaxed).bytes();
  }
  return statistics;
}

uint64_t HashKeydir::KeysIn(size_t part) const {
  return partitions_[part].keys.load(std::memory_order_relaxed);
}

void HashKeydir::CopyPart(size_t part, std::vector<KeydirPage>* pages,
                          std::vector<KeydirSlot>* slots) {
  PartitionEditor editor(part, &partitions_[part], &directories_[part], &arena_,
                         &retired_);
  editor.Copy(pages, slots);
}

absl::Status HashKeydir::RestorePart(size_t part,
                                     absl::Span<const KeydirPage> pages,
                                     absl::Span<const KeydirSlot> slots) {
  PartitionEditor editor(part, &partitions_[part], &directories_[part], &arena_,
                         &retired_);
  return editor.Restore(pages, slots);
}

// Called with no lock held after each change that retired something: so this
// work keeps up with what makes it, and nobody has to do much of it at once.
void HashKeydir::CleanUp() {
  retired_.Reclaim();
  if (!evacuation_lock_.TryLock()) return;
  if (evacuated_spans_.empty()) {
    BeginEvacuation();
  } else {
    ContinueEvacuation();
  }
  evacuation_lock_.Unlock();
}

void HashKeydir::BeginEvacuation() {
  for (const uint32_t span : arena_.BeginEvacuation()) {
    evacuated_spans_.insert(span);
  }
  evacuated_partition_ = 0;
}

// Moves one page, or goes on to the next partition.
void HashKeydir::ContinueEvacuation() {
  // The arena is asked again, since a span may have got free and new pages.
  const auto unwanted = [this, spans = &evacuated_spans_](uint32_t offset) {
    return spans->contains(PageArena::SpanOf(offset)) &&
           arena_.IsEvacuated(offset);
  };
  const size_t number = evacuated_partition_;
  PartitionEditor editor(number, &partitions_[number], &directories_[number],
                         &arena_, &retired_);
  if (editor.MovePage(unwanted)) return;
  if (++evacuated_partition_ == kPartitions) evacuated_spans_.clear();
}

}  // namespace stave
