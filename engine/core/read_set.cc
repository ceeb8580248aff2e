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
  const State& state = *instant_->state;
  EpochGuard guard;
  for (const auto& [hash, key] : keys_) {
    const auto then = instant_->layer->FindPast(hash);
    if (!then.has_value()) continue;
    const KeydirEntry now = state.keydir->Find({key, hash});
    if (!Missed(*then, now).absent()) return Changed(key);
  }
  return absl::OkStatus();
}

absl::Status ReadSet::CheckRanges(const Instant& begin,
                                  const Instant* end) const {
  const State& state = *instant_->state;
  // Changes after `end` count as well there: they would be found later.
  if (state.keydir->order() != nullptr) return CheckRangesInOrder(begin);
  absl::Status status;
  state.overlay.VisitChanges(
      *begin.layer, end == nullptr ? nullptr : end->layer.get(),
      [&](const KeyHash& hash, const VersionOverlay::Past& then) {
        EpochGuard guard;
        // The overlay knows no bytes of keys, and the keydir asks for none.
        status = CheckChange(then, state.keydir->Find({{}, hash}));
        return status.ok();
      });
  return status;
}

absl::Status ReadSet::CheckRangesInOrder(const Instant& begin) const {
  constexpr size_t kAtOnce = 256;
  const State& state = *instant_->state;
  for (const KeyRange& range : ranges_) {
    std::string from(range.begin());
    while (true) {
      const std::vector<std::string> changed =
          begin.layer->ChangedFrom(from, kAtOnce);
      for (const std::string& key : changed) {
        if (!range.Contains(key)) break;
        EpochGuard guard;
        const KeyHash hash = (*state.hasher)(key);
        const auto then = begin.layer->FindPast(hash);
        if (!then.has_value()) continue;
        const KeydirEntry now = state.keydir->Find({key, hash});
        if (!Missed(*then, now).absent()) return Changed(key);
      }
      if (changed.size() < kAtOnce || !range.Contains(changed.back())) break;
      from = changed.back() + '\0';
    }
  }
  return absl::OkStatus();
}

// The key's bytes are in the record that it had, or else in the one it has.
absl::Status ReadSet::CheckChange(const VersionOverlay::Past& then,
                                  KeydirEntry now) const {
  const KeydirEntry missed = Missed(then, now);
  if (missed.absent()) return absl::OkStatus();
  Segment* segment = nullptr;
  RecordView record;
  RETURN_IF_ERROR(instant_->state->ReadKeyAt(missed, &segment, &record));
  const auto contains = [&record](const KeyRange& range) {
    return range.Contains(record.key);
  };
  return std::any_of(ranges_.begin(), ranges_.end(), contains)
             ? Changed(record.key)
             : absl::OkStatus();
}

KeydirEntry ReadSet::Missed(const VersionOverlay::Past& then,
                            KeydirEntry now) const {
  const bool was_there = IsLive(then.entry, [this](const RecordHeader& header) {
    return instant_->HadExpired(header);
  });
  if (was_there) {
    const bool time_alone = then.has_expired && now.absent();
    return time_alone ? KeydirEntry() : then.entry;
  }
  const bool is_there = IsLive(now, [this](const RecordHeader& header) {
    return instant_->state->Expired(header);
  });
  return is_there ? now : KeydirEntry();
}

bool ReadSet::IsLive(
    KeydirEntry entry,
    absl::FunctionRef<bool(const RecordHeader&)> has_expired) const {
  if (entry.absent()) return false;
  if (!entry.expires()) return true;
  Segment* segment = nullptr;
  RecordView record;
  return !instant_->state->ReadKeyAt(entry, &segment, &record).ok() ||
         !has_expired(record.header);
}

}  // namespace stave
