#include "engine/core/checkpoint_copy.h"
#include "engine/core/hashed_checkpoint_keys.h"

namespace stave {

std::string_view HashedCheckpointCopy::Copied::bytes() const {
  return BytesOf(slots);
}

void HashedCheckpointCopy::Copied::AppendRows(ChecksumOfNext checksum,
                                              std::string* table) const {
  for (const KeydirPage& page : pages) {
    AppendCheckpointPage(
        {page.begin, checksum(page.keys * kCheckpointKeyBytes),
         static_cast<uint16_t>(page.keys), static_cast<uint8_t>(page.bits)},
        table);
  }
}

HashedCheckpointCopy::HashedCheckpointCopy(Keydir* keydir,
                                           const CheckpointPlaces* places)
    : keydir_(*keydir->copier()), places_(*places) {
  Stretch stretch;
  uint64_t keys = 0;
  for (size_t part = 0; part < KeydirCopier::kParts; ++part) {
    keys += keydir_.KeysIn(part);
    stretch.end_part = part + 1;
    const bool is_last = part + 1 == KeydirCopier::kParts;
    if (keys < kKeysPerStretch && !is_last) continue;
    stretches_.push_back(stretch);
    stretch = {stretch.end_part, stretch.end_part};
    keys = 0;
  }
}

void HashedCheckpointCopy::Copy(size_t stretch, Copied* copied) const {
  copied->pages.clear();
  copied->slots.clear();
  copied->slots.reserve(2 * kKeysPerStretch);  // not while it holds a lock
  const auto [first_part, end_part] = stretches_[stretch];
  for (size_t part = first_part; part < end_part; ++part) {
    keydir_.CopyPart(part, &copied->pages, &copied->slots);
  }
  size_t from = 0;
  size_t to = 0;
  size_t pages = 0;
  for (KeydirPage page : copied->pages) {
    const size_t end = from + page.keys;
    const size_t begin = to;
    for (; from < end; ++from) {
      KeydirSlot slot = copied->slots[from];
      if (places_.Relocate(&slot)) copied->slots[to++] = slot;
    }
    page.keys = static_cast<uint32_t>(to - begin);
    if (page.keys > 0) copied->pages[pages++] = page;
  }
  copied->pages.resize(pages);
  copied->slots.resize(to);
}

}  // namespace stave
