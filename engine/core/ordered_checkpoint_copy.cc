#include <utility>

#include "engine/base/epoch.h"
#include "engine/core/checkpoint_copy.h"
#include "engine/format/ordered_checkpoint_page.h"

namespace stave {
namespace {

// As many as a leaf has.
constexpr size_t kKeysPerPage = 64;

}  // namespace

void OrderedCheckpointCopy::Copied::AppendRows(ChecksumOfNext checksum,
                                               std::string* table) const {
  for (OrderedCheckpointPage page : pages) {
    page.checksum = checksum(page.bytes);
    AppendCheckpointPage(page, table);
  }
}

OrderedCheckpointCopy::OrderedCheckpointCopy(Keydir* keydir,
                                             const CheckpointPlaces* places)
    : keydir_(*keydir->order()), places_(*places) {
  EpochGuard guard;
  Stretch stretch;
  for (std::string& key : keydir_.Partings()) {
    stretch.to = key;
    stretches_.push_back(std::move(stretch));
    stretch = {std::move(key), std::nullopt};
  }
  stretches_.push_back(std::move(stretch));
}

void OrderedCheckpointCopy::Copy(size_t stretch, Copied* copied) const {
  copied->pages.clear();
  copied->all.clear();
  KeyRun run(KeyRun::Keys::kAll);
  OrderedCheckpointPageBuilder page;
  const auto& [begin, end] = stretches_[stretch];
  bool has_more = true;
  for (std::string from = begin; has_more;
       from = run.last() + '\0') {  // the least key behind it
    run.Clear();
    EpochGuard guard;
    keydir_.CopyFrom(from, kKeysPerPage, &run);
    has_more = !run.empty();
    for (size_t i = 0; i < run.size() && has_more; ++i) {
      has_more = !end.has_value() || run.key(i) < *end;
      KeydirSlot slot{0, run.entry(i).bits()};
      if (!has_more || !places_.Relocate(&slot)) continue;
      page.Add(run.key(i), slot.tagged_entry);
    }
    const uint32_t keys = page.keys();
    if (keys == 0) continue;
    const uint64_t bytes = page.AppendTo(&copied->all);
    copied->pages.push_back({bytes, 0, keys});
  }
}

}  // namespace stave
