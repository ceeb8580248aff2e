#include "engine/core/reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/base/durability_site.h"
#include "engine/base/epoch.h"
#include "engine/base/status_macros.h"
#include "stave/limits.h"

namespace stave {
namespace {

constexpr size_t kCacheLineBytes = 64;
constexpr uint64_t kMostPrefetchedBytes = 512;

// A record's lines are asked for all at once, before its header is looked at.
void PrefetchRecord(const char* record, uint64_t size) {
  if (size == 0) size = kCacheLineBytes;
  size = std::min(size, kMostPrefetchedBytes);
  for (uint64_t at = 0; at < size; at += kCacheLineBytes) {
    __builtin_prefetch(record + at);
  }
}

absl::Status CheckKey(std::string_view key) {
  if (key.empty() || key.size() > kMaxKeyBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a key has 1 to ", kMaxKeyBytes, " bytes, not ", key.size()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Reader::Get(std::string_view key, const ReadOptions& options,
                         std::string* value) const {
  EpochGuard guard;
  Segment* segment = nullptr;
  RecordView record;
  RETURN_IF_ERROR(Find(key, options, &segment, &record));
  value->assign(record.value.data(), record.value.size());
  return absl::OkStatus();
}

absl::StatusOr<PinnedValue> Reader::GetPinned(
    std::string_view key, const ReadOptions& options) const {
  EpochGuard guard;
  Segment* segment = nullptr;
  RecordView record;
  RETURN_IF_ERROR(Find(key, options, &segment, &record));
  segment->Pin();
  return PinnedValue(record.value, segment);
}

absl::StatusOr<bool> Reader::Exists(std::string_view key,
                                    const ReadOptions&) const {
  RETURN_IF_ERROR(CheckKey(key));
  EpochGuard guard;
  const KeydirEntry entry = FindEntry({key, (*state_.hasher)(key)});
  if (entry.absent()) {
    RETURN_IF_ERROR(CheckHidden(key, 0));
    return false;
  }
  if (!entry.expires() && state_.damage == nullptr) return true;
  Segment* segment = nullptr;
  RecordView record;
  RETURN_IF_ERROR(state_.ReadAt(entry, &segment, &record));
  RETURN_IF_ERROR(CheckHidden(key, record.header.sequence));
  return !state_.Expired(record.header);
}

KeydirEntry Reader::FindEntry(const KeyRef& key) const {
  KeydirEntry entry = state_.keydir->Find(key);
  while (DURABILITY_SITE(kBatchPublication, state_.publication.Covers(entry))) {
    state_.publication.Await();
    entry = state_.keydir->Find(key);
  }
  return entry;
}

absl::Status Reader::CheckHidden(std::string_view key,
                                 Sequence sequence) const {
  if (state_.damage == nullptr) return absl::OkStatus();
  return state_.damage->Check(key.size(), sequence, state_.directory);
}

absl::Status Reader::Find(std::string_view key, const ReadOptions& options,
                          Segment** segment, RecordView* record) const {
  RETURN_IF_ERROR(CheckKey(key));
  const KeydirEntry entry = FindEntry({key, (*state_.hasher)(key)});
  if (entry.absent()) {
    RETURN_IF_ERROR(CheckHidden(key, 0));
    return absl::NotFoundError("");
  }
  *segment = state_.segments->Find(entry.location());
  const uint64_t offset = (*segment)->OffsetOf(entry.location());
  PrefetchRecord((*segment)->data() + offset, entry.exact_size());
  RETURN_IF_ERROR(state_.ReadAt(entry, segment, record));
  if (record->key != key) {
    if (!BodyMatches(record->header, record->key, record->value)) {
      return state_.Damage(**segment, offset,
                           "wrong checksum of a record's body");
    }
    return absl::InternalError(absl::StrCat(
        "two keys of the store agree in all bits of their hash, see store.h; ",
        "the other one is in ", (*segment)->name(), ", offset ", offset));
  }
  RETURN_IF_ERROR(CheckHidden(key, record->header.sequence));
  if (state_.Expired(record->header)) return absl::NotFoundError("");
  if (options.verify_checksums &&
      DURABILITY_SITE(kReadBodyCheck, !BodyMatches(record->header, record->key,
                                                   record->value))) {
    return state_.Damage(**segment, offset,
                         "wrong checksum of a record's body");
  }
  return absl::OkStatus();
}

}  // namespace stave
