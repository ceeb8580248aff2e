#include "engine/core/reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/durability_site.h"
#include "engine/base/epoch.h"
#include "engine/base/status_macros.h"
#include "stave/limits.h"

namespace stave {
namespace {

constexpr size_t kCacheLineBytes = 64;
constexpr uint64_t kMostPrefetchedBytes = 512;

}  // namespace

absl::Status Reader::CheckKey(std::string_view key) {
  if (key.empty() || key.size() > kMaxKeyBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a key has 1 to ", kMaxKeyBytes, " bytes, not ", key.size()));
  }
  return absl::OkStatus();
}

absl::Status Reader::Get(std::string_view key, const ReadOptions& options,
                         std::string* value) const {
  Found found;
  PinnedValue stored;
  {
    EpochGuard guard;
    RETURN_IF_ERROR(Find(key, options, &found));
    if (found.record.header.compression == Compression::kNone) [[likely]] {
      value->assign(found.record.value.data(), found.record.value.size());
      return absl::OkStatus();
    }
    stored = Pin(found);
  }
  // That takes its time, and nobody waits for the epoch meanwhile.
  return state_
      .ValueOf(*found.segment, found.record.offset, found.record.stored(),
               value)
      .status();
}

absl::StatusOr<PinnedValue> Reader::GetPinned(
    std::string_view key, const ReadOptions& options) const {
  Found found;
  PinnedValue stored;
  {
    EpochGuard guard;
    RETURN_IF_ERROR(Find(key, options, &found));
    stored = Pin(found);
  }
  if (found.record.header.compression == Compression::kNone) return stored;
  size_t size = 0;
  ASSIGN_OR_RETURN(std::unique_ptr<char[]> copy,
                   state_.CopyOf(*found.segment, found.record.offset,
                                 found.record.stored(), &size));
  return PinnedValue(std::move(copy), size);
}

PinnedValue Reader::Pin(const Found& found) {
  found.segment->Pin();
  return PinnedValue(found.record.value, found.segment, found.record.memory);
}

absl::StatusOr<absl::Duration> Reader::Ttl(std::string_view key) const {
  EpochGuard guard;
  Found found;
  RETURN_IF_ERROR(Find(key, ReadOptions(), &found));
  return TtlOf(found);
}

absl::Duration Reader::TtlOf(const Found& found) const {
  const RecordHeader& header = found.record.header;
  if (!header.expires) return absl::InfiniteDuration();
  const absl::Duration left = absl::FromUnixMillis(header.expire_at_ms) -
                              absl::FromUnixMillis(state_.clock->NowMs());
  // Time has gone on since it was found that there is some left.
  return std::max(left, absl::Milliseconds(1));
}

absl::StatusOr<SeenKey> Reader::Look(std::string_view key) const {
  SeenKey seen;
  EpochGuard guard;
  Found found;
  const absl::Status status = Find(key, ReadOptions(), &found);
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  seen.exists = status.ok();
  seen.entry = found.entry;
  if (found.segment == nullptr) return seen;
  seen.value = Pin(found);
  seen.compression = found.record.header.compression;
  if (found.record.header.expires) {
    seen.expire_at = absl::FromUnixMillis(found.record.header.expire_at_ms);
    seen.ttl = TtlOf(found);
  }
  return seen;
}

absl::StatusOr<std::string_view> Reader::ValueOf(const SeenKey& seen,
                                                 std::string* buffer) const {
  const Segment& segment = *state_.segments->Find(seen.entry.location());
  return state_.ValueOf(segment, segment.OffsetOf(seen.entry.location()),
                        {seen.compression, seen.value.view()}, buffer);
}

absl::StatusOr<bool> Reader::Exists(std::string_view key,
                                    const ReadOptions& options) const {
  RETURN_IF_ERROR(CheckKey(key));
  ASSIGN_OR_RETURN(const Instant* const then, InstantOf(options));
  EpochGuard guard;
  const KeyRef ref{key, (*state_.hasher)(key)};
  KeydirEntry entry = FindEntry(ref, then);
  while (true) {
    if (entry.absent()) {
      RETURN_IF_ERROR(CheckHidden(key, 0));
      return false;
    }
    if (!entry.expires() && state_.damage == nullptr) return true;
    Segment* segment = nullptr;
    RecordView record;
    RETURN_IF_ERROR(state_.ReadKeyAt(entry, &segment, &record));
    RETURN_IF_ERROR(CheckHidden(key, record.header.sequence));
    if (!Expired(record.header, then)) return true;
    if (IsStill(ref, then, &entry)) return false;
  }
}

KeydirEntry Reader::FindEntry(const KeyRef& key, const Instant* then) const {
  KeydirEntry entry = state_.keydir->Find(key);
  // No batch was being published at that instant.
  if (then != nullptr) return then->EntryThen(key.hash, entry);
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
                          Found* found) const {
  RETURN_IF_ERROR(CheckKey(key));
  ASSIGN_OR_RETURN(const Instant* const then, InstantOf(options));
  const KeyRef ref{key, (*state_.hasher)(key)};
  found->entry = FindEntry(ref, then);
  while (true) {
    Prefetch(found->entry);
    RETURN_IF_ERROR(ReadRecord(key, found));
    if (!Expired(found->record.header, then)) break;
    if (IsStill(ref, then, &found->entry)) return absl::NotFoundError("");
  }
  return CheckBody(options, *found);
}

bool Reader::IsStill(const KeyRef& key, const Instant* then,
                     KeydirEntry* entry) const {
  if (then != nullptr) return true;
  const KeydirEntry before = *entry;
  *entry = FindEntry(key, then);
  return *entry == before;
}

void Reader::Touch(KeydirEntry entry) const {
  if (entry.absent()) return;
  const std::string_view record = Beginning(entry);
  if (record.empty()) return;
  const volatile char* const bytes = record.data();
  for (size_t at = 0; at < record.size(); at += kCacheLineBytes) {
    static_cast<void>(bytes[at]);
  }
  static_cast<void>(bytes[record.size() - 1]);
}

void Reader::Prefetch(KeydirEntry entry) const {
  if (entry.absent()) return;
  const std::string_view record = Beginning(entry);
  for (size_t at = 0; at < record.size(); at += kCacheLineBytes) {
    __builtin_prefetch(&record[at]);
  }
}

std::string_view Reader::Beginning(KeydirEntry entry) const {
  const Segment* const segment = state_.segments->Find(entry.location());
  if (!segment->is_mapped()) [[unlikely]]
    return {};
  const uint64_t offset = segment->OffsetOf(entry.location());
  // A size that only the header knows is a large one.
  const uint64_t size =
      entry.exact_size() == 0 ? kCacheLineBytes : entry.exact_size();
  return std::string_view(segment->data() + offset,
                          std::min(size, kMostPrefetchedBytes));
}

absl::Status Reader::ReadRecord(std::string_view key, Found* found) const {
  if (found->entry.absent()) {
    RETURN_IF_ERROR(CheckHidden(key, 0));
    return absl::NotFoundError("");
  }
  RETURN_IF_ERROR(state_.ReadAt(found->entry, &found->segment, &found->record));
  return CheckRecord(key, *found);
}

absl::Status Reader::CheckRecord(std::string_view key,
                                 const Found& found) const {
  const RecordView& record = found.record;
  if (record.key != key) {
    if (!BodyMatches(record.header, record.key, record.value)) {
      return WrongBody(found);
    }
    return absl::InternalError(absl::StrCat(
        "two keys of the store agree in all bits of their hash, see store.h; ",
        "the other one is in ", found.segment->name(), ", offset ",
        found.segment->OffsetOf(found.entry.location())));
  }
  return CheckHidden(key, record.header.sequence);
}

absl::Status Reader::CheckBody(const ReadOptions& options,
                               const Found& found) const {
  const RecordView& record = found.record;
  if (options.verify_checksums &&
      DURABILITY_SITE(kReadBodyCheck,
                      !BodyMatches(record.header, record.key, record.value))) {
    return WrongBody(found);
  }
  return absl::OkStatus();
}

absl::Status Reader::WrongBody(const Found& found) const {
  return state_.Damage(*found.segment,
                       found.segment->OffsetOf(found.entry.location()),
                       "wrong checksum of a record's body");
}

}  // namespace stave
