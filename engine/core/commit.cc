#include "engine/core/commit.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/base/durability_site.h"
#include "engine/base/epoch.h"
#include "engine/base/status_macros.h"
#include "stave/limits.h"

namespace stave {
namespace {

void Increment(std::atomic<uint64_t>* counter, uint64_t by = 1) {
  counter->store(counter->load(std::memory_order_relaxed) + by,
                 std::memory_order_relaxed);
}

PendingRecord PrepareDelete(std::string_view key) {
  PendingRecord record;
  record.key = key;
  record.header.kind = RecordKind::kDelete;
  record.header.key_size = static_cast<uint16_t>(key.size());
  record.header.body = BodyChecksum(key, {});
  return record;
}

// Whether each key is not among those after it.
std::vector<bool> AreLast(const std::vector<KeyRef>& keys) {
  std::vector<bool> are_last(keys.size(), true);
  if (keys.size() < 2) return are_last;
  absl::flat_hash_set<KeyHash> seen;
  seen.reserve(keys.size());
  for (size_t i = keys.size(); i-- > 0;) {
    are_last[i] = seen.insert(keys[i].hash).second;
  }
  return are_last;
}

}  // namespace

absl::Status Commit::CheckSizes(std::string_view key, std::string_view value) {
  if (key.empty() || key.size() > kMaxKeyBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a key has 1 to ", kMaxKeyBytes, " bytes, not ", key.size()));
  }
  if (value.size() > kMaxValueBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a value has at most ", kMaxValueBytes, " bytes, not ", value.size()));
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> Commit::After(absl::Duration ttl) const {
  if (ttl <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a time to live must be positive, not ", absl::FormatDuration(ttl)));
  }
  return absl::FromUnixMillis(state_.clock->NowMs()) + ttl;
}

absl::Status Commit::PreparePut(std::string_view key, const StoredValue& value,
                                absl::Duration ttl, absl::Time expire_at,
                                PendingRecord* record) const {
  if (ttl != absl::InfiniteDuration()) {
    ASSIGN_OR_RETURN(const absl::Time after, After(ttl));
    expire_at = std::min(expire_at, after);
  }
  record->key = key;
  record->value = value.bytes;
  RecordHeader& header = record->header;
  header.kind = RecordKind::kPut;
  header.compression = value.compression;
  header.key_size = static_cast<uint16_t>(key.size());
  header.value_size = static_cast<uint32_t>(value.bytes.size());
  header.body = BodyChecksum(key, value.bytes);
  if (expire_at != absl::InfiniteFuture()) {
    header.expires = true;
    header.expire_at_ms = absl::ToUnixMillis(expire_at);
  }
  return absl::OkStatus();
}

void Commit::Prefetch(const KeyRef& key) const {
  EpochGuard guard;
  state_.keydir->Prefetch(key);
}

KeydirEntry Commit::Present(const KeyRef& key) const {
  EpochGuard guard;
  return state_.keydir->Find(key);
}

bool Commit::IsExpired(KeydirEntry entry) const {
  if (!entry.expires()) return false;
  EpochGuard guard;
  Segment* segment = nullptr;
  RecordView record;
  return state_.ReadKeyAt(entry, &segment, &record).ok() &&
         state_.Expired(record.header);
}

absl::Status Commit::Put(std::string_view key, std::string_view value,
                         const WriteOptions& options) {
  const KeyRef ref{key, key.empty() ? KeyHash{} : (*state_.hasher)(key)};
  Prefetch(ref);
  PendingRecord record;
  RETURN_IF_ERROR(CheckSizes(key, value));
  std::unique_ptr<char[]> compressed;
  RETURN_IF_ERROR(PreparePut(key, compressor_.Compress(value, &compressed),
                             options.ttl, options.expire_at, &record));
  Sequence sequence = 0;
  RETURN_IF_ERROR(Append(ref, record, /*seen=*/nullptr, &sequence));
  return SyncIfAsked(options, sequence);
}

absl::StatusOr<Commit::PreparedPut> Commit::Prepare(
    std::string_view key, std::string_view value,
    const WriteOptions& options) const {
  RETURN_IF_ERROR(CheckSizes(key, value));
  std::unique_ptr<char[]> compressed;
  ASSIGN_OR_RETURN(
      PreparedPut put,
      PrepareStored(key, compressor_.Compress(value, &compressed), options));
  put.compressed = std::move(compressed);
  return put;
}

absl::StatusOr<Commit::PreparedPut> Commit::PrepareStored(
    std::string_view key, const StoredValue& value,
    const WriteOptions& options) const {
  PreparedPut put;
  RETURN_IF_ERROR(
      PreparePut(key, value, options.ttl, options.expire_at, &put.record));
  put.key = {key, (*state_.hasher)(key)};
  return put;
}

absl::StatusOr<Sequence> Commit::PutIfStill(const Seen& seen,
                                            const PreparedPut& put) {
  Sequence sequence = 0;
  RETURN_IF_ERROR(Append(put.key, put.record, &seen, &sequence));
  return sequence;
}

bool Commit::IsStill(const KeyRef& key, const Seen& seen) const {
  if (Present(key) != seen.entry) return false;
  if (seen.expire_at == absl::InfiniteFuture()) return true;
  // Others may have found it gone meanwhile.
  return !state_.clock->HasExpired(absl::ToUnixMillis(seen.expire_at),
                                   state_.clock->NowMs());
}

absl::Status Commit::Append(const KeyRef& ref, const PendingRecord& record,
                            const Seen* seen, Sequence* sequence) {
  merger_.Admit(record.size());
  {
    MutexLock lock(&log_.append_mutex());
    RETURN_IF_ERROR(log_.MakeRoom(record.size()));
    if (seen != nullptr && !IsStill(ref, *seen)) return absl::AbortedError("");
    RETURN_IF_ERROR(CheckMemory(ref, record));
    ASSIGN_OR_RETURN(const Log::Place place, log_.Append(record));
    if (TakenAway(DurabilitySite::kPublishInOrder)) {
      log_.append_mutex().Unlock();
      std::this_thread::yield();
      log_.append_mutex().Lock();
    }
    // In the same hold of the lock: keys change in the order of the log.
    RETURN_IF_ERROR(Publish(ref, record, place));
    *sequence = place.sequence;
    CountPut(record);
  }
  DoWhatIsDue();
  return absl::OkStatus();
}

absl::StatusOr<bool> Commit::Delete(std::string_view key,
                                    const WriteOptions& options) {
  RETURN_IF_ERROR(CheckSizes(key, {}));
  const KeyRef ref{key, (*state_.hasher)(key)};
  Prefetch(ref);
  const PendingRecord record = PrepareDelete(key);
  merger_.Admit(record.size());
  bool existed = false;
  Sequence sequence = 0;
  {
    MutexLock lock(&log_.append_mutex());
    RETURN_IF_ERROR(log_.CheckOpen());
    if (!Present(ref).absent()) {
      RETURN_IF_ERROR(log_.MakeRoom(record.size(), Log::Use::kDeletes));
    }
    // MakeRoom may have let others in.
    bool present = false;
    {
      EpochGuard guard;  // keeps what the entry names
      const KeydirEntry entry = Present(ref);
      present = !entry.absent();
      existed = present && !IsExpired(entry);
    }
    // The device may be slow, so nobody else waits for an epoch meanwhile.
    if (present) {
      ASSIGN_OR_RETURN(const Log::Place place, log_.Append(record));
      RETURN_IF_ERROR(Publish(ref, record, place));
      sequence = place.sequence;
      Increment(&deletes_);
    } else {
      // I2: without a key to be removed the answer depends on all before.
      sequence = DURABILITY_SITE(kAbsentDeleteSync, log_.last_change());
    }
  }
  DoWhatIsDue();
  RETURN_IF_ERROR(SyncIfAsked(options, sequence));
  return existed;
}

absl::Status Commit::WriteIf(const WriteBatch& batch,
                             const WriteOptions& options,
                             absl::FunctionRef<absl::Status()> condition) {
  std::vector<KeyRef> keys;
  std::vector<PendingRecord> records(batch.size());
  std::vector<std::unique_ptr<char[]>> compressed(batch.size());
  keys.reserve(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    const WriteBatch::Operation operation = batch.operation(i);
    RETURN_IF_ERROR(CheckSizes(operation.key, operation.value));
    keys.push_back({operation.key, (*state_.hasher)(operation.key)});
    Prefetch(keys.back());
    if (operation.is_delete) {
      records[i] = PrepareDelete(operation.key);
      continue;
    }
    RETURN_IF_ERROR(PreparePut(
        operation.key, compressor_.Compress(operation.value, &compressed[i]),
        operation.ttl, operation.expire_at, &records[i]));
  }
  const bool only_deletes =
      std::all_of(records.begin(), records.end(), [](const auto& record) {
        return record.header.kind == RecordKind::kDelete;
      });
  const uint64_t size = Log::BatchSize(records);
  if (size > kMaxBatchBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a batch has at most ", kMaxBatchBytes,
                     " bytes of records, not ", size));
  }
  const std::vector<bool> are_last = AreLast(keys);
  merger_.Admit(size);
  Sequence sequence = 0;
  {
    MutexLock lock(&log_.append_mutex());
    RETURN_IF_ERROR(log_.CheckOpen());
    if (!records.empty()) {
      RETURN_IF_ERROR(log_.MakeRoom(
          size, only_deletes ? Log::Use::kDeletes : Log::Use::kAnything));
      // MakeRoom may have let others in.
      RETURN_IF_ERROR(condition());
      for (size_t i = 0; i < keys.size(); ++i) {
        RETURN_IF_ERROR(CheckMemory(keys[i], records[i]));
      }
      ASSIGN_OR_RETURN(const std::vector<Log::Place> places,
                       log_.AppendBatch(records));
      RETURN_IF_ERROR(PublishBatch(keys, are_last, records, places));
    }
    sequence = log_.last_change();
  }
  DoWhatIsDue();
  return SyncIfAsked(options, sequence);
}

absl::Status Commit::PublishBatch(const std::vector<KeyRef>& keys,
                                  const std::vector<bool>& are_last,
                                  const std::vector<PendingRecord>& records,
                                  const std::vector<Log::Place>& places) {
  state_.publication.Begin(places.front().location(), places.back().location());
  absl::Status status;
  for (size_t i = 0; i < keys.size() && status.ok(); ++i) {
    // What a later change in the batch hides, nobody may ever see: a reader who
    // met it could ask only after the end whether a batch is being published.
    if (are_last[i]) status = Publish(keys[i], records[i], places[i]);
    if (records[i].header.kind == RecordKind::kPut) {
      CountPut(records[i]);
    } else {
      Increment(&deletes_);
    }
  }
  state_.publication.End();
  return status;
}

absl::Status Commit::Sync() {
  Sequence sequence = 0;
  {
    MutexLock lock(&log_.append_mutex());
    RETURN_IF_ERROR(log_.CheckOpen());
    sequence = log_.last_change();
  }
  RETURN_IF_ERROR(log_.SyncThrough(sequence));
  return DURABILITY_SITE(kFloorWithSync, log_.SyncClockFloor());
}

absl::Status Commit::Publish(const KeyRef& key, const PendingRecord& record,
                             const Log::Place& place) {
  // A merge may let go of the segment that the replaced record lies in.
  EpochGuard guard;
  if (state_.overlay.active()) state_.SaveVersion(key, Present(key));
  const bool is_delete = record.header.kind == RecordKind::kDelete;
  state_.publication.NoteChange(is_delete);
  if (is_delete) {
    state_.SubtractReplaced(state_.keydir->Remove(key));
    state_.publication.NoteChanged();
    return absl::OkStatus();
  }
  const auto entry =
      KeydirEntry::Live(place.location(), record.size(), record.header.expires);
  absl::StatusOr<KeydirEntry> replaced = state_.keydir->Put(key, entry);
  state_.publication.NoteChanged();
  // The record is in the log but can't be found: the next open would show
  // it, so nothing may go on as if it were not there.
  if (!replaced.ok()) return log_.Fail(replaced.status());
  if (record.header.expires) NoteExpiry(record.header, place.segment);
  state_.NoteRecordSize(record.size());
  state_.AddLive(place.segment, record.size());
  state_.SubtractReplaced(*replaced);
  return absl::OkStatus();
}

void Commit::NoteExpiry(const RecordHeader& header, Segment* segment) {
  segment->NoteExpiry(header.expire_at_ms);
  if (state_.has_expiries.load(std::memory_order_relaxed)) return;
  state_.has_expiries.store(true, std::memory_order_relaxed);
  merger_.OnExpiry();
}

void Commit::CountPut(const PendingRecord& record) {
  Increment(&puts_);
  const uint64_t stored_bytes = record.value.size();
  uint64_t bytes = stored_bytes;
  if (record.header.compression != Compression::kNone) {
    bytes = PlainSize({record.header.compression, record.value})
                .value_or(stored_bytes);
  }
  Increment(&value_bytes_, bytes);
  Increment(&stored_value_bytes_, stored_bytes);
}

absl::Status Commit::SyncIfAsked(const WriteOptions& options,
                                 Sequence sequence) {
  if (!options.sync && !always_sync_) return absl::OkStatus();
  const absl::Status status =
      DURABILITY_SITE(kAnswerAfterSync, log_.SyncThrough(sequence));
  // The write is made, so "the disk is full, nothing was done" would be wrong.
  return absl::IsResourceExhausted(status) ? log_.Fail(status) : status;
}

}  // namespace stave
