#include "engine/core/read_set.h"

#include <algorithm>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/base/epoch.h"
#include "engine/base/status_macros.h"

namespace stave {
namespace {

absl::Status Changed(std::string_view key) {
  return absl::AbortedError(
      absl::StrCat("key \"", absl::CHexEscape(ToAbsl(key)),
                   "\" has changed since the transaction has read it"));
}

}  // namespace

void ReadSet::AddKey(std::string_view key) {
  keys_.try_emplace((*instant_->state->hasher)(key), key);
}

absl::Status ReadSet::CheckKeys() const {
  EpochGuard guard;
  for (const auto& [hash, key] : keys_) {
    const std::optional<KeydirEntry> then = instant_->layer->Find(hash);
    if (!then.has_value()) continue;
    if (IsLive(*then) || IsLive(instant_->state->keydir->Find({key, hash}))) {
      return Changed(key);
    }
  }
  return absl::OkStatus();
}

bool ReadSet::IsLive(KeydirEntry entry) const {
  if (entry.absent()) return false;
  if (!entry.expires()) return true;
  Segment* segment = nullptr;
  RecordView record;
  return !instant_->state->ReadAt(entry, &segment, &record).ok() ||
         !instant_->state->Expired(record.header);
}

absl::Status ReadSet::CheckRanges(const Instant& begin,
                                  const Instant* end) const {
  const State& state = *instant_->state;
  absl::Status status;
  state.overlay.VisitChanges(
      *begin.layer, end == nullptr ? nullptr : end->layer.get(),
      [&](const KeyHash& hash, KeydirEntry then) {
        EpochGuard guard;
        // The overlay knows no bytes of keys, and the keydir asks for none.
        status = CheckChange(then, state.keydir->Find({{}, hash}));
        return status.ok();
      });
  return status;
}

// The key's bytes are in the record that it had, or else in the one it has.
absl::Status ReadSet::CheckChange(KeydirEntry then, KeydirEntry now) const {
  for (const KeydirEntry entry : {then, now}) {
    if (entry.absent()) continue;
    Segment* segment = nullptr;
    RecordView record;
    RETURN_IF_ERROR(instant_->state->ReadAt(entry, &segment, &record));
    if (instant_->state->Expired(record.header)) continue;
    const auto contains = [&record](const KeyRange& range) {
      return range.Contains(record.key);
    };
    if (std::any_of(ranges_.begin(), ranges_.end(), contains)) {
      return Changed(record.key);
    }
  }
  return absl::OkStatus();
}

}  // namespace stave
